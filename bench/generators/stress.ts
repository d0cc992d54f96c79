// wsbench in a process of its own, through its public face, with all that it measures.
import { type StressOptions, stress } from '../../lib/index.ts';
import { askedLoad, type GeneratorLoad } from './load.ts';

/** What wsbench says of the run, for what cannot be seen from outside. */
export interface StressSummary {
  /** The generator was the bottleneck, by its own judgement, and why. */
  limited: boolean;
  reasons: string[];
  sendLagP99Ms: number | null;
  rttP50Ms: number | null;
  rttP99Ms: number | null;
  /** Messages that were sent and not matched: lost, rejected, or under way when the run was ended. */
  unmatched: number;
  wrong: number;
}

const { url, connections, sizeBytes, depth, ratePerSecond, durationMs, driver } = askedLoad<
  GeneratorLoad & Pick<StressOptions, 'driver'>
>();
// It is looked at for as long as it takes, and then told to end.
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort('SIGTERM'));
const options: StressOptions = {
  preset: 'echo',
  connections,
  sizeBytes,
  durationMs,
  defaultThresholds: false,
  thresholds: [],
  ...(driver === undefined ? {} : { driver }),
  ...(ratePerSecond === undefined
    ? { model: 'closed', depth: depth ?? 1 }
    : { model: 'open', ratePerSecond }),
};
const { generator, metrics, counters } = await stress(url, options, { signal: stop.signal });
const summary: StressSummary = {
  limited: generator.limited,
  reasons: generator.reasons,
  sendLagP99Ms: metrics.send_lag.p99,
  rttP50Ms: metrics.rtt.p50,
  rttP99Ms: metrics.rtt.p99,
  unmatched: counters['messages.sent'] - counters['messages.matched'],
  wrong:
    counters['messages.corrupt'] +
    counters['messages.reordered'] +
    counters['messages.duplicate'] +
    counters['messages.unexpected'],
};
console.log(JSON.stringify(summary));
