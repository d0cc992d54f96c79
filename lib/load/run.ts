// A stress run from its first connection to its result: the phases connect, settle, warm-up, measure and drain.
import type { Cause } from '../cause/cause.ts';
import { describeCause } from '../cause/describe-cause.ts';
import { messageOf } from '../errors.ts';
import type { Phase, RunEvent } from '../result/events.ts';
import { redactText } from '../result/redact.ts';
import type { Phases, Reason, StressResult, Warning } from '../result/result.ts';
import { Channel } from './channel.ts';
import { nowUs } from './clock.ts';
import type { Driver } from './drivers/driver.ts';
import { makeDriver } from './drivers/make.ts';
import { kinds } from './ledger.ts';
import { Load } from './load.ts';
import type { StressPlan } from './plan.ts';
import { judgeProbe } from './probe.ts';
import { assemble, type Rig } from './rig.ts';
import { Snapshots } from './snapshots.ts';
import { stressResult } from './stress-result.ts';
import { silenceOf, targetWarnings } from './target-warnings.ts';
import { Ticker } from './ticker.ts';

const interruptedDrainUs = 5e6;
const closeWaitUs = 2.5e6;

/**
 * Runs a stress plan. Never throws for what the target does: that is in the result.
 *
 * @param signal stops the run early: it drains for 5 s at most. Its reason may be `SIGINT` or `SIGTERM`
 * @param driver carries the messages; the plan's by default
 */
