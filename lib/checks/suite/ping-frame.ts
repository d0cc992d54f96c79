// ping-frame: every ping frame gets a pong frame with the same payload (RFC 6455 §5.5.2, §5.5.3).
import { type Check, failed, passed } from '../check.ts';
import { describeClosed } from '../closed.ts';

interface Evidence {
  /** Payloads in latin1; null: no pong in time. */
  rounds: { sent: string; got: string | null }[];
  /** How the connection ended meanwhile. */
  closed: string | null;
}

const payloads = [
  '',
  'wsbench',
  Array.from({ length: 125 }, (_, byte) => String.fromCharCode(byte)).join(''),
];

export const pingFrame: Check<Evidence> = {
  id: 'ping-frame',
  title: 'Ping frames are answered',
  tags: ['quick'],
  needs: [],
  impact: 'none',
  dependsOn: ['connect'],
  async run(context) {
    const connection = await context.connect();
    const rounds: Evidence['rounds'] = [];
    for (const sent of payloads) {
      const before = connection.pongs.length;
      connection.ping(sent);
      // Pongs that nobody asked for may come in between (§5.5.3).
      const right = await connection.waitFor(() =>
        connection.pongs.slice(before).find((pong) => pong === sent),
      );
      const got = right ?? connection.pongs[before] ?? null;
      rounds.push({ sent, got });
      if (got !== sent) break;
    }
    return { rounds, closed: connection.closed && describeClosed(connection.closed) };
  },
  judge({ rounds, closed }) {
    const wrong = rounds.find(({ sent, got }) => sent !== got);
    if (!wrong)
      return passed(`${rounds.length} of ${rounds.length} pongs, payloads of 0 to 125 bytes intact`);
    const expected = `a pong with the ping's payload of ${wrong.sent.length} bytes`;
    if (wrong.got !== null)
      return failed(expected, `a pong with another payload (${wrong.got.length} bytes)`);
    return failed(expected, closed === null ? 'no pong' : `no pong, but ${closed}`);
  },
};
