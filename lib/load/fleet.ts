// All connections of a run: opens them, keeps count of how they end, and closes them.
import type { CloseRecord } from '../result/result.ts';
import type { Attempts } from './attempts.ts';
import { nowUs } from './clock.ts';
import { CloseLog } from './close-log.ts';
import type {
  ClosedBy,
  ConnectSpec,
  ConnectSplit,
  Driver,
  FailureKind,
  MessageTemplate,
  Sink,
} from './drivers/driver.ts';
import { EndLog } from './ends.ts';
import { FailureLog } from './failures.ts';
import { Lane, type LaneOwner } from './lane.ts';
import { MessageView } from './message-view.ts';
import type { Pacer } from './pacer.ts';
import { connectionsOf, numberOf, type Part } from './part.ts';
import { Pinger } from './pinger.ts';
import type { Recorder } from './recorder.ts';
import { isSlow, SlowReading } from './slow-consumers.ts';
import { SpareIndexes } from './spare-indexes.ts';
import type { Traffic } from './traffic.ts';
import type { Places } from './turnover.ts';
import { Uptime } from './uptime.ts';

// Handshakes under way at once without a ramp: enough to be fast, few enough that `connect` times the target and
// not our own queue.
const maxConnecting = 200;
// When this many attempts failed and none ever opened, the rest would only take time.
const hopelessFailures = 200;
// A connection that is over keeps its index until nothing that is remembered of its messages can be taken for another's.
const spareTimeouts = 2;

/** What a fleet connects to. */
export interface FleetPlan {
  driver: Driver;
  /** The most that the run has at a time, of which the fleet has its {@link part}. */
  connections: number;
  /** Those that are opened before the load, and those of them that are asked for. */
  first: number;
  asked: number;
  part: Part;
  /** How the attempts of all fleets of the run end. */
  attempts: Attempts;
  /** When the run's first connections are to be opened, in µs after the start; undefined: as fast as it goes. */
  pacer: Pacer | undefined;
  /** A message without an answer after this time is lost. */
  timeoutMs: number;
  /** The share that reads slowly. */
  slowConsumers: number;
  /** Samples the round trip of ping frames; false where each message has a ping of its own. */
  pings: boolean;
  /** The connection's own headers. */
  spec: (number: number) => ConnectSpec;
  /** What takes part in the conversation on a connection, between driver and lane; without it nothing does. */
  session?: ((lane: Lane, fleet: Fleet) => Sink) | undefined;
  /** The message of the connection with a number, where it has one of its own. */
  template?: ((number: number) => MessageTemplate) | undefined;
}

/** The connections of a run. */
export class Fleet implements LaneOwner, Places {
  /** All that may still matter, by their index: those that have a place, and those that come and go. */
  readonly lanes: Lane[];
  /** Those that have a place, or had it last. */
  readonly serving: Lane[];
  readonly failures = new FailureLog();
  readonly view = new MessageView();
  readonly slow = new SlowReading();
  /** What connections that were open did against the protocol. */
  readonly violations = new FailureLog();
  /** How connections ended before the run did, and not by our will. */
  readonly ends = new EndLog();
  open = 0;
  /** Connections that were closed by us, and whose target sent no close frame back. */
  unansweredCloses = 0;
  /** Called when a connection opened or ended. */
  onChange: (() => void) | undefined;
  onError: ((error: unknown) => void) | undefined;
  /** Called when a connection begins to serve its place. */
  onServes: ((lane: Lane, atUs: number) => void) | undefined;
  /** Called when a connection is in service: open, at its place, and asked for. */
  onUp: ((lane: Lane) => void) | undefined;
  /** Called when the connection that should have taken over a place could not be opened. */
  onMissed: ((place: number, atUs: number) => void) | undefined;

  readonly #plan: FleetPlan;
  readonly #recorder: Recorder;
  readonly #traffic: Traffic;
  readonly #closes = new CloseLog();
  readonly #pinger: Pinger;
  readonly #uptime: Uptime;
  readonly #mostConnecting: number;
  /** Those that are to follow, by place; those that wait for their attempt; those that are to be closed. */
  readonly #followers = new Map<number, Lane>();
  #waiting: Lane[] = [];
  #leaving: Lane[] = [];
  readonly #spare: SpareIndexes;
  /** Attempts of the connect phase: of the run, and of this fleet. */
  #due = 0;
  #attempts = 0;
  readonly #first: number;
  #connecting = 0;
  #startedUs = 0;
  #stopped = false;
  #ending = false;

  constructor(plan: FleetPlan, recorder: Recorder, traffic: Traffic) {
    this.#plan = plan;
    this.#recorder = recorder;
    this.#traffic = traffic;
    const { connections, first, part } = plan;
    this.#pinger = new Pinger(part.workers);
    this.#first = connectionsOf(part, first);
    this.#mostConnecting = Math.ceil(maxConnecting / part.workers);
    this.lanes = Array.from({ length: connectionsOf(part, connections) }, (_, place) =>
      this.#laneAt(place, place),
    );
    this.serving = [...this.lanes];
    this.#spare = new SpareIndexes(this.lanes.length, spareTimeouts * plan.timeoutMs * 1000);
    this.#uptime = new Uptime(connectionsOf(part, plan.asked), recorder);
    traffic.lanes = this.lanes;
  }

