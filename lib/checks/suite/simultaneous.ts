// simultaneous: several connections at once, each served, none mixed up with another.
import { Asker } from '../asker.ts';
import { type Check, failed, passed } from '../check.ts';
import { describeClosed } from '../closed.ts';
import { CheckConnection } from '../connection.ts';
import type { Context } from '../context.ts';
import { describedTarget } from '../described.ts';
import type { Facts } from '../facts.ts';
import { describeFailure } from '../failure.ts';

interface Evidence {
  asked: number;
  /** Why connections did not open. */
  failures: string[];
  /** Connections that got their own reply, that got somebody else's, and that got their own altered. */
  served: number;
  mixed: number;
  altered: number;
  openAtEnd: number;
  /** How one of those that were closed meanwhile ended. */
  closed: string | null;
  by: 'echo' | 'request' | 'ping frame';
}

export const simultaneous: Check<Evidence> = {
  id: 'simultaneous',
  title: 'Several connections at once',
  tags: ['quick'],
  needs: [],
  impact: 'none',
  dependsOn: ['connect'],
  async run(context) {
    const attempts = await Promise.all(
      Array.from({ length: context.connections }, () => context.attempt({})),
    );
    const connections = attempts.filter((outcome) => outcome instanceof CheckConnection);
    const served = await Promise.all(
      connections.map((connection, index) => serve(context, connection, index)),
    );
    return {
      asked: context.connections,
      failures: attempts.flatMap((outcome) =>
        outcome instanceof CheckConnection ? [] : [describeFailure(outcome)],
      ),
      served: served.filter((reply) => reply === 'own').length,
      mixed: served.filter((reply) => reply === 'other').length,
      altered: served.filter((reply) => reply === 'altered').length,
      openAtEnd: connections.filter(({ closed }) => closed === null).length,
      closed: connections.flatMap(({ closed }) => (closed ? [describeClosed(closed)] : []))[0] ?? null,
      by: meansOf(context.facts),
    };
  },
  judge({ asked, failures, served, mixed, altered, openAtEnd, closed, by }) {
    const expected = `${asked} connections open at once, each answering its own ${by}`;
    if (failures[0] !== undefined) {
      return failed(expected, `${failures.length} of ${asked} did not open: ${failures[0]}`);
    }
    const ended = openAtEnd < asked ? `${asked - openAtEnd} were closed meanwhile: ${closed}` : '';
    if (served < asked) {
      return failed(
        expected,
        [
          `${served} of ${asked} answered`,
          mixed > 0 ? `${mixed} got the reply of another connection` : '',
          altered > 0 ? `${altered} got their own altered` : '',
          ended,
        ]
          .filter(Boolean)
          .join(', '),
      );
    }
    if (ended !== '') return failed(expected, ended);
    return passed(`${asked} of ${asked} open at once, each answered its own ${by}`);
  },
};

/** How a connection shows that it is served as itself. */
function meansOf({ target, speaks }: Facts): Evidence['by'] {
  if (speaks === 'wsbench' || speaks === 'echo') return 'echo';
  return target && target.match.by !== 'pong' ? 'request' : 'ping frame';
}

type Reply = 'own' | 'other' | 'altered' | 'none';

const markOf = (index: number, { sub }: Context): string => `connection ${index} of ${sub}`;

function replyOf(text: string | undefined, index: number, context: Context): Reply {
  if (text === undefined) return 'none';
  if (text === markOf(index, context)) return 'own';
  const others = Array.from({ length: context.connections }, (_, other) => markOf(other, context));
  return others.includes(text) ? 'other' : 'altered';
}

async function serve(context: Context, connection: CheckConnection, index: number): Promise<Reply> {
  const { facts } = context;
  const mark = markOf(index, context);
  if (facts.speaks === 'wsbench') {
    const { answers } = await connection.request('ECHO', mark);
    return answers.length === 1 && answers[0]?.payload.value === mark ? 'own' : 'none';
  }
  if (facts.speaks === 'echo') {
    connection.send(mark);
    const got = await connection.waitFor(() =>
      connection.received.find(({ data }) => data.toString().endsWith(context.sub)),
    );
    return replyOf(got?.data.toString(), index, context);
  }
  if (meansOf(facts) === 'request') {
    const asker = new Asker(context, connection, describedTarget(facts));
    await asker.ask(1);
    const [own] = asker.book.sent;
    if (own === undefined || own.replies === 0) return 'none';
    return own.altered === null ? 'own' : 'altered';
  }
  connection.ping(mark);
  const pong = await connection.waitFor(() => connection.pongs.find((payload) => payload === mark));
  return pong === undefined ? 'none' : 'own';
}
