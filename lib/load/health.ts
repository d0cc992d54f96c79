// The generator watches itself: a load tool that was too slow must say so instead of blaming the target.
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { type Histogram, percentileUs } from '../metrics/histogram.ts';
import type { DelayStats, GeneratorRecord } from '../result/result.ts';
import { CpuMeter } from './cpu-meter.ts';
import { type GeneratorMeans, healthAdvice } from './health-advice.ts';

/** What was sampled of the generator over the measure phase. Times in ms. */
export interface HealthSample {
  model: 'open' | 'closed';
  loopDelay: DelayStats;
  /** What of it is judged; null: too few samples. */
  loopDelayTail: Tail | null;
  /** 1 = one core. */
  cpu: number;
  gc: { count: number; totalMs: number; maxMs: number };
  /** What is judged of send lag; null in the closed model, or when too little was sent. */
  sendLagTail: Tail | null;
  /** 99th percentile of the round trips that ended; null when none did. */
  rttP99: number | null;
  /** Share of sent messages that waited more than 50 ms for the generator, 0–1. */
  waitedLong: number;
}

/** The late end of a distribution: its 99th percentile, or with few samples the third-largest. */
export interface Tail {
  ms: number;
  name: 'p99' | 'third-largest';
}

// Below 200 samples a 99th percentile is the largest or the second-largest: one hiccup of the machine, which says nothing
// of how the generator keeps up, would condemn a short run. Three that are late are no accident, and from 200 on this is
// the 99th percentile itself. A long hiccup is still told by the share of messages that waited over 50 ms.
const samplesOfP99 = 200;
const leastLate = 3;

function tailOf(count: number, atPercentile: (percentile: number) => number): Tail | null {
  if (count < leastLate) return null;
  if (count >= samplesOfP99) return { ms: atPercentile(99), name: 'p99' };
  return { ms: atPercentile((100 * (count - leastLate + 1)) / count), name: 'third-largest' };
}

/** What of send lag is judged. */
export function sendLagTail(lag: Histogram): Tail | null {
  return tailOf(lag.count, (percentile) => (percentileUs(lag, percentile) ?? 0) / 1000);
}

const leastLimitMs = 5;
const shareOfRtt = 0.1;
const mostWaitedLong = 0.01;
const fullCpu = 0.95;

/**
 * Judges whether the generator was the bottleneck. Pure.
 *
 * Open model: the 99th percentile of send lag ({@link Tail}) is above max(5 ms, 10 % of rtt.p99), or more than 1 % of
 * the messages waited more than 50 ms. Closed model: the same limit for its event-loop delay; a full CPU alone only makes the
 * throughput a lower bound, because each message still leaves when the reply before it was seen.
 */
export function judgeHealth(sample: HealthSample, means: GeneratorMeans): GeneratorRecord {
  const limitMs = Math.max(leastLimitMs, shareOfRtt * (sample.rttP99 ?? 0));
  const isLate = (tail: Tail | null): tail is Tail => tail !== null && tail.ms > limitMs;
  const reasons: string[] = [];
  if (sample.model === 'open') {
    if (isLate(sample.sendLagTail)) reasons.push(late('send lag', sample.sendLagTail, limitMs));
    if (sample.waitedLong > mostWaitedLong) {
      reasons.push(
        `${round(100 * sample.waitedLong)} % of the messages waited more than 50 ms for the generator`,
      );
    }
  } else if (isLate(sample.loopDelayTail)) {
    reasons.push(late('event-loop delay', sample.loopDelayTail, limitMs));
  }
  const limited = reasons.length > 0;
  const isFull = sample.cpu >= fullCpu;
  return {
    limited,
    reasons,
    advice: limited ? healthAdvice({ model: sample.model, isFull, longestGcMs: sample.gc.maxMs }, means) : [],
    throughputIsLowerBound: sample.model === 'closed' && isFull,
    workers: means.workers,
    loopDelay: sample.loopDelay,
    cpu: sample.cpu,
    gc: sample.gc,
    waitedLong: sample.waitedLong,
    ...(means.throttled === null ? {} : { throttled: means.throttled }),
  };
}

function late(what: string, { ms, name }: Tail, limitMs: number): string {
  return `${what} ${name} ${round(ms)} ms, more than ${round(limitMs)} ms`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const resolutionMs = 10;

/** What a {@link HealthProbe} saw. */
export interface ProbeSample extends Pick<HealthSample, 'loopDelay' | 'loopDelayTail' | 'cpu' | 'gc'> {
  /** The most of its heap that was in use when it was looked at. */
  heapBytes: number;
}

/** Samples event-loop delay, CPU and garbage collection between {@link start} and {@link stop}. */
export class HealthProbe {
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #gc = { count: 0, totalMs: 0, maxMs: 0 };
  readonly #observer = new PerformanceObserver((list) => this.#collected(list.getEntries()));
  readonly #cpu: CpuMeter;
  #startedMs = Number.POSITIVE_INFINITY;
  #collecting = false;
  #heapBytes = 0;

  /** @param isAlone the engine has the process for itself */
  constructor(isAlone: boolean) {
    this.#cpu = new CpuMeter(isAlone);
  }

  start(): void {
    this.#observer.observe({ entryTypes: ['gc'] });
    this.#collecting = true;
    this.#delay.enable();
    this.#cpu.start();
    this.#startedMs = performance.now();
  }

  /** Ends the sampling; may be called again. */
  stop(): void {
    this.#delay.disable();
    if (!this.#collecting) return;
    this.#observer.disconnect();
    this.#collecting = false;
  }

  /** What was seen since {@link start}. */
  sample(): ProbeSample {
    if (this.#collecting) this.#collected(this.#observer.takeRecords());
    this.#heapBytes = Math.max(this.#heapBytes, getHeapStatistics().used_heap_size);
    // The monitor records the time between two firings of its timer, the interval included; its clock has whole
    // milliseconds, so that an idle loop shows one interval more or less one.
    const own = (ns: number): number => Math.max(0, Math.round((ns / 1e6 - resolutionMs) * 1000) / 1000);
    const seen = this.#delay.count > 0;
    return {
      loopDelay: seen
        ? {
            mean: own(this.#delay.mean),
            p50: own(this.#delay.percentile(50)),
            p99: own(this.#delay.percentile(99)),
            max: own(this.#delay.max),
          }
        : { mean: 0, p50: 0, p99: 0, max: 0 },
      loopDelayTail: tailOf(this.#delay.count, (percentile) => own(this.#delay.percentile(percentile))),
      cpu: this.#cpu.read(),
      gc: { ...this.#gc },
      heapBytes: this.#heapBytes,
    };
  }

  #collected(
    entries: readonly { entryType: string; startTime: number; duration: number; detail?: unknown }[],
  ): void {
    for (const { startTime, duration, detail } of entries) {
      // Weak-callback passes are counted with the collection that they follow.
      const kind = (detail as { kind?: number } | undefined)?.kind;
      if (startTime < this.#startedMs || kind === constants.NODE_PERFORMANCE_GC_WEAKCB) continue;
      this.#gc.count++;
      this.#gc.totalMs += duration;
      this.#gc.maxMs = Math.max(this.#gc.maxMs, duration);
    }
  }
}