export async function* runStress(
  plan: StressPlan,
  signal: AbortSignal,
  driver: Driver = makeDriver(plan),
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
  readonly #rig: Rig;
  readonly #load: Load;
  readonly #snapshots: Snapshots;
  readonly #ticker = new Ticker((atUs) => this.#tick(atUs));
  readonly #warnings: Warning[] = [];
  readonly #reasons: Reason[] = [];
  readonly #onAbort = (): void => this.#stop(nowUs());
  readonly #phases: Phases = { connectMs: 0, settleMs: 0, warmupMs: 0, measureMs: 0, drainMs: 0 };

  #phase: Phase = 'connect';
  #phaseUs = this.#startedUs;
  #stoppedUs = Number.POSITIVE_INFINITY;
  #abandoned = false;
  #finished = false;

  constructor(plan: StressPlan, signal: AbortSignal, driver: Driver) {
    this.#plan = plan;
    this.#signal = signal;
    this.#rig = assemble(plan, driver);
    const { recorder, fleet, warnings } = this.#rig;
    for (const warning of warnings) this.#warn(warning);
    this.#load = new Load(plan, this.#rig, (phase, atUs) => this.#enter(phase, atUs));
    this.#snapshots = new Snapshots(plan, recorder, this.#startedUs);
    fleet.onChange = () => this.#ticker.wake();
    fleet.onError = (error) => this.#bug(error);
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
      this.#load.dispose();
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
    if (this.#stopped || this.#reasons.length > 0) return;
    await this.#settle();
    if (this.#stopped || this.#reasons.length > 0) return;
    this.#load.begin();
    await this.#ticker.until(() => this.#phase === 'drain' || this.#stopped);
    await this.#drain();
  }

  async #connect(): Promise<void> {
    const { fleet, recorder } = this.#rig;
    this.#enter('connect', this.#startedUs);
    if (!this.#stopped) {
      fleet.start(nowUs());
      await this.#ticker.until(() => fleet.settled || this.#stopped);
    }
    fleet.stopConnecting();
    if (this.#stopped || recorder.counters['connections.opened'] > 0) return;
    const [cause] = fleet.failures.records;
    this.#reasons.push({
      code: 'unreachable',
      message: `no connection to the target: ${cause ? describeCause(cause as Cause) : 'no attempt ended'}`,
    });
  }

  async #settle(): Promise<void> {
    const { fleet, traffic } = this.#rig;
    const startUs = nowUs();
    this.#enter('settle', startUs);
    const settleUs = this.#plan.settleMs * 1000;
    // Half of it in silence first: a greeting must not be taken for the answer to the probe.
    await this.#ticker.until((atUs) => atUs >= startUs + settleUs / 2 || this.#stopped);
    const lane = fleet.lanes.find((candidate) => candidate.isOpen);
    if (lane && !this.#stopped) {
      traffic.send(lane, nowUs(), kinds.probe);
      traffic.flush();
    }
    const waits = (): boolean => traffic.probe === 'waiting' && lane?.isOpen === true;
    await this.#ticker.until(
      (atUs) => this.#stopped || (atUs >= startUs + settleUs && (this.#plan.targetKnown || !waits())),
    );
    if (this.#stopped) return;
    const [violation] = fleet.violations.records;
    const ended = lane?.isOpen ? undefined : fleet.closes[0];
    const { reason, warning } = judgeProbe(this.#plan, traffic, ended, violation?.detail);
    if (warning) this.#warn(warning);
    if (reason) this.#reasons.push(reason);
  }

  async #drain(): Promise<void> {
    const { fleet, ledger, recorder, traffic } = this.#rig;
    if (this.#phase !== 'drain') this.#load.end(this.#stoppedUs);
    await this.#ticker.until(
      (atUs) =>
        ledger.outstandingMeasured === 0 ||
        fleet.open === 0 ||
        this.#abandoned ||
        atUs >= this.#stoppedUs + interruptedDrainUs,
    );
    // With nobody left to answer, waiting for each timeout would change nothing.
    if (!this.#stopped && fleet.open === 0) traffic.sweep(Number.POSITIVE_INFINITY);
    recorder.counters['messages.interrupted'] = ledger.outstandingMeasured;
  }

  async #finish(): Promise<StressResult> {
    const endUs = nowUs();
    this.#enter(undefined, endUs);
    this.#finished = true;
    const { fleet, recorder, traffic } = this.#rig;
    const openAtEnd = fleet.open;
    // Before the closing: what is heard then says nothing of the load.
    const silent = silenceOf(fleet.lanes, endUs);
    fleet.end();
    fleet.stopConnecting();
    if (this.#abandoned) fleet.abortAll();
    else fleet.closeAll();
    await this.#ticker.until((atUs) => fleet.open === 0 || this.#abandoned || atUs >= endUs + closeWaitUs);
    fleet.abortAll();
    await this.#ticker.until((atUs) => fleet.open === 0 || atUs >= endUs + 2 * closeWaitUs);
    const plan = this.#plan;
    if (traffic.probe === 'lost' && plan.targetKnown) {
      this.#warn({ code: 'probe-unanswered', message: 'the probe message before the load was not answered' });
    }
    const { renewal } = this.#rig;
    if (renewal && renewal.failed > 0) {
      const all = renewal.renewed + renewal.failed;
      this.#warn({
        code: 'token-refresh',
        message: `${renewal.failed} of ${all} token refreshes failed; the first: ${renewal.firstFailure}`,
      });
    }
    const remains = { ...silent, unansweredCloses: this.#abandoned ? 0 : fleet.unansweredCloses };
    for (const warning of targetWarnings(this.#rig, remains, plan.target.echoes)) this.#warn(warning);
    return stressResult({
      plan,
      startedAt: this.#startedAt,
      durationMs: (endUs - this.#startedUs) / 1000,
      measured: this.#load.measured,
      stoppedBy: this.#stopped && !this.#abandoned ? this.#signal.reason : undefined,
      stopped: this.#stopped,
      reasons: this.#reasons,
      warnings: this.#warnings,
      phases: this.#phases,
      recorder,
      failures: fleet.failures,
      violations: fleet.violations,
      ends: fleet.ends,
      closes: fleet.closes,
      uptime: this.#load.measured ? fleet.uptime() : null,
      openAtEnd,
      backlogEnd: this.#load.backlogEnd,
      backlogGrowth: this.#load.backlogGrowth,
      health: this.#load.health,
      endUs,
    });
  }

  get #stopped(): boolean {
    return this.#stoppedUs !== Number.POSITIVE_INFINITY;
  }

  #stop(atUs: number): void {
    this.#stoppedUs = Math.min(this.#stoppedUs, atUs);
    // At once, not at the next tick: replies that come in between must not call forth more messages.
    this.#load.stop();
    this.#ticker.wake();
  }

  #bug(error: unknown): void {
    if (!this.#reasons.some((reason) => reason.code === 'bug')) {
      this.#reasons.push({
        code: 'bug',
        message: `this is a bug in wsbench: ${redactText(messageOf(error))}`,
      });
    }
    this.abandon();
  }

  #warn(warning: Warning): void {
    this.#warnings.push(warning);
    this.events.push({ type: 'warning', warning });
  }

  /** Does everything that is due. */
  #tick(atUs: number): number {
    const { fleet, traffic } = this.#rig;
    let nextUs = Number.POSITIVE_INFINITY;
    if (this.#phase === 'connect') {
      fleet.connectDue(atUs);
      if (this.#plan.rampUpMs > 0) nextUs = atUs + 1000;
    }
    if (this.#load.isOn && !this.#stopped) nextUs = this.#load.tick(atUs);
    traffic.sweep(atUs);
    if (!this.#finished) this.#load.watch(atUs);
    if (this.#snapshots.isDue(atUs)) {
      const phase = { phase: this.#phase, sinceUs: this.#phaseUs };
      this.events.push({
        type: 'interval',
        snapshot: this.#snapshots.take(atUs, phase, fleet.open),
      });
    }
    return nextUs;
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
