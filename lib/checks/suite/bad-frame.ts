// bad-frame: frames that no client may send fail the connection with 1002 (RFC 6455 §5.1, §5.2, §7.1.7).
import { type Check, failed, passed } from '../check.ts';
import { clientFrame } from '../client-frame.ts';
import { ConnectError, describeFailure } from '../failure.ts';
import type { RawConnection, RawEnd } from '../raw-connection.ts';

interface Evidence {
  rounds: ({ name: string } & RawEnd)[];
  /** Why no connection opened after the last round. */
  refused: string | null;
}

const text = Buffer.from('wsbench');
const frames: readonly [name: string, frame: () => Buffer][] = [
  ['a reserved opcode (0x3)', () => clientFrame(0x83, text)],
  ['RSV2 set', () => clientFrame(0xa1, text)],
  ['a frame without a mask', () => clientFrame(0x81, text, false)],
];

export const badFrame: Check<Evidence> = {
  id: 'bad-frame',
  title: 'Bad frames are refused (1002)',
  tags: ['quick'],
  needs: [],
  impact: 'none',
  dependsOn: ['connect'],
  async run(context) {
    const rounds: Evidence['rounds'] = [];
    for (const [name, frame] of frames) {
      let connection: RawConnection;
      try {
        connection = await context.raw();
      } catch (error) {
        if (rounds.length === 0 || !(error instanceof ConnectError)) throw error;
        return { rounds, refused: describeFailure(error.failure) };
      }
      connection.write(frame());
      const end = await connection.waitForEnd(context.timeoutMs);
      rounds.push({ name, ...end });
      // A server that takes one connection at a time has room again.
      await connection.drop();
      if (!isFailed(end)) break;
    }
    return { rounds, refused: null };
  },
  judge({ rounds, refused }) {
    const wrong = rounds.find((round) => !isFailed(round));
    if (wrong) {
      const got = wrong.closeCode === null ? 'the connection stayed open' : `close code ${wrong.closeCode}`;
      return failed(`close code 1002 after ${wrong.name}`, got);
    }
    if (refused !== null) {
      return failed(
        `a server that goes on after ${rounds.at(-1)?.name}`,
        `no further connection opens: ${refused}`,
      );
    }
    const bare = rounds.filter(({ closeCode }) => closeCode === null).length;
    const names = rounds.map(({ name }) => name).join(', ');
    return passed(
      bare === 0
        ? `${names}: closed with 1002`
        : `${names}: connection failed, ${bare} × without a close frame`,
    );
  },
};

/** §7.1.7 asks for the connection to fail; the close frame before that is a SHOULD. */
const isFailed = ({ closeCode, ended }: RawEnd): boolean => (closeCode === null ? ended : closeCode === 1002);
