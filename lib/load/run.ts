// A stress run from its first connection to its result: the phases connect, settle, warm-up, measure and drain.
import { randomBytes } from 'node:crypto';
import { messageOf } from '../errors.ts';
import type { Phase, RunEvent } from '../result/events.ts';
import { redactText } from '../result/redact.ts';
import type { Phases, Reason, StressResult, Warning } from '../result/result.ts';
import { Backlog } from './backlog.ts';
import { Channel } from './channel.ts';
import { nowUs } from './clock.ts';
import { connectSpec } from './connect-spec.ts';
import { Correlator } from './correlation.ts';
import type { Driver } from './drivers/driver.ts';
import { createWsDriver } from './drivers/ws.ts';
import { ClosedExecutor } from './executors/closed.ts';
import type { Executor } from './executors/executor.ts';
import { OpenExecutor } from './executors/open.ts';
import { Fleet } from './fleet.ts';
import { HealthProbe, type HealthSample } from './health.ts';
import { kinds, Ledger } from './ledger.ts';
import { renderMessage } from './message.ts';
import { pacerOf } from './pacer.ts';
import type { StressPlan } from './plan.ts';
import { Recorder } from './recorder.ts';
import { Snapshots } from './snapshots.ts';
import { stressResult } from './stress-result.ts';
import { Ticker } from './ticker.ts';
import { Traffic } from './traffic.ts';

const interruptedDrainUs = 5e6;
const closeWaitUs = 2.5e6;
const startEntries = 2 ** 16;
const mostEntries = 2 ** 22;

/**
 * Runs a stress plan. Never throws for what the target does: that is in the result.
 *
 * @param signal stops the run early: it drains for 5 s at most. Its reason may be `SIGINT` or `SIGTERM`
 * @param driver carries the messages; the ws package by default
 */
export async function* runStress(
  plan: StressPlan,
  signal: AbortSignal,
  driver: Driver = createWsDriver(),
): AsyncGenerator<RunEvent, StressResult, void> {
  const run = new StressRun(plan, signal, driver);
  const result = run.drive();
  try {
    yield* run.events.read();
    return await result;
  } finally {
    // Only when the reader left early is there anything left to end.
    run.abandon();
    await result;
  }
}

class StressRun {
  /** A slow reader gets the newest of the intervals, and everything else. */
  readonly events = new Channel<RunEvent>((items, next) => {
    if (next.type === 'interval' && items.at(-1)?.type === 'interval') items.pop();
    items.push(next);
  });

  readonly #plan: StressPlan;
  readonly #signal: AbortSignal;
  readonly #startedAt = new Date();
  readonly #startedUs = nowUs();
  readonly #recorder: Recorder;
  readonly #ledger: Ledger;
  readonly #traffic: Traffic;
  readonly #fleet: Fleet;
  readonly #snapshots: Snapshots;
  readonly #health = new HealthProbe();
  readonly #ticker = new Ticker((atUs) => this.#tick(atUs));
  readonly #warnings: Warning[] = [];
  readonly #reasons: Reason[] = [];
  readonly #onAbort = (): void => this.#stop(nowUs());
  readonly #phases: Phases = { connectMs: 0, settleMs: 0, warmupMs: 0, measureMs: 0, drainMs: 0 };

  #phase: Phase = 'connect';
  #phaseUs = this.#startedUs;
  #executors: Executor[] = [];
  #executor: Executor | undefined;
  #backlog: Backlog | undefined;
  #backlogEnd: number | null = null;
  #sample: Pick<HealthSample, 'loopDelay' | 'cpu' | 'gc'> | undefined;
  #measured = false;
  #stoppedUs = Number.POSITIVE_INFINITY;
  #abandoned = false;
  #finished = false;

