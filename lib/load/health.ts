// The generator watches itself: a load tool that was too slow must say so instead of blaming the target.
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import type { DelayStats, GeneratorRecord } from '../result/result.ts';

/** What was sampled of the generator over the measure phase. Times in ms. */
export interface HealthSample {
  model: 'open' | 'closed';
  loopDelay: DelayStats;
  /** 1 = one core. */
  cpu: number;
  gc: { count: number; totalMs: number; maxMs: number };
  /** 99th percentile of send lag; null in the closed model, or when nothing was sent. */
  sendLagP99: number | null;
  /** 99th percentile of the round trips that ended; null when none did. */
  rttP99: number | null;
  /** Share of sent messages that waited more than 50 ms for the generator, 0–1. */
  waitedLong: number;
}

const leastLimitMs = 5;
const shareOfRtt = 0.1;
const mostWaitedLong = 0.01;
const fullCpu = 0.95;

/**
 * Judges whether the generator was the bottleneck. Pure.
 *
 * Open model: the 99th percentile of send lag is above max(5 ms, 10 % of rtt.p99), or more than 1 % of the messages
 * waited more than 50 ms. Closed model: the same limit for its event-loop delay; a full CPU alone only makes the
 * throughput a lower bound, because each message still leaves when the reply before it was seen.
 */
export function judgeHealth(sample: HealthSample): GeneratorRecord {
  const limitMs = Math.max(leastLimitMs, shareOfRtt * (sample.rttP99 ?? 0));
  const reasons: string[] = [];
  if (sample.model === 'open') {
    if (sample.sendLagP99 !== null && sample.sendLagP99 > limitMs) {
      reasons.push(`send lag p99 ${round(sample.sendLagP99)} ms, more than ${round(limitMs)} ms`);
    }
    if (sample.waitedLong > mostWaitedLong) {
      reasons.push(
        `${round(100 * sample.waitedLong)} % of the messages waited more than 50 ms for the generator`,
      );
    }
  } else if (sample.loopDelay.p99 > limitMs) {
    reasons.push(`event-loop delay p99 ${round(sample.loopDelay.p99)} ms, more than ${round(limitMs)} ms`);
  }
  const limited = reasons.length > 0;
  const isFull = sample.cpu >= fullCpu;
  return {
    limited,
    reasons,
    advice: limited ? advice(sample, isFull) : [],
    throughputIsLowerBound: sample.model === 'closed' && isFull,
    workers: 1,
    loopDelay: sample.loopDelay,
    cpu: sample.cpu,
    gc: sample.gc,
    waitedLong: sample.waitedLong,
  };
}

function advice(sample: HealthSample, isFull: boolean): string[] {
  const lines: string[] = [];
  if (isFull) {
    lines.push(
      sample.model === 'open'
        ? `one core is full: ask for a lower rate, smaller messages or fewer connections`
        : `one core is full: use fewer connections or a smaller depth`,
    );
  } else {
    lines.push(
      'something else held up this process or this machine: stop other work on it, or use another one',
    );
  }
  if (sample.gc.maxMs > 50) {
    lines.push(`garbage collection paused it for up to ${round(sample.gc.maxMs)} ms: give Node more memory`);
  }
  return lines;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const resolutionMs = 10;

/** Samples event-loop delay, CPU and garbage collection between {@link start} and {@link stop}. */
export class HealthProbe {
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #gc = { count: 0, totalMs: 0, maxMs: 0 };
  readonly #observer = new PerformanceObserver((list) => this.#collected(list.getEntries()));
  #cpu = process.cpuUsage();
  #startMs = 0;
  #startedAt = 0;
  #collecting = false;

  start(): void {
    this.#observer.observe({ entryTypes: ['gc'] });
    this.#collecting = true;
    this.#delay.enable();
    this.#cpu = process.cpuUsage();
    this.#startMs = performance.now();
    this.#startedAt = this.#startMs;
  }

  /** Ends the sampling and returns what was seen; may be called again without effect on the machine. */
  stop(): Pick<HealthSample, 'loopDelay' | 'cpu' | 'gc'> {
    const elapsedMs = performance.now() - this.#startMs;
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#delay.disable();
    if (this.#collecting) {
      this.#collected(this.#observer.takeRecords());
      this.#observer.disconnect();
      this.#collecting = false;
    }
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
      cpu: elapsedMs > 0 ? (user + system) / 1000 / elapsedMs : 0,
      gc: { ...this.#gc },
    };
  }

  #collected(
    entries: readonly { entryType: string; startTime: number; duration: number; detail?: unknown }[],
  ): void {
    for (const { startTime, duration, detail } of entries) {
      // Weak-callback passes are counted with the collection that they follow.
      const kind = (detail as { kind?: number } | undefined)?.kind;
      if (startTime < this.#startedAt || kind === constants.NODE_PERFORMANCE_GC_WEAKCB) continue;
      this.#gc.count++;
      this.#gc.totalMs += duration;
      this.#gc.maxMs = Math.max(this.#gc.maxMs, duration);
    }
  }
}
