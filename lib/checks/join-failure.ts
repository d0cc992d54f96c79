// What became of a connection whose opening came to no good end.
import { describeCause } from '../cause/describe-cause.ts';
import type { Opening } from '../target/opening.ts';
import { type Closed, describeClosed } from './closed.ts';
import type { ConnectFailure } from './failure.ts';
import { excerptOf } from './message.ts';

/**
 * The failure of a connection that was not let in: refused in so many words, closed, or left waiting.
 *
 * @param seen what came on the connection, and how it ended
 * @param timeoutMs how long it was waited
 */
export function joinFailure(
  opening: Opening,
  seen: { received: readonly { data: Buffer }[]; closed: Closed | null },
  timeoutMs: number,
): ConnectFailure {
  const { received, closed } = seen;
  const last = received.at(-1);
  const said = last ? `, ${opening.state === 'refused' ? '' : 'last '}${excerptOf(last.data)}` : '';
  const what = `the join waits for ${opening.waitsFor}`;
  const failure = (join: NonNullable<ConnectFailure['join']>, detail: string): ConnectFailure => ({
    kind: 'join',
    reached: true,
    join,
    message: describeCause({ kind: 'join', detail }),
  });
  if (opening.state === 'refused') return failure('refused', `${what} and was refused${said}`);
  if (closed) {
    return { ...failure('closed', `${what}; ${describeClosed(closed)}${said}`), closeCode: closed.code };
  }
  const { length } = received;
  const came = last ? `${length} other message${length === 1 ? '' : 's'} came${said}` : 'nothing came';
  return failure('silent', `${what}; ${came} in ${timeoutMs} ms`);
}
