// clean-close: a close frame is answered with a close frame, and TCP ends (RFC 6455 §5.5.1, §7.1.1).
import { type Check, failed, passed } from '../check.ts';
import { describeClosed } from '../closed.ts';

interface Evidence {
  /** Close codes as received; 1005: none in the frame; 1006: no close frame; null: TCP still open after the time. */
  rounds: { sent: number; got: number | null; words: string }[];
}

export const cleanClose: Check<Evidence> = {
  id: 'clean-close',
  title: 'Connections close cleanly',
  tags: ['quick'],
  needs: [],
  impact: 'none',
  dependsOn: ['connect'],
  async run(context) {
    const rounds: Evidence['rounds'] = [];
    for (const sent of [1000, 3000]) {
      const connection = await context.connect();
      const closed = await connection.close(sent, 'wsbench quick');
      const words = closed ? describeClosed(closed) : 'a connection that stays open';
      rounds.push({ sent, got: closed?.code ?? null, words });
      if (!closed) break;
    }
    return { rounds };
  },
  judge({ rounds }) {
    const wrong = rounds.find(({ sent, got }) => got !== sent && got !== 1005);
    if (!wrong) {
      return passed(
        `close codes ${rounds.map(({ sent }) => sent).join(' and ')} answered by a close frame, TCP closed`,
      );
    }
    const expected = `a close frame that echoes ${wrong.sent}, then the end of TCP`;
    return failed(expected, wrong.words);
  },
};
