// request: what the target's description calls a request is answered, exactly once, by what it calls a reply.
import { Asker } from '../asker.ts';
import { type Check, failed, passed } from '../check.ts';
import { describeClosed } from '../closed.ts';
import { describedTarget } from '../described.ts';
import { describeMatch, isAnswered } from '../reply-book.ts';

interface Evidence {
  /** How replies are matched, in words. */
  how: string;
  /** More than one reply is right. */
  repeats: boolean;
  /** Requests in the order sent; the first was sent alone. */
  requests: { replies: number; refusal: string | null; altered: string | null }[];
  /** Requests that were under way at the same time. */
  atOnce: number;
  looseRefusal: string | null;
  disorder: string | null;
  /** Replies in order beyond the requests. */
  surplus: number;
  /** Messages that are neither replies nor pushes, and how the first of them begins. */
  strays: number;
  stray: string | null;
  closed: string | null;
}

const together = 4;
/** How long a second reply may lag behind and still be noticed. */
const settleMs = 50;

export const request: Check<Evidence> = {
  id: 'request',
  title: 'Each request gets its reply',
  tags: ['quick'],
  needs: ['request'],
  impact: 'none',
  dependsOn: ['connect'],
  async run(context) {
    const target = describedTarget(context.facts);
    const connection = await context.connect();
    const asker = new Asker(context, connection, target);
    const { book } = asker;
    await asker.ask(1);
    if (book.sent.every(isAnswered)) await asker.ask(together);
    await asker.settle(settleMs);
    return {
      how: describeMatch(target.match),
      repeats: 'repeats' in target.match && target.match.repeats,
      requests: book.sent.map(({ replies, refusal, altered }) => ({ replies, refusal, altered })),
      atOnce: target.match.by === 'pong' ? 1 : together,
      looseRefusal: book.looseRefusal,
      disorder: book.disorder,
      surplus: book.surplus,
      strays: book.strays,
      stray: book.firstStray,
      closed: connection.closed && describeClosed(connection.closed),
    };
  },
  judge({ how, repeats, requests, atOnce, looseRefusal, disorder, surplus, strays, stray, closed }) {
    const all = requests.length;
    const expected = `${repeats ? 'a reply' : 'exactly one reply'} to each request, ${how}`;
    const named = (at: number): string => `request ${at + 1} of ${all}`;
    const refused = requests.findIndex(({ refusal }) => refusal !== null);
    if (refused >= 0) return failed(expected, `${named(refused)} refused: ${requests[refused]?.refusal}`);
    if (looseRefusal !== null) return failed(expected, `a refusal that names no request: ${looseRefusal}`);
    if (disorder !== null) return failed(expected, `wrong order: ${disorder}`);
    const altered = requests.findIndex((one) => one.altered !== null);
    if (altered >= 0) {
      return failed('each request echoed byte by byte', `${named(altered)} as ${requests[altered]?.altered}`);
    }
    const missing = requests.filter(({ replies }) => replies === 0).length;
    if (missing > 0) {
      const nothing = all === 1 ? 'no reply' : `no reply to ${missing} of ${all}, ${atOnce} of them at once`;
      const others =
        strays > 1
          ? `${strays} that answer none, the first: ${stray}`
          : strays === 1
            ? `1 that answers none: ${stray}`
            : '';
      return failed(expected, [nothing, others, closed ?? ''].filter(Boolean).join('; '));
    }
    const repeated = requests.findIndex(({ replies }) => replies > 1);
    if (!repeats && repeated >= 0) {
      return failed(expected, `${requests[repeated]?.replies} replies to ${named(repeated)}`);
    }
    if (surplus > 0) return failed(expected, `${all + surplus} replies to ${all} requests`);
    if (closed !== null) return failed('the connection to stay open', closed);
    const overlap = atOnce > 1 ? `, ${atOnce} at once` : '';
    return passed(`${all} of ${all} requests answered${overlap}, ${how}`);
  },
};
