// From what engines counted of losses and returns to what a result says of it. Pure.
import { Histogram, timeStats } from '../../metrics/histogram.ts';
import type { RecoveryRecord } from '../../result/result.ts';
import type { PlanFacts } from '../plan-facts.ts';
import type { Share } from '../share.ts';
import { binUs, type RecoveryData } from './recovery-data.ts';

/** What of a plan matters to it. */
export type RecoveryPlan = Pick<PlanFacts, 'mostConnections' | 'reconnect' | 'storm'>;

const perSecond = 1e6 / binUs;

/** How the connections of a run came back; undefined: nobody asked them to. */
export function recoveryRecord(
  plan: RecoveryPlan,
  { recovery: data, startUs, unsentReasons }: Pick<Share, 'recovery' | 'startUs' | 'unsentReasons'>,
): RecoveryRecord | undefined {
  const { reconnect: policy, storm } = plan;
  if (policy === undefined || data === null) return undefined;
  const { lost, returned, away, attempts, mostAttempts, windows, bins } = data;
  const gap = new Histogram();
  gap.addData(data.gap);
  const hasBegun = Number.isFinite(startUs);
  return {
    policy,
    ...(storm
      ? {
          storm: {
            by: storm.drop === null ? 'server' : 'client',
            drop: storm.drop,
            atMs: lost > 0 && hasBegun ? round((data.firstLostUs - startUs) / 1000) : null,
          },
        }
      : {}),
    connections: plan.mostConnections,
    lost,
    returned,
    missing: away,
    attempts: { total: attempts, mean: lost > 0 ? round(attempts / lost) : null, max: mostAttempts },
    connects: connectsOf(data),
    time: storm ? timeStats(stormTimes(data), away) : timeStats(gap, away),
    gap: timeStats(gap, away),
    windows: {
      given: windows.given,
      early: windows.early,
      late: windows.late,
      minMs: windows.given > 0 ? windows.minMs : null,
      maxMs: windows.given > 0 ? windows.maxMs : null,
    },
    messages: { inFlight: data.inFlight, unsent: unsentReasons.get('connection not open') ?? 0 },
    closes: [...data.closes].sort((a, b) => b.count - a.count),
    series: bins.map(({ bin, ...counts }) => ({ atMs: (bin * binUs) / 1000, ...counts })),
  };
}

/** From the first loss of all until each connection was back for good. */
function stormTimes({ backUs, firstLostUs }: RecoveryData): Histogram {
  const times = new Histogram();
  for (const atUs of backUs) times.record(Math.max(1, atUs - firstLostUs));
  return times;
}

function connectsOf({ bins, attempts }: RecoveryData): RecoveryRecord['connects'] {
  const busy = bins.filter((bin) => bin.attempts > 0);
  const [first, last] = [busy[0], busy.at(-1)];
  const peak = busy.reduce((most, bin) => Math.max(most, bin.attempts), 0);
  if (!first || !last) return { peakPerSecond: 0, meanPerSecond: null };
  return {
    peakPerSecond: peak * perSecond,
    meanPerSecond: round((attempts * perSecond) / (last.bin - first.bin + 1)),
  };
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
