// All connections of a run: opens them, keeps count of how they end, and closes them.
import type { CloseRecord } from '../result/result.ts';
import type { Attempts } from './attempts.ts';
import { never, nowUs } from './clock.ts';
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
import { LanePlaces, type PlacesOwner } from './places.ts';
import type { DropKind } from './reconnect/storm.ts';
import type { Recorder } from './recorder.ts';
import { isSlow, SlowReading } from './slow-consumers.ts';
import type { Traffic } from './traffic.ts';

// Handshakes under way at once without a ramp: enough to be fast, few enough that `connect` times the target and
// not our own queue.
const maxConnecting = 200;
// When this many attempts failed and none ever opened, the rest would only take time.
const hopelessFailures = 200;

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
  /** Lost connections come back, as many at a time as there are: the herd is what is looked at. */
  reconnects: boolean;
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
export class Fleet implements LaneOwner, PlacesOwner {
  /** All that may still matter, by their index: those that have a place, and those that come and go. */
  readonly lanes: Lane[];
  readonly places: LanePlaces;
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
  /** Called when a connection that served its place is gone, and the schedule had not asked for it. */
  onLost: ((lane: Lane, code: number, by: ClosedBy, clean: boolean, atUs: number) => void) | undefined;
  /** Called when an attempt for a place begins that had a connection before. */
  onDial: ((place: number, atUs: number) => void) | undefined;

  readonly #plan: FleetPlan;
  readonly #recorder: Recorder;
  readonly #traffic: Traffic;
  readonly #closes = new CloseLog();
  readonly #pinger: Pinger;
  readonly #mostConnecting: number;
  /** The same while the load goes on. */
  readonly #mostDialling: number;
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
    this.#mostDialling = plan.reconnects ? Number.POSITIVE_INFINITY : this.#mostConnecting;
    this.lanes = Array.from({ length: connectionsOf(part, connections) }, (_, place) =>
      this.laneAt(place, place),
    );
    this.places = new LanePlaces(this, connectionsOf(part, plan.asked), plan.timeoutMs, recorder);
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
      this.#begin(this.lanes[this.#attempts++] as Lane);
    }
    return pacer && this.#due < first ? this.#startedUs + pacer(this.#due) : Number.POSITIVE_INFINITY;
  }

  /** Makes no more attempts and gives up those under way: they were never tried to their end, so they do not count. */
  stopConnecting(): void {
    this.#stopped = true;
    this.places.stop();
    for (const lane of this.lanes) this.giveUp(lane);
  }

  /** Samples the round trip of ping frames. */
  pingDue(atUs: number): void {
    if (this.#plan.pings) this.#pinger.tick(atUs, this.places.serving);
  }

  /** From now on ends of connections are our doing: they are listed as closes and count nowhere else. */
  end(): void {
    this.#ending = true;
  }

  /** Lets all connections go that have a place; they are expected to come back. */
  drop(how: DropKind, atUs: number): void {
    for (const lane of this.places.serving) if (lane.isOpen) lane.drop(how, atUs);
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
    this.places.opened(lane, lane.openedUs);
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
    this.#pinger.settled(lane);
    if (lane.isSlow) this.slow.forget(lane);
    this.open--;
    this.#closes.add(code, by, clean);
    const isDropped = lane.droppedUs !== never;
    const isOurs = this.#ending || isDropped || (lane.isClosing && (by === 'us' || clean));
    if (isOurs && !isDropped && by === 'us' && code === 1006) this.unansweredCloses++;
    if (!this.#ending) this.#recorder.counters['connections.closed']++;
    if (!isOurs) {
      this.ends.add(lane, code, by, atUs);
      if (!clean || code !== 1000) this.#recorder.counters['connections.abnormal']++;
    }
    this.places.ended(lane, atUs);
    const isAsked = !this.#ending && !lane.isClosing && this.places.serving[lane.place] === lane;
    if (isAsked) this.onLost?.(lane, code, by, clean, atUs);
    this.onChange?.();
  }

  laneFailed(lane: Lane, kind: FailureKind, detail: string, retryAfterMs?: number): void {
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
    this.places.ended(lane, nowUs(), retryAfterMs);
    this.onChange?.();
  }

  laneAt(place: number, index: number): Lane {
    const { part, slowConsumers, template } = this.#plan;
    const number = numberOf(part, place);
    const lane = new Lane({ index, place, number, isSlow: isSlow(number, slowConsumers) }, this);
    if (template) lane.template = template(number);
    this.#traffic.ledger.renew(index);
    return lane;
  }

  dial(lane: Lane): boolean {
    if (this.#connecting >= this.#mostDialling) return false;
    this.onDial?.(lane.place, nowUs());
    this.#begin(lane);
    return true;
  }

  giveUp(lane: Lane): void {
    if (lane.state !== 'connecting') return;
    lane.state = 'left';
    lane.abort();
    this.#connecting--;
    this.#recorder.counters['connections.attempted']--;
    this.places.ended(lane, nowUs());
  }

  close(lane: Lane): void {
    if (lane.isSlow) this.slow.forget(lane);
    lane.close();
  }

  #begin(lane: Lane): void {
    this.#connecting++;
    this.#recorder.counters['connections.attempted']++;
    lane.state = 'connecting';
    const sink = this.#plan.session?.(lane, this) ?? lane;
    lane.tellsReadEnds = sink === lane && this.#plan.driver.tellsReadEnds === true;
    lane.attach(this.#plan.driver.open(this.#plan.spec(lane.number), sink));
  }
}

/** Bytes can still be sent on it. */
function isConnected({ state }: Lane): boolean {
  return state === 'open' || state === 'leaving';
}
