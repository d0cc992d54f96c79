// rate-limit-reconnect: a new connection of the same subject goes on with the old one's budget and penalty.
import { performance } from 'node:perf_hooks';
import { type Check, failed, passed } from '../check.ts';
import { acceptedAt, type FiniteLimits, finiteLimits, fire, firstNotice, openForFlood } from '../flood.ts';

interface Evidence {
  limits: FiniteLimits;
  /** Accepted on both connections together, and the time from the first send to the last answer. */
  accepted: number;
  tookMs: number;
  /** True when the burst on the second connection was refused at some point. */
  refused: boolean;
  /** When a message on the third connection was accepted, relative to the violation on the second; null: refused. */
  thirdAcceptedMs: number | null;
}

export const rateLimitReconnect: Check<Evidence> = {
  id: 'rate-limit-reconnect',
  title: 'Reconnecting gains no budget',
  tags: ['quick'],
  needs: ['wsbench', 'mint', 'limits'],
  impact: 'burst',
  dependsOn: ['connect', 'echo', 'rate-limit-messages'],
  async run(context) {
    const limits = finiteLimits(context.facts.welcome?.limits);
    const first = await openForFlood(context, context.sub);
    const startMs = performance.now();
    const spent = fire(first, limits.burst);
    await first.waitFor(() => acceptedAt(first, spent.at(-1) ?? '') ?? undefined);
    await first.close();

    const second = await openForFlood(context, context.sub);
    const violatedMs = performance.now();
    const again = fire(second, limits.burst);
    await second.waitFor(() => acceptedAt(second, again.at(-1) ?? '') ?? undefined, 300);
    const refused = (await firstNotice(second, 1)) !== undefined;
    const tookMs = performance.now() - startMs;
    const accepted =
      spent.filter((id) => acceptedAt(first, id) !== null).length +
      again.filter((id) => acceptedAt(second, id) !== null).length;
    await second.close();

    const third = await openForFlood(context, context.sub);
    const [probe = ''] = fire(third, 1);
    await third.waitFor(
      () => acceptedAt(third, probe) ?? (third.envelopes.some(({ type }) => type === 'ERROR') || undefined),
      300,
    );
    const acceptedMs = acceptedAt(third, probe);
    return {
      limits,
      accepted,
      tookMs,
      refused,
      thirdAcceptedMs: acceptedMs === null ? null : acceptedMs - violatedMs,
    };
  },
  judge({ limits, accepted, tookMs, refused, thirdAcceptedMs }) {
    const most = Math.ceil(limits.burst + tookMs * limits.perMs);
    if (accepted > most) {
      return failed(`at most ${most} messages accepted over two connections of one subject`, `${accepted}`);
    }
    if (refused && thirdAcceptedMs !== null && thirdAcceptedMs < limits.penaltyMs) {
      return failed(
        'the penalty to hold on the next connection of the same subject',
        `a message accepted ${Math.round(thirdAcceptedMs)} ms after the violation`,
      );
    }
    const held = refused && thirdAcceptedMs === null ? '; the penalty held on a third' : '';
    return passed(`${accepted} accepted over two connections (burst ${limits.burst})${held}`);
  },
};
