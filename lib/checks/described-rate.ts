// What becomes of more messages at once than a target's description allows: for the check of limits on messages.

import type { Target } from '../target/target.ts';
import { Asker } from './asker.ts';
import { type Finding, failed, passed } from './check.ts';
import { describeClosed } from './closed.ts';
import type { Context } from './context.ts';

/** What came of the burst. */
export interface DescribedBurst {
  /** Messages a second that the description allows. */
  perSecond: number;
  sent: number;
  /** Answered without a refusal; null: the target does not reply. */
  accepted: number | null;
  refused: number;
  /** Code of the first refusal. */
  code: string | null;
  closed: { code: number; reason: string } | null;
}

/** Messages at once, in units of the limit. */
const times = 3;
const mostMessages = 10_000;
/** Refusals of some may follow the answers to others. */
const settleMs = 100;

/** Why the limit that a description names is not tried. */
export function tooManyToTry(perSecond: number | undefined): string | undefined {
  return perSecond !== undefined && perSecond * times > mostMessages
    ? `limits.messages allows ${perSecond} a second: too many to try`
    : undefined;
}

/** Sends three times as many messages as are allowed a second, at once. */
export async function burstAgainst(context: Context, target: Target): Promise<DescribedBurst> {
  const perSecond = target.limits.messages ?? 0;
  const connection = await context.connect();
  const asker = new Asker(context, connection, target);
  const sent = Math.ceil(perSecond * times);
  await asker.ask(sent, { paced: false });
  await asker.settle(settleMs);
  const { book } = asker;
  const codes = [book.looseRefusal, ...book.sent.map(({ refusal }) => refusal)].filter(
    (code) => code !== null,
  );
  const repliesAreTold = target.match.by !== 'pong';
  return {
    perSecond,
    sent,
    accepted: repliesAreTold ? book.sent.filter(({ replies }) => replies > 0).length : null,
    refused: codes.length,
    code: codes[0] ?? null,
    closed: connection.closed && { code: connection.closed.code, reason: connection.closed.reason },
  };
}

/** Judges the burst: it must be refused in so many words, or end the connection. */
export function judgeBurst({ perSecond, sent, accepted, refused, code, closed }: DescribedBurst): Finding {
  const expected = `a typed refusal or a close code after ${sent} messages at once (${perSecond} a second are allowed)`;
  if (refused > 0)
    return passed(`${refused === 1 ? 'refused' : `${refused} refused`} of ${sent} at once: ${code}`);
  if (closed) {
    const said = describeClosed(closed);
    // A crash and a cut line are no refusal.
    return closed.code === 1006 || closed.code === 1011
      ? failed(expected, said)
      : passed(`${sent} at once: ${said}`);
  }
  if (accepted === null) return failed(expected, `all ${sent} messages were taken without a word`);
  return failed(
    expected,
    accepted === sent
      ? `all ${sent} messages were accepted`
      : `${accepted} were answered, ${sent - accepted} were dropped without a word`,
  );
}
