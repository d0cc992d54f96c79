// How the generators of several shards fared, as one.
import type { DelayStats, GeneratorRecord, StressResult, WorkerHealth } from './result.ts';

/**
 * The generators of all shards. Each was judged where it ran, by what it had to measure: one that was too slow limits the
 * whole. Of what each has for itself the worst counts, as among the workers of one run.
 */
export function mergeGenerators(results: readonly StressResult[]): GeneratorRecord {
  const all = results.map(({ generator }) => generator);
  const before = (at: number): number => all.slice(0, at).reduce((sum, { workers }) => sum + workers, 0);
  const reasons = all.flatMap((one, at) =>
    one.reasons.map((reason) => {
      const [, own, what = ''] = /^worker (\d+): (.*)$/s.exec(reason) ?? [undefined, '1', reason];
      return `worker ${before(at) + Number(own)}: ${what}`;
    }),
  );
  const sent = results.map(({ counters }) => counters['messages.sent']);
  const allSent = sent.reduce((sum, one) => sum + one, 0);
  const waited = all.reduce((sum, one, at) => sum + one.waitedLong * (sent[at] ?? 0), 0);
  const throttled = all.flatMap((one) => one.throttled ?? []);
  return {
    limited: all.some((one) => one.limited),
    reasons,
    advice: [...new Set(all.flatMap(({ advice }) => advice))],
    throughputIsLowerBound: all.some((one) => one.throughputIsLowerBound),
    workers: before(all.length),
    ...perWorker(all, before),
    loopDelay: worstDelay(all.map(({ loopDelay }) => loopDelay)),
    cpu: all.reduce((sum, { cpu }) => sum + cpu, 0),
    gc: {
      count: all.reduce((sum, { gc }) => sum + gc.count, 0),
      totalMs: all.reduce((sum, { gc }) => sum + gc.totalMs, 0),
      maxMs: Math.max(...all.map(({ gc }) => gc.maxMs)),
    },
    waitedLong: allSent > 0 ? waited / allSent : 0,
    ...(throttled.length > 0
      ? {
          throttled: {
            ms: throttled.reduce((sum, { ms }) => sum + ms, 0),
            periods: throttled.reduce((sum, { periods }) => sum + periods, 0),
          },
        }
      : {}),
  };
}

/** Numbered through all shards; a worker that was lost before it measured leaves its number out. */
function perWorker(
  all: readonly GeneratorRecord[],
  before: (at: number) => number,
): { perWorker?: WorkerHealth[] } {
  const workers = all.map((one) => one.perWorker);
  if (workers.some((some) => some === undefined)) return {};
  return {
    perWorker: workers.flatMap((some = [], at) =>
      some.map((health) => ({ ...health, worker: before(at) + health.worker })),
    ),
  };
}

function worstDelay(delays: readonly DelayStats[]): DelayStats {
  const most = (of: keyof DelayStats): number => Math.max(...delays.map((delay) => delay[of]));
  return { mean: most('mean'), p50: most('p50'), p99: most('p99'), max: most('max') };
}
