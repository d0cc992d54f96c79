// A stress run from its first connection to its result: the phases connect, settle, warm-up, measure and drain.
import type { Cause } from '../cause/cause.ts';
import { describeCause } from '../cause/describe-cause.ts';
import type { Series } from '../metrics/series.ts';
import type { Phase, RunControl, RunEvent } from '../result/events.ts';
import { hostRecord } from '../result/host.ts';
import { redactText } from '../result/redact.ts';
import type { Reason, StressResult, Warning } from '../result/result.ts';
import { abortOf } from './abort.ts';
import { Channel } from './channel.ts';
import { nowUs } from './clock.ts';
import { Crew, type Member } from './crew.ts';
import { describeLoss } from './describe-loss.ts';
import type { Driver } from './drivers/driver.ts';
import { endWarnings } from './end-warnings.ts';
import type { LoadPhase } from './engine-contract.ts';
import type { GeneratorMeans } from './health-advice.ts';
import { journalFormat } from './journal/frames.ts';
import { Journal } from './journal/journal.ts';
import { PhaseClock } from './phase-clock.ts';
import type { StressPlan } from './plan.ts';
import { type PlanFacts, planFacts } from './plan-facts.ts';
import { judgeProbe } from './probe.ts';
import { QuotaWatch } from './quota-watch.ts';
import { stormEndUs } from './reconnect/storm.ts';
import { type DriverModule, engineCount, recruiter } from './recruit.ts';
import { SeriesBook } from './series-book.ts';
import type { Share } from './share.ts';
import { Snapshots } from './snapshots.ts';
import { runId, stressResult } from './stress-result.ts';
import { Ticker } from './ticker.ts';
import { WallWatch } from './wall-watch.ts';

// A little ahead, so that the first message is not late.
const leadUs = 2000;
// Other threads have to hear of it before.
const threadsLeadUs = 20_000;
// Closing takes 5 s at most.
const mostFinishUs = 8e6;
// What is under way when a threshold ends the run may still arrive, and changes nothing any more.
const abortedDrainUs = 1e6;

/**
 * Runs a stress plan. Never throws for what the target does: that is in the result.
 *
 * @param signal stops the run early: it drains for 5 s at most. Its reason may be `SIGINT` or `SIGTERM`
 * @param driver carries the messages; the plan's by default. An object has one worker, a module as many as the plan says
 * @param openJournal opens what a journal is written to
 */