  constructor(plan: StressPlan, signal: AbortSignal, driver: Driver) {
    this.#plan = plan;
    this.#signal = signal;
    const message = renderMessage(plan, randomBytes(4).toString('hex'));
    for (const warning of message.warnings) this.#warn(warning);
    this.#recorder = new Recorder(plan.durationMs * 1000);
    this.#snapshots = new Snapshots(plan, this.#recorder, this.#startedUs);
    this.#ledger = new Ledger({
      connections: plan.connections,
      timeoutUs: plan.timeoutMs * 1000,
      inOrder: message.by === 'order',
      entries: ringEntries(plan),
      maxEntries: mostEntries,
    });
    const { match, error, push, echoes } = plan.target;
    this.#traffic = new Traffic({
      template: message.template,
      correlator: new Correlator({
        ...message,
        pointer: match.by === 'id' ? match.pointer : undefined,
        error,
        push,
      }),
      ledger: this.#ledger,
      recorder: this.#recorder,
      echoes,
      dueWhenSent: plan.model === 'closed',
    });
    this.#fleet = new Fleet(
      {
        driver,
        connections: plan.connections,
        rampUpMs: plan.rampUpMs,
        spec: (index) => connectSpec(plan, index),
      },
      this.#recorder,
      this.#traffic,
    );
    this.#fleet.onChange = () => this.#ticker.wake();
    this.#fleet.onError = (error) => this.#bug(error);
  }

  async drive(): Promise<StressResult> {
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    if (this.#signal.aborted) this.#onAbort();
    this.#ticker.start((error) => this.#bug(error));
    try {
      await this.#runPhases();
      return await this.#finish();
    } finally {
      this.#signal.removeEventListener('abort', this.#onAbort);
      this.#ticker.stop();
      this.#health.stop();
      this.events.end();
    }
  }

  /** Ends the run without draining. */
  abandon(): void {
    this.#abandoned = true;
    this.#stop(nowUs());
  }

  async #runPhases(): Promise<void> {
    await this.#connect();
    if (this.#fleet.open === 0 && this.#recorder.counters['connections.opened'] === 0) return;
    if (this.#stopped) return;
    await this.#settle();
    if (this.#stopped || this.#reasons.length > 0) return;
    await this.#load();
    await this.#drain();
  }

  async #connect(): Promise<void> {
    this.#enter('connect', this.#startedUs);
    if (!this.#stopped) {
      this.#fleet.start(nowUs());
      await this.#ticker.until(() => this.#fleet.settled || this.#stopped);
    }
    this.#fleet.stopConnecting();
    if (this.#stopped || this.#recorder.counters['connections.opened'] > 0) return;
    const [cause] = this.#fleet.failures.records;
    this.#reasons.push({
      code: 'unreachable',
      message: `no connection to the target: ${cause ? `${cause.kind}: ${cause.detail}${cause.hint ? ` (${cause.hint})` : ''}` : 'no attempt ended'}`,
    });
  }

  async #settle(): Promise<void> {
    const startUs = nowUs();
    this.#enter('settle', startUs);
    const settleUs = this.#plan.settleMs * 1000;
    // Half of it in silence first: a greeting must not be taken for the answer to the probe.
    await this.#ticker.until((atUs) => atUs >= startUs + settleUs / 2 || this.#stopped);
    const lane = this.#fleet.lanes.find((candidate) => candidate.isOpen);
    if (lane && !this.#stopped) {
      this.#traffic.send(lane, nowUs(), kinds.probe);
      this.#traffic.flush();
    }
    const waits = (): boolean => this.#traffic.probe === 'waiting' && lane?.isOpen === true;
    await this.#ticker.until(
      (atUs) => this.#stopped || (atUs >= startUs + settleUs && (this.#plan.targetKnown || !waits())),
    );
    if (this.#stopped) return;
    const { probe } = this.#traffic;
    if (probe === 'rejected') {
      this.#warn({
        code: 'probe-rejected',
        message: 'the target refused the probe message before the load began',
      });
    } else if (probe !== 'answered' && !this.#plan.targetKnown) {
      this.#reasons.push({
        code: 'target-description',
        message: this.#describeTarget(lane?.isOpen !== true),
      });
    }
  }

  #describeTarget(hungUp: boolean): string {
    const sample = this.#traffic.unexpectedSample;
    const [close] = this.#fleet.closes;
    const seen =
      sample !== undefined
        ? `it sent ${JSON.stringify(redactText(sample))}, which answers nothing`
        : hungUp && close
          ? `it closed the connection with ${close.code}`
          : `nothing came within ${this.#plan.timeoutMs} ms`;
    return (
      `the target did not answer the probe as "${this.#plan.target.name}" describes: ${seen}; ` +
      'say how it talks with --preset (echo: sends back what it gets; wsbench: the reference protocol)'
    );
  }

  async #load(): Promise<void> {
    const plan = this.#plan;
    // A little ahead, so that the first message is not late.
    const startUs = nowUs() + 2000;
    const measureUs = startUs + plan.warmupMs * 1000;
    const endUs = measureUs + plan.durationMs * 1000;
    this.#recorder.startUs = measureUs;
    this.#recorder.endUs = endUs;
    this.#backlog = new Backlog(measureUs, endUs);
    const warmup = { kind: kinds.warmup, startUs, endUs: measureUs };
    const measure = { kind: kinds.measured, startUs: measureUs, endUs };
    if (plan.model === 'open') {
      this.#executors = [
        new OpenExecutor(pacerOf(plan, 'warmup'), warmup, this.#fleet.lanes, this.#traffic),
        new OpenExecutor(pacerOf(plan, 'measure'), measure, this.#fleet.lanes, this.#traffic),
      ];
    } else {
      this.#executors = [
        new ClosedExecutor(plan.depth, [warmup, measure], this.#fleet.lanes, this.#traffic, nowUs),
      ];
    }
    this.#executor = this.#executors.shift();
    this.#enter('warmup', startUs);
    await this.#ticker.until(() => this.#phase === 'drain' || this.#stopped);
  }

  async #drain(): Promise<void> {
    const ledger = this.#ledger;
    if (this.#phase !== 'drain') this.#endMeasure(this.#stoppedUs);
    await this.#ticker.until(
      (atUs) =>
        ledger.outstandingMeasured === 0 ||
        this.#fleet.open === 0 ||
        this.#abandoned ||
        atUs >= this.#stoppedUs + interruptedDrainUs,
    );
    // With nobody left to answer, waiting for each timeout would change nothing.
    if (!this.#stopped && this.#fleet.open === 0) this.#traffic.sweep(Number.POSITIVE_INFINITY);
    this.#recorder.counters['messages.interrupted'] = ledger.outstandingMeasured;
  }

  async #finish(): Promise<StressResult> {
    const endUs = nowUs();
    this.#enter(undefined, endUs);
    this.#finished = true;
    const fleet = this.#fleet;
    const openAtEnd = fleet.open;
    fleet.end();
    fleet.stopConnecting();
    if (this.#abandoned) fleet.abortAll();
    else fleet.closeAll();
    await this.#ticker.until((atUs) => fleet.open === 0 || this.#abandoned || atUs >= endUs + closeWaitUs);
    fleet.abortAll();
    await this.#ticker.until((atUs) => fleet.open === 0 || atUs >= endUs + 2 * closeWaitUs);
    const plan = this.#plan;
    const grown = this.#backlog?.growth(plan.ratePerSecond) ?? 0;
    if (plan.model === 'open' && grown > 0 && !this.#stopped) {
      this.#warn({
        code: 'backlog',
        message: `the backlog grew by ${grown} messages across the measure phase: the target does not keep up`,
      });
    }
    if (this.#traffic.probe === 'lost' && plan.targetKnown) {
      this.#warn({ code: 'probe-unanswered', message: 'the probe message before the load was not answered' });
    }
    if (fleet.firstViolation !== undefined) {
      this.#warn({
        code: 'protocol',
        message: `first protocol violation: ${redactText(fleet.firstViolation)}`,
      });
    }
    return stressResult({
      plan,
      startedAt: this.#startedAt,
      durationMs: (endUs - this.#startedUs) / 1000,
      measured: this.#measured,
      stoppedBy: this.#stopped && !this.#abandoned ? this.#signal.reason : undefined,
      stopped: this.#stopped,
      reasons: this.#reasons,
      warnings: this.#warnings,
      phases: this.#phases,
      recorder: this.#recorder,
      failures: fleet.failures,
      closes: fleet.closes,
      uptime: this.#measured ? fleet.uptime() : null,
      openAtEnd,
      backlogEnd: this.#backlogEnd,
      health: this.#sample ?? this.#health.stop(),
      endUs,
    });
  }

  get #stopped(): boolean {
    return this.#stoppedUs !== Number.POSITIVE_INFINITY;
  }

  #stop(atUs: number): void {
    this.#stoppedUs = Math.min(this.#stoppedUs, atUs);
    // At once, not at the next tick: replies that come in between must not call forth more messages.
    this.#executor?.stop();
    this.#ticker.wake();
  }

  #bug(error: unknown): void {
    if (!this.#reasons.some((reason) => reason.code === 'bug')) {
      this.#reasons.push({ code: 'bug', message: `this is a bug in wsbench: ${messageOf(error)}` });
    }
    this.abandon();
  }

  #warn(warning: Warning): void {
    this.#warnings.push(warning);
    this.events.push({ type: 'warning', warning });
  }

  /** Does everything that is due. */
  #tick(atUs: number): number {
    let nextUs = Number.POSITIVE_INFINITY;
    if (this.#phase === 'connect') {
      this.#fleet.connectDue(atUs);
      if (this.#plan.rampUpMs > 0) nextUs = atUs + 1000;
    }
    if (this.#executor && !this.#stopped) nextUs = this.#sendDue(atUs);
    this.#traffic.sweep(atUs);
    if (this.#measured && !this.#finished) this.#watch(atUs);
    if (this.#snapshots.isDue(atUs)) {
      const phase = { phase: this.#phase, sinceUs: this.#phaseUs };
      this.events.push({
        type: 'interval',
        snapshot: this.#snapshots.take(atUs, phase, this.#fleet.open),
      });
    }
    return nextUs;
  }

  #sendDue(atUs: number): number {
    const { startUs, endUs } = this.#recorder;
    if (!this.#measured && atUs >= startUs) this.#beginMeasure();
    let nextUs = this.#executor?.tick(atUs) ?? Number.POSITIVE_INFINITY;
    while (this.#executor?.done && this.#executors.length > 0) {
      this.#executor = this.#executors.shift();
      nextUs = this.#executor?.tick(atUs) ?? Number.POSITIVE_INFINITY;
    }
    if (this.#measured && atUs >= endUs && this.#executor?.done) this.#endMeasure(endUs);
    // The phase begins and ends on time, even when nothing is due then.
    return Math.min(nextUs, this.#measured ? endUs : startUs);
  }

  #beginMeasure(): void {
    this.#measured = true;
    this.#health.start();
    this.#enter('measure', this.#recorder.startUs);
  }

  #endMeasure(endUs: number): void {
    this.#executor?.stop();
    this.#executor = undefined;
    this.#executors = [];
    const recorder = this.#recorder;
    // Stopped between the first message and the tick that would have noticed that the phase began.
    if (!this.#measured && endUs >= recorder.startUs) this.#beginMeasure();
    if (!this.#measured) {
      // Stopped in the warm-up: nothing was measured.
      recorder.startUs = Number.POSITIVE_INFINITY;
      recorder.endUs = Number.POSITIVE_INFINITY;
    } else {
      recorder.endUs = Math.max(recorder.startUs, Math.min(recorder.endUs, endUs));
      this.#backlogEnd = this.#ledger.outstanding;
      this.#sample = this.#health.stop();
    }
    this.#enter('drain', endUs);
  }

  #watch(atUs: number): void {
    const { startUs } = this.#recorder;
    this.#recorder.series.connections(atUs - startUs, this.#fleet.open);
    this.#fleet.pingDue(atUs);
    this.#backlog?.sample(atUs, this.#ledger.outstanding);
    const decidedUs = Math.min(atUs - this.#plan.timeoutMs * 1000, this.#executor?.nextDueUs ?? atUs);
    this.#recorder.series.advance(decidedUs - startUs);
  }

  /** Closes the book of one phase and opens that of the next; undefined: there is none. */
  #enter(phase: Phase | undefined, atUs: number): void {
    this.#phases[`${this.#phase}Ms`] += Math.max(0, atUs - this.#phaseUs) / 1000;
    this.#phaseUs = atUs;
    if (phase === undefined) return;
    this.#phase = phase;
    this.events.push({ type: 'phase', phase });
  }
}

/** Room for all that may be outstanding or remembered, so that the ring need not grow during the run. */
function ringEntries({ model, ratePerSecond, timeoutMs }: StressPlan): number {
  if (model === 'closed') return startEntries;
  const wanted = 2.2 * ratePerSecond * (timeoutMs / 1000);
  return Math.min(mostEntries, 2 ** Math.ceil(Math.log2(Math.max(1024, wanted))));
}
