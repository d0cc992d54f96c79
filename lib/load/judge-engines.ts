// Whether the generator was the bottleneck: each of its engines by itself, and all together.
import { Histogram, timeStats } from '../metrics/histogram.ts';
import type { DelayStats, GeneratorRecord, WorkerHealth } from '../result/result.ts';
import { type HealthSample, judgeHealth, sendLagTail } from './health.ts';
import type { GeneratorMeans } from './health-advice.ts';
import { mergeHistograms } from './merge.ts';
import type { EngineHealth } from './share.ts';

/** What is said of a generator that measured nothing. */
const idle: Omit<HealthSample, 'model' | 'rttP99'> = {
  loopDelay: { mean: 0, p50: 0, p99: 0, max: 0 },
  loopDelayTail: null,
  cpu: 0,
  gc: { count: 0, totalMs: 0, maxMs: 0 },
  sendLagTail: null,
  waitedLong: 0,
};

/**
 * Judges the engines of a run. It is limited when one of them is, or all together are: a quarter of the messages that are
 * late are not made good by three that are not. Pure.
 *
 * @param means what they had to work with; its workers are all that there were, with those that are lost before they measured
 *   anything
 * @param rttP99 99th percentile of the round trips of all that ended, in ms
 */
export function judgeEngines(
  model: HealthSample['model'],
  engines: readonly EngineHealth[],
  means: GeneratorMeans,
  rttP99: number | null,
): GeneratorRecord {
  const samples = engines.map((engine) => sampleOf([engine]));
  const perWorker = engines.map((engine) => healthOf(engine));
  const [only = idle] = samples;
  if (engines.length <= 1) return { ...judgeHealth({ ...only, model, rttP99 }, means), perWorker };
  const judged = samples.map((sample) => judgeHealth({ ...sample, model, rttP99 }, means));
  const all = sampleOf(engines);
  const together = judgeHealth({ ...all, model, rttP99 }, means);
  const limited = judged.filter((one) => one.limited);
  const reasons = judged.flatMap((one, at) =>
    one.reasons.map((reason) => `worker ${(engines[at]?.worker ?? 0) + 1}: ${reason}`),
  );
  return {
    ...together,
    limited: limited.length > 0 || together.limited,
    reasons: reasons.length > 0 ? reasons : together.reasons,
    advice: [...new Set((limited.length > 0 ? limited : [together]).flatMap(({ advice }) => advice))],
    throughputIsLowerBound: judged.some((one) => one.throughputIsLowerBound),
    perWorker,
    cpu: engines.reduce((sum, { cpu }) => sum + cpu, 0),
  };
}

/** What is judged of engines: their messages together, and of what each has for itself the worst. */
function sampleOf(engines: readonly EngineHealth[]): Omit<HealthSample, 'model' | 'rttP99'> {
  const lag = new Histogram();
  lag.addData(mergeHistograms(engines.map(({ sendLag }) => sendLag)));
  const sent = engines.reduce((sum, one) => sum + one.sent, 0);
  const waited = engines.reduce((sum, one) => sum + one.waitedLong, 0);
  const [worst] = [...engines].sort((a, b) => (b.loopDelayTail?.ms ?? 0) - (a.loopDelayTail?.ms ?? 0));
  return {
    loopDelay: worstDelay(engines.map(({ loopDelay }) => loopDelay)),
    loopDelayTail: worst?.loopDelayTail ?? null,
    cpu: Math.max(...engines.map(({ cpu }) => cpu)),
    gc: {
      count: engines.reduce((sum, { gc }) => sum + gc.count, 0),
      totalMs: engines.reduce((sum, { gc }) => sum + gc.totalMs, 0),
      maxMs: Math.max(...engines.map(({ gc }) => gc.maxMs)),
    },
    sendLagTail: sendLagTail(lag),
    waitedLong: sent > 0 ? waited / sent : 0,
  };
}

function healthOf({ worker, loopDelay, cpu, gc, sendLag, heapBytes }: EngineHealth): WorkerHealth {
  const lag = new Histogram();
  lag.addData(sendLag);
  const { p99: sendLagP99 } = timeStats(lag, 0, false);
  return { worker: worker + 1, loopDelay, cpu, gc, sendLagP99, heapBytes };
}

function worstDelay(delays: readonly DelayStats[]): DelayStats {
  const most = (of: keyof DelayStats): number => Math.max(...delays.map((delay) => delay[of]));
  return { mean: most('mean'), p50: most('p50'), p99: most('p99'), max: most('max') };
}
