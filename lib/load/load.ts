// Warm-up and measure phase: what is sent, where the phases begin and end, and what is watched meanwhile.
import { Backlog, type BacklogData, noBacklog } from './backlog.ts';
import { nowUs } from './clock.ts';
import { type Course, stepsOf, valueAt } from './course.ts';
import type { LoadPhase } from './engine-contract.ts';
import { ClosedExecutor } from './executors/closed.ts';
import type { Executor, Window } from './executors/executor.ts';
import { OpenExecutor } from './executors/open.ts';
import type { ProbeSample } from './health.ts';
import { kinds } from './ledger.ts';
import { connectionsOf } from './part.ts';
import type { StressPlan } from './plan.ts';
import { connectionCourse, measureSchedule, measureUs, rateCourse, warmupSchedule } from './profile.ts';
import { Reconnector } from './reconnect/reconnector.ts';
import type { RecoveryData } from './reconnect/recovery-data.ts';
import type { Rig } from './rig.ts';
import type { Schedule } from './schedule.ts';
import { thinkTimeOf } from './think-time.ts';
import { Turnover } from './turnover.ts';

// The warm-up's first window: its schedule is gone through once more for the second one.
const mostFirstUs = 100_000;

/** What replaces the connections of a plan while its load goes on. */
function turnoverOf(plan: StressPlan, { part, fleet }: Rig): Turnover {
  const [rate, connections] = [rateCourse(plan), connectionCourse(plan)];
  const { churnPerSecond, messagesPerConnection } = plan;
  const ratePerConnection = (atUs: number): number | null =>
    plan.model === 'closed' ? null : valueAt(rate, atUs) / Math.max(1, valueAt(connections, atUs));
  const steps = stepsOf(connections);
  return new Turnover(
    { part, steps, churnPerSecond, messagesPerConnection, ratePerConnection },
    fleet.places,
  );
}

/** What brings lost connections back, if the plan asks for it. */
function reconnectorOf(
  { reconnect: policy, seed, storm }: StressPlan,
  { part, fleet }: Rig,
): Reconnector | undefined {
  if (policy === undefined) return undefined;
  const places = fleet.lanes.length;
  const isStorm = storm !== undefined;
  // Workers draw numbers of their own.
  return new Reconnector({ policy, seed: seed + 7919 * (part.worker + 1), places, isStorm }, (place) =>
    fleet.places.prepare(place),
  );
}

/** The load of a run, from the first message of the warm-up to the last of the measure phase. */
export class Load {
  /** The measure phase began. */
  measured = false;
  /** Messages outstanding when the measure phase ended. */
  backlogEnd: number | null = null;

  readonly #plan: StressPlan;
  readonly #rig: Rig;
  readonly #enter: (phase: LoadPhase, atUs: number) => void;
  readonly #rate: Course;
  readonly #turnover: Turnover;
  readonly #reconnector: Reconnector | undefined;
  /** When the connections are dropped. */
  #dropUs = Number.POSITIVE_INFINITY;
  #executors: Executor[] = [];
  #executor: Executor | undefined;
  #backlog: Backlog | undefined;
  #sample: ProbeSample | undefined;

  /** @param enter is told of each phase that begins, and when it did */
  constructor(plan: StressPlan, rig: Rig, enter: (phase: LoadPhase, atUs: number) => void) {
    this.#plan = plan;
    this.#rig = rig;
    this.#enter = enter;
    this.#rate = rateCourse(plan);
    this.#turnover = turnoverOf(plan, rig);
    const { fleet, traffic } = rig;
    this.#reconnector = reconnectorOf(plan, rig);
    fleet.places.onServes = (lane, atUs) => {
      this.#turnover.serves(lane, atUs);
      this.#reconnector?.returned(lane, atUs);
    };
    fleet.places.onMissed = (place, atUs, retryAfterMs) => {
      this.#turnover.failed(place, atUs);
      this.#reconnector?.failed(place, retryAfterMs, atUs);
    };
    fleet.onLost = (...lost) => this.#reconnector?.lost(...lost);
    fleet.onDial = (place, atUs) => this.#reconnector?.attempted(place, atUs);
    traffic.onWearing = (lane) => this.#turnover.wears(lane);
  }

