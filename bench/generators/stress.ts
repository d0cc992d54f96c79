// wsbench in a process of its own, through its public face, with all that it measures.
import { type StressOptions, stress } from '../../lib/index.ts';
import { askedLoad, type GeneratorLoad } from './load.ts';

/** What wsbench says of the run, for what cannot be seen from outside. */
export interface StressSummary {
  outcome: string;
  reasons: string[];
  sendLagP99Ms: number | null;
  rttP50Ms: number | null;
  rttP99Ms: number | null;
  sent: number;
  matched: number;
  wrong: number;
}

const { url, connections, sizeBytes, depth, ratePerSecond, durationMs, driver } = askedLoad<
  GeneratorLoad & Pick<StressOptions, 'driver'>
>();
const { outcome, reasons, metrics, counters } = await stress(url, {
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
});
const summary: StressSummary = {
  outcome,
  reasons: reasons.map(({ message }) => message),
  sendLagP99Ms: metrics.send_lag.p99,
  rttP50Ms: metrics.rtt.p50,
  rttP99Ms: metrics.rtt.p99,
  sent: counters['messages.sent'],
  matched: counters['messages.matched'],
  wrong:
    counters['messages.corrupt'] +
    counters['messages.reordered'] +
    counters['messages.duplicate'] +
    counters['messages.unexpected'],
};
console.log(JSON.stringify(summary));
