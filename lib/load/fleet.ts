// All connections of a run: opens them, keeps count of how they end, and closes them.
import type { CloseRecord } from '../result/result.ts';
import type { Attempts } from './attempts.ts';
import { nowUs } from './clock.ts';
import type { ClosedBy, ConnectSpec, ConnectSplit, Driver, FailureKind, Sink } from './drivers/driver.ts';
import { EndLog } from './ends.ts';
import { FailureLog } from './failures.ts';
import { Lane, type LaneOwner } from './lane.ts';
import { MessageView } from './message-view.ts';
import { connectionsOf, numberOf, type Part } from './part.ts';
import type { Recorder } from './recorder.ts';
import type { Traffic } from './traffic.ts';

// Handshakes under way at once without a ramp: enough to be fast, few enough that `connect` times the target and
// not our own queue.
const maxConnecting = 200;
// When this many attempts failed and none ever opened, the rest would only take time.
const hopelessFailures = 200;
const pingEveryUs = 1e6;
// A sample is enough, and thousands of connections must not turn pings into a second load.
const pingsPerSecond = 50;

/** What a fleet connects to. */
export interface FleetPlan {
  driver: Driver;
  /** Those of the run, of which the fleet has its {@link part}. */
  connections: number;
  part: Part;
  rampUpMs: number;
  /** How the attempts of all fleets of the run end. */
  attempts: Attempts;
  /** Samples the round trip of ping frames; false where each message has a ping of its own. */
  pings: boolean;
  /** The connection's own headers. */
  spec: (number: number) => ConnectSpec;
  /** What takes part in the conversation on a connection, between driver and lane; without it nothing does. */
  session?: ((lane: Lane, fleet: Fleet) => Sink) | undefined;
}

/** The connections of a run. */
export class Fleet implements LaneOwner {
  readonly lanes: readonly Lane[];
  readonly failures = new FailureLog();
  readonly view = new MessageView();
  /** What connections that were open did against the protocol. */
  readonly violations = new FailureLog();
  /** How connections ended before the run did. */
  readonly ends = new EndLog();
  open = 0;
  /** Connections that were closed at the end of the run, and whose target sent no close frame back. */
  unansweredCloses = 0;
  /** Called when a connection opened or ended. */
  onChange: (() => void) | undefined;

  onError: ((error: unknown) => void) | undefined;

  readonly #plan: FleetPlan;
  readonly #recorder: Recorder;
  readonly #traffic: Traffic;
  readonly #closes = new Map<string, CloseRecord>();
  #attempts = 0;
  #connecting = 0;
  #startedUs = 0;
  #stopped = false;
  #ending = false;
  #openUs = 0;
  #accruedUs = 0;
  #pingNext = 0;
  #pingBudget = 1;
  #pingedUs = 0;

  constructor(plan: FleetPlan, recorder: Recorder, traffic: Traffic) {
    this.#plan = plan;
    this.#recorder = recorder;
    this.#traffic = traffic;
    const { connections, part } = plan;
    this.lanes = Array.from(
      { length: connectionsOf(part, connections) },
      (_, index) => new Lane(index, numberOf(part, index), this),
    );
    traffic.lanes = this.lanes;
  }

  /** True when no attempt is under way and none is left to make. */
  get settled(): boolean {
    return this.#connecting === 0 && (this.#stopped || this.#attempts === this.lanes.length);
  }

  /** Attempts that are under way. */
  get connecting(): number {
    return this.#connecting;
  }