  /** True when no attempt is under way and none is left to make. */
  get settled(): boolean {
    return this.#connecting === 0 && (this.#stopped || this.#attempts === this.#first);
  }

  /** Attempts that are under way. */
  get connecting(): number {
    return this.#connecting;
  }

  get closes(): CloseRecord[] {
    return this.#closes.records;
  }

  start(atUs: number): void {
    this.#startedUs = atUs;
    this.#pinger.start(atUs);
  }

  /** Starts the attempts that are due; returns when the next is. */
  connectDue(atUs: number): number {
    const { pacer, first, part } = this.#plan;
    if (pacer) {
      // Of all connections of the run: each opens when it would if one worker had them all.
      while (this.#due < first && this.#startedUs + pacer(this.#due) <= atUs) this.#due++;
    } else this.#due = first;
    const due = connectionsOf(part, this.#due);
    while (!this.#stopped && this.#attempts < due && (pacer || this.#connecting < this.#mostConnecting)) {
      this.#dial(this.lanes[this.#attempts++] as Lane);
    }
    return pacer && this.#due < first ? this.#startedUs + pacer(this.#due) : Number.POSITIVE_INFINITY;
  }

  /** Makes no more attempts and gives up those under way: they were never tried to their end, so they do not count. */
  stopConnecting(): void {
    this.#stopped = true;
    this.#waiting = [];
    this.#followers.clear();
    for (const lane of this.lanes) this.#giveUp(lane);
  }

  /** Opens, closes and replaces connections while the load goes on. */
  tick(): void {
    while (this.#waiting.length > 0 && this.#connecting < this.#mostConnecting) {
      const lane = this.#waiting.shift();
      if (lane?.state === 'idle') this.#dial(lane);
    }
    if (this.#leaving.length === 0) return;
    for (const lane of this.#leaving) {
      if (lane.state !== 'leaving' || lane.outstanding > 0) continue;
      lane.isClosing = true;
      if (lane.isSlow) this.slow.forget(lane);
      lane.close();
    }
    this.#leaving = this.#leaving.filter((lane) => lane.state === 'leaving' && !lane.isClosing);
  }

  /** Begins no connection any more. */
  stopReplacing(): void {
    this.#waiting = [];
  }

  ask(places: number, atUs: number): void {
    const { asked } = this.#uptime;
    this.#uptime.ask(places, atUs);
    for (let place = Math.min(asked, places); place < Math.max(asked, places); place++) {
      const lane = this.serving[place];
      if (lane) this.#mark(lane, atUs);
    }
  }

  fill(place: number): void {
    const lane = this.serving[place];
    if (!lane || lane.state === 'open' || lane.state === 'connecting') return;
    if (lane.state === 'idle') this.#waiting.push(lane);
    else this.prepare(place);
  }

  prepare(place: number): void {
    const lane = this.serving[place];
    if (!lane || lane.state === 'connecting' || this.#followers.has(place)) return;
    const fresh = this.#laneAt(place, this.#freeIndex());
    this.lanes[fresh.index] = fresh;
    this.#followers.set(place, fresh);
    this.#waiting.push(fresh);
  }

  replace(place: number): void {
    const lane = this.serving[place];
    if (!lane || lane.state === 'connecting') return;
    lane.isReplaced = true;
    this.prepare(place);
    this.#takeOver(place, nowUs());
  }

  vacate(place: number): void {
    const follower = this.#followers.get(place);
    this.#followers.delete(place);
    for (const lane of [follower, this.serving[place]]) {
      if (!lane) continue;
      if (lane.state === 'open') this.retire(lane);
      else if (lane.state === 'connecting') this.#giveUp(lane);
      // Its attempt was not begun.
      else if (lane.state === 'idle' && lane === follower) {
        lane.state = 'left';
        this.#free(lane, nowUs());
      }
    }
  }

  retire(lane: Lane): void {
    if (lane.state !== 'open') return;
    const atUs = nowUs();
    lane.state = 'leaving';
    this.#leaving.push(lane);
    this.#mark(lane, atUs);
    this.#takeOver(lane.place, atUs);
  }

  /** Samples the round trip of ping frames. */
  pingDue(atUs: number): void {
    if (this.#plan.pings) this.#pinger.tick(atUs, this.serving);
  }

  /** Connections × time in the measure phase until now: those that were open, and those that were asked for. */
  uptime(atUs: number): { openUs: number; askedUs: number } {
    return this.#uptime.at(atUs);
  }

  /** From now on ends of connections are our doing: they are listed as closes and count nowhere else. */
  end(): void {
    this.#ending = true;
  }

  closeAll(): void {
    for (const lane of this.lanes) if (isConnected(lane)) lane.close();
  }

  abortAll(): void {
    for (const lane of this.lanes) if (isConnected(lane)) lane.abort();
  }

  laneOpened(lane: Lane, split: ConnectSplit): void {
    lane.openedUs = nowUs();
    this.#connecting--;
    this.open++;
    this.#recorder.counters['connections.opened']++;
    this.#plan.attempts.opened();
    this.#recorder.opened(split);
    if (this.serving[lane.place] === lane) this.#serve(lane, lane.openedUs);
    else this.#takeOver(lane.place, lane.openedUs);
    this.onChange?.();
  }

  laneMessage(lane: Lane, atUs: number): void {
    if (this.#ending) return;
    lane.receivedUs = atUs;
    this.#traffic.isReading = lane.tellsReadEnds;
    // One that is being closed reads on, or it would never see the answer.
    if (lane.isSlow && !lane.isClosing) this.slow.read(lane, this.view.length, atUs);
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
    if (lane.isSlow && !this.#ending) this.slow.read(lane, this.view.length, atUs);
    if (!this.#ending) this.#traffic.push(this.view.length, atUs);
  }

  /** True when the message in the {@link view} answers a message of the load. */
  isReply(): boolean {
    return this.#traffic.isReply(this.view);
  }

  lanePong(lane: Lane, sentUs: number, atUs: number): void {
    lane.pongedUs = atUs;
    this.#pinger.settled(lane);
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
    const atUs = nowUs();
    this.#mark(lane, atUs);
    this.#pinger.settled(lane);
    if (lane.isSlow) this.slow.forget(lane);
    this.open--;
    this.#closes.add(code, by, clean);
    const isOurs = this.#ending || (lane.isClosing && (by === 'us' || clean));
    if (isOurs && by === 'us' && code === 1006) this.unansweredCloses++;
    if (!this.#ending) this.#recorder.counters['connections.closed']++;
    if (!isOurs) {
      this.ends.add(lane, code, by, atUs);
      if (!clean || code !== 1000) this.#recorder.counters['connections.abnormal']++;
    }
    this.#missed(lane, atUs);
    this.#free(lane, atUs);
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
    const atUs = nowUs();
    this.#free(lane, atUs);
    this.#missed(lane, atUs);
    this.onChange?.();
  }

  #dial(lane: Lane): void {
    this.#connecting++;
    this.#recorder.counters['connections.attempted']++;
    lane.state = 'connecting';
    const sink = this.#plan.session?.(lane, this) ?? lane;
    lane.tellsReadEnds = sink === lane && this.#plan.driver.tellsReadEnds === true;
    lane.attach(this.#plan.driver.open(this.#plan.spec(lane.number), sink));
  }

  #giveUp(lane: Lane): void {
    if (lane.state !== 'connecting') return;
    lane.state = 'left';
    lane.abort();
    this.#connecting--;
    this.#recorder.counters['connections.attempted']--;
    this.#free(lane, nowUs());
  }

  /** A connection that was to follow could not be opened, or ended before its turn came. */
  #missed(lane: Lane, atUs: number): void {
    if (this.#followers.get(lane.place) !== lane) return;
    this.#followers.delete(lane.place);
    const old = this.serving[lane.place];
    // Whoever has the place keeps it.
    if (old) old.isReplaced = false;
    this.onMissed?.(lane.place, atUs);
  }

  /** The connection that is to follow takes over its place, if it is open, and if the one that has it is no longer needed. */
  #takeOver(place: number, atUs: number): void {
    const [old, lane] = [this.serving[place], this.#followers.get(place)];
    if (!old || !lane?.isOpen || (old.isOpen && !old.isReplaced)) return;
    this.#followers.delete(place);
    this.serving[place] = lane;
    this.retire(old);
    // It may have been over for long, with its index kept for its place.
    this.#free(old, atUs);
    this.#serve(lane, atUs);
  }

  #serve(lane: Lane, atUs: number): void {
    this.#mark(lane, atUs);
    this.onServes?.(lane, atUs);
  }

  /** Notes whether a connection is in service. */
  #mark(lane: Lane, atUs: number): void {
    const isUp = lane.isOpen && this.serving[lane.place] === lane && lane.place < this.#uptime.asked;
    if (isUp === lane.isUp) return;
    lane.isUp = isUp;
    this.#uptime.add(isUp ? 1 : -1, atUs);
    if (isUp) this.onUp?.(lane);
  }

  #laneAt(place: number, index: number): Lane {
    const { part, slowConsumers, template } = this.#plan;
    const number = numberOf(part, place);
    const lane = new Lane({ index, place, number, isSlow: isSlow(number, slowConsumers) }, this);
    if (template) lane.template = template(number);
    return lane;
  }

  #freeIndex(): number {
    const index = this.#spare.take(nowUs());
    this.#traffic.ledger.renew(index);
    return index;
  }

  /** The index of a connection that is over, and whose place is another's, can be used again after a while. */
  #free(lane: Lane, atUs: number): void {
    const isOver = lane.state === 'closed' || lane.state === 'failed' || lane.state === 'left';
    if (!isOver || this.serving[lane.place] === lane) return;
    this.#spare.giveBack(lane.index, atUs);
  }
}

/** Bytes can still be sent on it. */
function isConnected({ state }: Lane): boolean {
  return state === 'open' || state === 'leaving';
}