  /** True while messages are sent. */
  get isOn(): boolean {
    return this.#executor !== undefined;
  }

  /** What was seen of the generator's health in the measure phase. */
  get health(): ProbeSample {
    return this.#sample ?? this.#rig.health.sample();
  }

  /** What was seen of the backlog. */
  get backlog(): BacklogData {
    return this.#backlog?.data() ?? noBacklog();
  }

  /** Begins the warm-up. */
  begin(startUs: number): void {
    const plan = this.#plan;
    const { part, recorder, rehearsal, fleet, traffic } = this.#rig;
    const warmupUs = plan.warmupMs * 1000;
    const measuredUs = startUs + warmupUs;
    const endUs = measuredUs + measureUs(plan);
    rehearsal.startUs = startUs;
    recorder.startUs = measuredUs;
    recorder.endUs = endUs;
    this.#backlog = new Backlog(measuredUs, endUs);
    // The change from one window to the next is rehearsed, too: what happens for the first time is compiled anew.
    const changeUs = Math.min(mostFirstUs, warmupUs / 8);
    const first = { kind: kinds.warmup, startUs, endUs: startUs + changeUs };
    const warmup = { kind: kinds.warmup, startUs, endUs: measuredUs };
    const measure = { kind: kinds.measured, startUs: measuredUs, endUs };
    const open = (schedule: Schedule, window: Window): Executor =>
      new OpenExecutor(schedule, window, fleet.places.serving, traffic);
    this.#executors =
      plan.model === 'open'
        ? [
            open(warmupSchedule(plan, part, 0, changeUs), first),
            open(warmupSchedule(plan, part, changeUs, warmupUs), warmup),
            open(measureSchedule(plan, part), measure),
          ]
        : [this.#closedLoop([first, warmup, measure])];
    this.#executor = this.#executors.shift();
    this.#turnover.begin(startUs, measuredUs, endUs);
    this.#reconnector?.begin(fleet.places.serving, startUs, measuredUs);
    if (plan.storm && plan.storm.drop !== null) this.#dropUs = measuredUs + plan.storm.beforeMs * 1000;
    this.#enter('warmup', startUs);
  }

  /** Sends what is due; returns when something is due next, in µs. */
  tick(atUs: number): number {
    const { recorder } = this.#rig;
    const { startUs } = recorder;
    if (!this.measured && atUs >= startUs) this.#beginMeasure();
    let nextUs = this.#executor?.tick(atUs) ?? Number.POSITIVE_INFINITY;
    while (this.#executor?.done && this.#executors.length > 0) {
      this.#executor = this.#executors.shift();
      nextUs = this.#executor?.tick(atUs) ?? Number.POSITIVE_INFINITY;
    }
    // After what is due: a message that is late goes to the connection that was asked for when it was due.
    const turnUs = this.#turnover.tick(Math.min(atUs, this.#executor?.nextDueUs ?? atUs));
    if (atUs >= this.#dropUs) this.#drop(atUs);
    const backUs = this.#reconnector?.tick(atUs) ?? Number.POSITIVE_INFINITY;
    this.#rig.fleet.places.tick();
    const againUs = this.#rig.fleet.places.isWaiting ? atUs : Number.POSITIVE_INFINITY;
    if (this.measured && this.#executor?.done && atUs >= recorder.endUs) this.end(recorder.endUs);
    // The phase begins and ends on time, even when nothing is due then.
    return Math.min(nextUs, turnUs, backUs, againUs, this.#dropUs, this.measured ? recorder.endUs : startUs);
  }

  /** Samples what is worth knowing while messages are sent, and while those of the measure phase are awaited. */
  watch(atUs: number): void {
    const { recorder, fleet, ledger } = this.#rig;
    // Not while it drains: an idle target answers pings faster.
    if (this.isOn) fleet.pingDue(atUs);
    if (!this.measured) return;
    const { startUs } = recorder;
    recorder.series.connections(atUs - startUs, fleet.open);
    this.#sampleBacklog(atUs, ledger.outstanding - ledger.outstandingOf(kinds.slow));
    const decidedUs = Math.min(atUs - this.#plan.timeoutMs * 1000, this.#executor?.nextDueUs ?? atUs);
    recorder.series.advance(decidedUs - startUs);
  }

  /** The measure phase ends at `endUs`, if that is earlier than it would. */
  endAt(endUs: number): void {
    const { recorder } = this.#rig;
    if (!(endUs < recorder.endUs)) return;
    recorder.endUs = Math.max(recorder.startUs, endUs);
    for (const executor of [this.#executor, ...this.#executors]) executor?.endAt?.(recorder.endUs);
  }

  /** What was seen of connections that came back; null: nobody asked them to. */
  get recovery(): RecoveryData | null {
    return this.#reconnector?.data() ?? null;
  }

  /** Sends no more; {@link end} is still to be called. */
  stop(): void {
    this.#executor?.stop();
    this.#dropUs = Number.POSITIVE_INFINITY;
    this.#turnover.stop();
    this.#reconnector?.stop();
    this.#rig.fleet.places.stop();
  }

  /** Ends the measure phase, or the warm-up, at `endUs`. */
  end(endUs: number): void {
    this.stop();
    this.#executor = undefined;
    this.#executors = [];
    const { recorder, ledger } = this.#rig;
    // Stopped between the first message and the tick that would have noticed that the phase began.
    if (!this.measured && endUs >= recorder.startUs) this.#beginMeasure();
    if (!this.measured) {
      // Stopped in the warm-up: nothing was measured.
      recorder.startUs = Number.POSITIVE_INFINITY;
      recorder.endUs = Number.POSITIVE_INFINITY;
    } else {
      recorder.endUs = Math.max(recorder.startUs, Math.min(recorder.endUs, endUs));
      this.backlogEnd = ledger.outstanding - ledger.outstandingOf(kinds.slow);
      this.#sample = this.#rig.health.sample();
      this.#rig.health.stop();
    }
    this.#enter('drain', endUs);
  }

  /** Gives back what the machine holds for it. */
  dispose(): void {
    this.#rig.health.stop();
  }

  #closedLoop(windows: Window[]): Executor {
    const { part, recorder, fleet, traffic } = this.#rig;
    const { depth, messages, thinkTimeMs, seed } = this.#plan;
    const executor = new ClosedExecutor(
      {
        depth,
        windows,
        thinkTime: thinkTimeOf(thinkTimeMs, seed),
        // Each worker sends its part of them.
        messages: messages === 0 ? Number.POSITIVE_INFINITY : connectionsOf(part, messages),
        clock: nowUs,
        wake: () => fleet.onChange?.(),
        // At once: replies that come after the last message are none of the phase.
        onLast: (atUs) => {
          recorder.endUs = Math.min(recorder.endUs, atUs);
          fleet.onChange?.();
        },
      },
      fleet.places.serving,
      traffic,
    );
    fleet.places.onUp = (lane) => executor.up(lane);
    return executor;
  }

  /** Where the rate changes, what it would be at the rate that the plan begins with: more messages a second are more under way. */
  #sampleBacklog(atUs: number, outstanding: number): void {
    const { stages, ratePerSecond, model } = this.#plan;
    if (model === 'closed' || stages.length === 0) {
      this.#backlog?.sample(atUs, outstanding);
      return;
    }
    const rate = valueAt(this.#rate, atUs - this.#rig.recorder.startUs);
    if (rate > 0) this.#backlog?.sample(atUs, Math.round((outstanding * ratePerSecond) / rate));
  }

  /** After what is due before it: those messages were sent to connections that were there. */
  #drop(atUs: number): void {
    const { storm } = this.#plan;
    this.#dropUs = Number.POSITIVE_INFINITY;
    if (storm?.drop) this.#rig.fleet.drop(storm.drop, atUs);
  }

  #beginMeasure(): void {
    this.measured = true;
    this.#rig.health.start();
    this.#enter('measure', this.#rig.recorder.startUs);
  }
}