export async function* runStress(
  plan: StressPlan,
  signal: AbortSignal,
  driver?: Driver | DriverModule,
  openJournal?: RunControl['openJournal'],
): AsyncGenerator<RunEvent, StressResult, void> {
  const run = new StressRun(plan, signal, driver, openJournal);
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
  readonly #facts: PlanFacts;
  readonly #host = hostRecord();
  readonly #signal: AbortSignal;
  readonly #startedAt = new Date();
  readonly #startedUs = nowUs();
  readonly #crew: Crew;
  readonly #snapshots: Snapshots;
  readonly #book: SeriesBook;
  readonly #ticker = new Ticker((atUs) => this.#tick(atUs));
  readonly #warnings: Warning[] = [];
  readonly #reasons: Reason[] = [];
  /** Workers that are gone: the run goes on without them. */
  readonly #losses: Reason[] = [];
  readonly #onAbort = (): void => this.#stop(nowUs());
  readonly #phases = new PhaseClock(this.#startedUs);

  readonly #quota = new QuotaWatch();
  readonly #journal: Journal | undefined;
  readonly #wall = new WallWatch();

  #stoppedUs = Number.POSITIVE_INFINITY;
  #abandoned = false;
  /** The threshold that ended the run, and until when what was outstanding then is waited for. */
  #abortedBy: string | undefined;
  #patientUs = Number.POSITIVE_INFINITY;
  #finishing = false;

  constructor(
    plan: StressPlan,
    signal: AbortSignal,
    driver: Driver | DriverModule | undefined,
    openJournal: RunControl['openJournal'],
  ) {
    this.#plan = plan;
    this.#facts = planFacts(plan);
    this.#signal = signal;
    const workers = engineCount(plan, driver);
    this.#snapshots = new Snapshots(plan, workers, this.#startedUs);
    this.#book = new SeriesBook(plan.durationMs * 1000, workers);
    this.#crew = new Crew(workers, recruiter(plan, this.#startedUs, driver), {
      warning: (warning) => this.#warn(warning),
      bug: (message) => this.#bug(message),
      changed: () => this.#ticker.wake(),
      lost: (member) => this.#lost(member),
      tidings: (worker, tidings) => {
        this.#snapshots.add(worker, tidings);
        this.#book.add(worker, tidings.series);
      },
    });
    this.#journal = openJournal && this.#begin(openJournal);
  }

  async drive(): Promise<StressResult> {
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    if (this.#signal.aborted) this.#onAbort();
    this.#ticker.start((error) => this.#bug(redactText(String(error))));
    try {
      await this.#runPhases();
      return await this.#finish();
    } finally {
      this.#signal.removeEventListener('abort', this.#onAbort);
      this.#ticker.stop();
      this.#crew.dispose();
      this.#journal?.end();
      this.events.end();
    }
  }

  /** Ends the run without draining. */
  abandon(): void {
    this.#abandoned = true;
    this.#stoppedUs = Math.min(this.#stoppedUs, nowUs());
    this.#crew.tell((engine) => engine.abandon());
    this.#ticker.wake();
  }

  async #runPhases(): Promise<void> {
    await this.#connect();
    if (this.#isOver) return;
    await this.#settle();
    if (this.#isOver) return;
    const startUs = nowUs() + (this.#crew.members.length > 1 ? threadsLeadUs : leadUs);
    this.#crew.tell((engine) => engine.begin(startUs));
    for (const phase of ['warmup', 'measure'] as const) await this.#follow(phase);
    await this.#weather();
    await this.#follow('drain');
    const isDrained = ({ drained }: Member): boolean => drained;
    await this.#ticker.until(
      (atUs) => this.#abandoned || this.#crew.everyone(isDrained) || atUs >= this.#patientUs,
    );
  }

  async #connect(): Promise<void> {
    this.#enter('connect', this.#startedUs);
    await this.#crewIs(({ ready }) => ready || this.#stopped);
    if (this.#stopped) return;
    const startUs = nowUs();
    // Starting threads is no part of connecting.
    this.#phases.sinceUs = startUs;
    this.#crew.tell((engine) => engine.connect(startUs));
    await this.#crewIs(({ settled }) => settled !== undefined);
    if (this.#isOver || this.#crew.opened > 0) return;
    const [cause] = this.#crew.failures;
    this.#reasons.push({
      code: 'unreachable',
      message: `no connection to the target: ${cause ? describeCause(cause as Cause) : 'no attempt ended'}`,
    });
  }

  async #settle(): Promise<void> {
    const crew = this.#crew;
    const startUs = nowUs();
    this.#enter('settle', startUs);
    const settleUs = this.#plan.settleMs * 1000;
    // Half of it in silence first: a greeting must not be taken for the answer to the probe.
    await this.#ticker.until((atUs) => atUs >= startUs + settleUs / 2 || this.#stopped);
    if (this.#stopped) return;
    const [prober] = crew.present.toSorted((a, b) => firstOpen(a) - firstOpen(b));
    prober?.engine?.probe();
    const waits = (): boolean => {
      if (!prober || prober.lost !== undefined) return false;
      return !crew.probe || (crew.probe.probe === 'waiting' && crew.probe.isOpen);
    };
    await this.#ticker.until(
      (atUs) => this.#stopped || (atUs >= startUs + settleUs && (this.#plan.targetKnown || !waits())),
    );
    // Nobody knows what it would have been answered.
    if (this.#stopped || prober?.lost !== undefined) return;
    const { reason, warning } = judgeProbe(this.#plan, crew.probe ?? { probe: 'none', isOpen: false });
    if (warning) this.#warn(warning);
    if (reason) this.#reasons.push(reason);
  }

  /** Waits until all engines have entered a phase, or skipped it because the run was stopped. */
  async #follow(phase: LoadPhase): Promise<void> {
    await this.#crewIs(({ phases }) => phases[phase] !== undefined || phases.drain !== undefined);
    const atUs = this.#crew.entered(phase);
    if (atUs !== undefined) this.#enter(phase, atUs);
  }

  /** Waits until a storm is over, and ends the measure phase then. */
  async #weather(): Promise<void> {
    const { storm } = this.#plan;
    const startUs = this.#crew.entered('measure');
    if (!storm || startUs === undefined) return;
    let endUs: number | undefined;
    await this.#ticker.until((atUs) => {
      endUs = stormEndUs(storm, this.#crew.storm, startUs, atUs);
      const isLong = this.#crew.everyone(({ phases }) => phases.drain !== undefined);
      return endUs !== undefined || isLong || this.#stopped || this.#abandoned;
    });
    // Every worker hears of it before it is.
    const soonUs = nowUs() + threadsLeadUs;
    if (endUs !== undefined) {
      const atUs = Math.max(endUs, soonUs);
      this.#crew.tell((engine) => engine.endAt(atUs));
    }
  }

  /** Waits until it holds for all engines that are not lost. */
  #crewIs(holds: (member: Member) => boolean): Promise<void> {
    return this.#ticker.until(() => this.#abandoned || this.#crew.everyone(holds));
  }

  async #finish(): Promise<StressResult> {
    const endUs = nowUs();
    this.#enter(undefined, endUs);
    this.#finishing = true;
    this.#crew.tell((engine) => engine.finish());
    await this.#ticker.until(
      (atUs) => this.#crew.everyone(({ finished }) => finished) || atUs >= endUs + mostFinishUs,
    );
    for (const member of this.#crew.present) this.#crew.lose(member, 'did not close its connections');
    const { share, shares } = this.#crew;
    for (const warning of endWarnings(this.#plan, share, this.#warnings)) this.#warn(warning);
    if (this.#wall.warning) this.#warn(this.#wall.warning);
    return stressResult({
      plan: this.#facts,
      host: this.#host,
      startedAt: this.#startedAt,
      durationMs: (endUs - this.#startedUs) / 1000,
      stoppedBy: this.#stopped && !this.#abandoned ? this.#signal.reason : undefined,
      stopped: this.#stopped,
      means: this.#means,
      abortedBy: this.#abortedBy,
      reasons: [...this.#reasons, ...this.#losses],
      warnings: this.#warnings,
      phases: this.#phases.lastedUntil(endUs),
      share,
      shares,
      series: this.#series(share, endUs),
    });
  }

  get #means(): GeneratorMeans {
    return {
      workers: this.#crew.members.length,
      cores: this.#quota.cores,
      mostWorkers: this.#facts.mostConnections,
      spin: this.#plan.spin,
      throttled: this.#quota.taken,
    };
  }

  /** Begins the journal: what is left of the run should it be killed. */
  #begin(open: NonNullable<RunControl['openJournal']>): Journal | undefined {
    const sink = open(runId(this.#facts, this.#startedAt));
    if (!sink) return undefined;
    const [plan, host, startedAt, means] = [this.#facts, this.#host, this.#startedAt, this.#means];
    const head = { format: journalFormat, startedAt, plan, host, means } as const;
    return new Journal(sink, head, (error) => {
      const message = `there is no journal from now on: ${redactText(error.message)}. Should the run be killed, its figures are lost`;
      this.#warn({ code: 'journal', message });
    });
  }

  /** Adds a page to the journal when it is time for one. */
  #note(atUs: number): void {
    const elapsedMs = (atUs - this.#startedUs) / 1000;
    if (!this.#journal?.isDue(elapsedMs)) return;
    this.#journal.add({
      elapsedMs,
      phases: this.#phases.lastedUntil(atUs),
      reasons: [...this.#reasons, ...this.#losses],
      warnings: this.#warnings,
      shares: this.#crew.shares,
      series: this.#book.page(),
    });
  }

  #series({ measured, startUs, endUs }: Share, atUs: number): Series {
    if (!measured) return { due: [], wall: [] };
    return this.#book.finish(Math.min(atUs, endUs) - startUs);
  }

  get #stopped(): boolean {
    return this.#stoppedUs !== Number.POSITIVE_INFINITY;
  }

  /** There is nothing more to do but to end. */
  get #isOver(): boolean {
    return this.#stopped || this.#reasons.length > 0 || this.#crew.present.length === 0;
  }

  #stop(atUs: number): void {
    this.#stoppedUs = Math.min(this.#stoppedUs, atUs);
    this.#crew.tell((engine) => engine.stop(this.#stoppedUs));
    this.#ticker.wake();
  }

  /** Ends the run when a threshold is crossed for good: with its figures, and without the patience of a user's signal. */
  #abortIfCrossed(atUs: number): void {
    if (this.#phases.phase !== 'measure' || this.#stopped) return;
    const { share } = this.#crew;
    const abort = abortOf(this.#plan, share, (atUs - share.startUs) / 1000);
    if (!abort) return;
    this.#abortedBy = abort.expression;
    this.#reasons.push(abort.reason);
    this.#patientUs = atUs + abortedDrainUs;
    this.#stop(atUs);
  }

  #bug(message: string): void {
    if (!this.#reasons.some((reason) => reason.code === 'bug')) {
      this.#reasons.push({ code: 'bug', message: `this is a bug in wsbench: ${message}` });
    }
    this.abandon();
  }

  #lost(member: Member): void {
    this.#book.drop(member.worker);
    this.#snapshots.drop(member.worker);
    const reason: Reason = {
      code: 'lost-worker',
      message: describeLoss(member, {
        plan: this.#plan,
        workers: this.#crew.members.length,
        startedUs: this.#startedUs,
      }),
    };
    this.#losses.push(reason);
    this.events.push({ type: 'warning', warning: reason });
  }

  #warn(warning: Warning): void {
    this.#warnings.push(warning);
    this.events.push({ type: 'warning', warning });
  }

  #tick(atUs: number): number {
    this.#crew.watch();
    this.#wall.look();
    if (!this.#finishing && this.#snapshots.isDue(atUs)) {
      this.events.push({ type: 'interval', snapshot: this.#snapshots.take(atUs, this.#phases) });
      this.#note(atUs);
      if (this.#plan.abortOnFail) this.#abortIfCrossed(atUs);
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Closes the book of one phase and opens that of the next; undefined: there is none. */
  #enter(phase: Phase | undefined, atUs: number): void {
    this.#phases.enter(phase, atUs);
    if (phase === undefined) return;
    if (phase === 'measure') this.#quota.start();
    if (phase === 'drain') this.#quota.stop();
    this.events.push({ type: 'phase', phase });
  }
}

function firstOpen({ settled }: { settled: { firstOpen: number } | undefined }): number {
  return settled?.firstOpen ?? Number.POSITIVE_INFINITY;
}
