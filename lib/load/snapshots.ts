// The state of a run, once a second, for whoever watches.
import { percentileUs } from '../metrics/histogram.ts';
import type { Phase, Snapshot } from '../result/events.ts';
import type { StressPlan } from './plan.ts';
import type { Recorder } from './recorder.ts';

const everyUs = 1e6;

/** Takes snapshots of a recorder; rates and times are those since the last one. */
export class Snapshots {
  readonly #plan: StressPlan;
  readonly #recorder: Recorder;
  #lastUs: number;
  #sent = 0;
  #received = 0;

  constructor(plan: StressPlan, recorder: Recorder, startUs: number) {
    this.#plan = plan;
    this.#recorder = recorder;
    this.#lastUs = startUs;
  }

  isDue(atUs: number): boolean {
    return atUs >= this.#lastUs + everyUs;
  }

  take(atUs: number, { phase, sinceUs }: { phase: Phase; sinceUs: number }, open: number): Snapshot {
    const seconds = (atUs - this.#lastUs) / 1e6;
    const { counters, recent, totalSent, totalReceived } = this.#recorder;
    const ms = (us: number | null): number | null => (us === null ? null : Math.round(us) / 1000);
    const snapshot: Snapshot = {
      phase,
      elapsedMs: Math.max(0, Math.round((atUs - sinceUs) / 1000)),
      plannedMs: this.#plannedMs(phase),
      connections: { asked: this.#plan.connections, open, failed: counters['connections.failed'] },
      sentPerSecond: (totalSent - this.#sent) / seconds,
      receivedPerSecond: (totalReceived - this.#received) / seconds,
      p50Ms: ms(percentileUs(recent, 50)),
      p99Ms: ms(percentileUs(recent, 99)),
      errors:
        counters['messages.lost'] +
        counters['messages.unsent'] +
        counters['messages.rejected'] +
        counters['messages.corrupt'],
    };
    recent.reset();
    this.#sent = totalSent;
    this.#received = totalReceived;
    this.#lastUs = atUs;
    return snapshot;
  }

  #plannedMs(phase: Phase): number {
    const { rampUpMs, settleMs, warmupMs, durationMs, timeoutMs } = this.#plan;
    return { connect: rampUpMs, settle: settleMs, warmup: warmupMs, measure: durationMs, drain: timeoutMs }[
      phase
    ];
  }
}