  get closes(): CloseRecord[] {
    return [...this.#closes.values()].sort((a, b) => b.count - a.count);
  }

  start(atUs: number): void {
    this.#startedUs = atUs;
    this.#pingedUs = atUs;
  }

  /** Starts the attempts that are due. */
  connectDue(atUs: number): void {
    const { connections, rampUpMs, part } = this.#plan;
    const mostConnecting = Math.ceil(maxConnecting / part.workers);
    const share = rampUpMs > 0 ? (atUs - this.#startedUs) / (rampUpMs * 1000) : 1;
    // Of all connections of the run: each opens when it would if one worker had them all.
    const dueOfRun = Math.min(connections, Math.floor(share * connections) + 1);
    const due = connectionsOf(part, dueOfRun);
    while (!this.#stopped && this.#attempts < due && (rampUpMs > 0 || this.#connecting < mostConnecting)) {
      const lane = this.lanes[this.#attempts++] as Lane;
      this.#connecting++;
      this.#recorder.counters['connections.attempted']++;
      lane.state = 'connecting';
      const sink = this.#plan.session?.(lane, this) ?? lane;
      lane.tellsReadEnds = sink === lane && this.#plan.driver.tellsReadEnds === true;
      lane.attach(this.#plan.driver.open(this.#plan.spec(lane.number), sink));
    }
  }

  /** Makes no more attempts and gives up those under way: they were never tried to their end, so they do not count. */
  stopConnecting(): void {
    this.#stopped = true;
    for (const lane of this.lanes) {
      if (lane.state !== 'connecting') continue;
      lane.state = 'left';
      lane.abort();
      this.#connecting--;
      this.#recorder.counters['connections.attempted']--;
    }
  }

  /** Samples the round trip of ping frames: each connection once a second at most, all together 50 a second. */
  pingDue(atUs: number): void {
    if (!this.#plan.pings) return;
    const passedUs = atUs - this.#pingedUs;
    this.#pingedUs = atUs;
    this.#pingBudget = Math.min(pingsPerSecond / 5, this.#pingBudget + (passedUs * pingsPerSecond) / 1e6);
    for (let tried = 0; this.#pingBudget >= 1 && tried < this.lanes.length; tried++) {
      const lane = this.lanes[this.#pingNext] as Lane;
      if (lane.isOpen && atUs - lane.pingedUs < pingEveryUs) return;
      this.#pingNext = (this.#pingNext + 1) % this.lanes.length;
      if (!lane.isOpen) continue;
      lane.pingedUs = atUs;
      lane.ping();
      this.#pingBudget--;
    }
  }

  /** Connections × time in the measure phase until now: those that were open, and those that were asked for. */
  uptime(atUs: number): { openUs: number; askedUs: number } {
    const { startUs, endUs } = this.#recorder;
    this.#accrue(atUs);
    const passedUs = Math.max(0, Math.min(atUs, endUs) - startUs);
    return { openUs: this.#openUs, askedUs: Number.isFinite(startUs) ? passedUs * this.lanes.length : 0 };
  }

  /** From now on ends of connections are our doing: they are listed as closes and count nowhere else. */
  end(): void {
    this.#ending = true;
  }

  closeAll(): void {
    for (const lane of this.lanes) if (lane.isOpen) lane.close();
  }

  abortAll(): void {
    for (const lane of this.lanes) if (lane.isOpen) lane.abort();
  }

  laneOpened(lane: Lane, split: ConnectSplit): void {
    lane.openedUs = nowUs();
    this.#accrue(lane.openedUs);
    this.#connecting--;
    this.open++;
    this.#recorder.counters['connections.opened']++;
    this.#plan.attempts.opened();
    this.#recorder.opened(split);
    this.onChange?.();
  }

  laneMessage(lane: Lane, atUs: number): void {
    if (this.#ending) return;
    lane.receivedUs = atUs;
    this.#traffic.isReading = lane.tellsReadEnds;
    try {
      this.#traffic.received(lane, this.view, atUs);
    } catch (error) {
      // Thrown into a socket's event it would end the process; it is a bug of ours, and the result says so.
      this.onError?.(error);
    }
  }

  laneReadEnd(): void {
    if (this.#ending) return;
    try {
      this.#traffic.readEnd();
    } catch (error) {
      this.onError?.(error);
    }
  }

  /** A message in the {@link view} is part of the conversation: the target pushed it. */
  lanePush(lane: Lane, atUs: number): void {
    lane.receivedUs = atUs;
    if (!this.#ending) this.#traffic.push(this.view.length, atUs);
  }

  /** True when the message in the {@link view} answers a message of the load. */
  isReply(): boolean {
    return this.#traffic.isReply(this.view);
  }

  lanePong(lane: Lane, sentUs: number, atUs: number): void {
    lane.pongedUs = atUs;
    if (this.#recorder.isMeasuring(sentUs) && !this.#ending) {
      this.#recorder.times.ping.record(atUs - sentUs);
    }
  }

  lanePongOf(lane: Lane, seq: number, atUs: number): void {
    lane.pongedUs = atUs;
    if (this.#ending) return;
    try {
      this.#traffic.pong(lane, seq, atUs);
    } catch (error) {
      this.onError?.(error);
    }
  }

  laneClosed(lane: Lane, code: number, by: ClosedBy, clean: boolean): void {
    this.#accrue(nowUs());
    this.open--;
    const key = `${code} ${by} ${clean}`;
    const record = this.#closes.get(key) ?? { code, by, clean, count: 0 };
    record.count++;
    this.#closes.set(key, record);
    if (this.#ending && by === 'us' && code === 1006) this.unansweredCloses++;
    if (!this.#ending) {
      this.#recorder.counters['connections.closed']++;
      this.ends.add(lane, code, by, nowUs());
      if (!clean || code !== 1000) this.#recorder.counters['connections.abnormal']++;
    }
    this.onChange?.();
  }

  laneFailed(lane: Lane, kind: FailureKind, detail: string): void {
    if (lane.state !== 'failed') {
      if (this.#ending) return;
      this.#recorder.counters.protocol_errors++;
      this.violations.add(kind, detail);
      return;
    }
    this.#connecting--;
    this.#recorder.counters['connections.failed']++;
    this.failures.add(kind, detail);
    if (this.#plan.attempts.failed() >= hopelessFailures) this.#stopped = true;
    this.onChange?.();
  }

  /** Adds the time since the last change that lies in the measure phase. */
  #accrue(atUs: number): void {
    const { startUs, endUs } = this.#recorder;
    const fromUs = Math.max(this.#accruedUs, startUs);
    const toUs = Math.min(atUs, endUs);
    if (toUs > fromUs) this.#openUs += (toUs - fromUs) * this.open;
    this.#accruedUs = atUs;
  }
}
