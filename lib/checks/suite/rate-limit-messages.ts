// rate-limit-messages: on the reference protocol exactly the announced burst is accepted, the penalty is as long as announced, then all is well again.
import { performance } from 'node:perf_hooks';
import { formatDuration } from '../../duration.ts';
import { limitsOff } from '../capabilities.ts';
import { type Check, type Finding, failed, passed } from '../check.ts';
import type { Context } from '../context.ts';
import { otherTarget } from '../described.ts';
import { burstAgainst, type DescribedBurst, judgeBurst, tooManyToTry } from '../described-rate.ts';
import {
  acceptedAt,
  type FiniteLimits,
  finiteLimits,
  fire,
  firstNotice,
  type Notice,
  notices,
  openForFlood,
  tooLongToWait,
} from '../flood.ts';

interface Evidence {
  limits: FiniteLimits;
  /** Of the burst: messages sent and accepted, and the time from the first send to the first refusal. */
  burst: { sent: number; accepted: number; tookMs: number };
  /** Every ERROR RATE_LIMITED, relative to the start of the burst. */
  notices: Notice[];
  /** Probes during the penalty: when they were accepted, relative to the start of the burst; null: refused. */
  probes: { sentMs: number; acceptedMs: number | null }[];
  /** The message after the penalty: whether it was accepted. */
  after: boolean;
  closeCode: number | null;
}

/** Messages beyond the burst: enough to notice a bucket that is too large, too few to be closed. */
const excess = 5;
/** How often the burst is tried again when the machine was too slow for an exact count. */
const attempts = 4;
/** Notices are a second apart at the server; on the way here they may move together. */
const noticeGapMs = 700;

export const rateLimitMessages: Check<Evidence | DescribedBurst> = {
  id: 'rate-limit-messages',
  title: 'Rate limit on messages, as announced',
  tags: ['quick'],
  needs: ['rate'],
  impact: 'burst',
  dependsOn: ['connect', 'echo', 'request'],
  deadlineMs: (facts) =>
    attempts * (facts.timeoutMs + 2 * finiteLimits(facts.welcome?.limits).penaltyMs) + 5000,
  skipIf: (facts) => {
    const target = otherTarget(facts);
    if (target) return tooManyToTry(target.limits.messages);
    return limitsOff(facts) ?? tooLongToWait('rate-limit-messages', facts.welcome?.limits, facts.asked);
  },
  async run(context) {
    const target = otherTarget(context.facts);
    if (target) return burstAgainst(context, target);
    for (let attempt = 1; ; attempt++) {
      const evidence = await measure(context, `${context.sub}-${attempt}`);
      const { burst, limits } = evidence;
      if (burst.tookMs * limits.perMs < 1 || attempt === attempts) return evidence;
    }
  },
  judge: (evidence) => ('perSecond' in evidence ? judgeBurst(evidence) : judgeAnnounced(evidence)),
};

function judgeAnnounced({ limits, burst, notices: told, probes, after, closeCode }: Evidence): Finding {
  // Refill goes on while the burst is on its way.
  const most = limits.burst + Math.floor(burst.tookMs * limits.perMs);
  const expected = `${limits.burst} messages at once accepted, then ERROR RATE_LIMITED`;
  if (burst.accepted < limits.burst || burst.accepted > most) {
    return failed(expected, `${burst.accepted} of ${burst.sent} accepted`);
  }
  const [first] = told;
  if (!first) return failed(expected, closeCode === null ? 'no ERROR' : `close code ${closeCode}`);
  const retryAfterMs = first.retryAfterMs ?? Number.NaN;
  if (!(retryAfterMs <= limits.penaltyMs + 1 && retryAfterMs >= limits.penaltyMs * 0.9)) {
    return failed(`retryAfterMs about ${limits.penaltyMs}, the announced penalty`, String(retryAfterMs));
  }
  const early = probes.find(({ acceptedMs }) => acceptedMs !== null && acceptedMs < limits.penaltyMs);
  if (early) {
    return failed(
      `nothing accepted for ${formatDuration(limits.penaltyMs)}`,
      `a message accepted after ${formatDuration(early.acceptedMs ?? 0)}`,
    );
  }
  const crowded = told.some(
    ({ atMs }, index) => index > 0 && atMs - (told[index - 1]?.atMs ?? 0) < noticeGapMs,
  );
  if (crowded) {
    return failed('at most one ERROR RATE_LIMITED a second', `${told.length} within the penalty`);
  }
  if (!after) {
    return failed(
      `messages accepted again after ${formatDuration(limits.penaltyMs)}, whatever was refused meanwhile`,
      closeCode === null ? 'still refused' : `close code ${closeCode}`,
    );
  }
  return passed(
    `${burst.accepted} of ${burst.sent} accepted, penalty of ${formatDuration(limits.penaltyMs)} kept and not extended`,
  );
}

async function measure(context: Context, sub: string): Promise<Evidence> {
  const limits = finiteLimits(context.facts.welcome?.limits);
  const connection = await openForFlood(context, sub);
  const startMs = performance.now();
  const sent = limits.burst + excess;
  const burstIds = fire(connection, sent);
  const notice = await firstNotice(connection);
  const tookMs = performance.now() - startMs;
  const fired: { id: string; sentMs: number }[] = [];
  for (const share of [0.3, 0.6, 0.85]) {
    await context.sleep(startMs + limits.penaltyMs * share - performance.now());
    const sentMs = performance.now() - startMs;
    fired.push(...fire(connection, 2).map((id) => ({ id, sentMs })));
  }
  // The penalty began before its notice arrived, so by then it is over for certain.
  await context.sleep((notice?.atMs ?? startMs) + limits.penaltyMs + 20 - performance.now());
  const [afterId = ''] = fire(connection, 1);
  await connection.waitFor(
    () => acceptedAt(connection, afterId) ?? undefined,
    Math.min(1000, context.timeoutMs),
  );
  const relative = (atMs: number | null): number | null => (atMs === null ? null : atMs - startMs);
  return {
    limits,
    burst: {
      sent,
      accepted: burstIds.filter((id) => acceptedAt(connection, id) !== null).length,
      tookMs,
    },
    notices: notices(connection).map(({ atMs, retryAfterMs }) => ({ atMs: atMs - startMs, retryAfterMs })),
    probes: fired.map(({ id, sentMs }) => ({ sentMs, acceptedMs: relative(acceptedAt(connection, id)) })),
    after: acceptedAt(connection, afterId) !== null,
    closeCode: connection.closed?.code ?? null,
  };
}
