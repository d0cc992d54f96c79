// The places that a fleet's connections have in the schedule: who serves which, who follows, and who leaves.
import { never, nowUs } from './clock.ts';
import type { Lane } from './lane.ts';
import { SpareIndexes } from './spare-indexes.ts';
import type { Places } from './turnover.ts';
import { type MeasurePhase, Uptime } from './uptime.ts';

// A connection that is over keeps its index until nothing that is remembered of its messages can be taken for another's.
const spareTimeouts = 2;
// Thousands may be due at once, and messages are due meanwhile: after so long a time, looked at every so often, others have their turn.
const mostTurnUs = 10_000;
const attemptsPerLook = 16;

/** What places need of the fleet that they belong to. */
export interface PlacesOwner {
  /** All connections by index: those that have a place, and those that come and go. */
  readonly lanes: Lane[];
  /** Makes the connection for a place; no attempt is begun. */
  laneAt(place: number, index: number): Lane;
  /** Begins an attempt, if another may be under way. */
  dial(lane: Lane): boolean;
  giveUp(lane: Lane): void;
  close(lane: Lane): void;
}

/** Connections at their places. A connection that follows another takes over when it is open, and the other one then leaves. */
export class LanePlaces implements Places {
  /** Those that have a place, or had it last. */
  readonly serving: Lane[];
  /** Called when a connection begins to serve its place. */
  onServes: ((lane: Lane, atUs: number) => void) | undefined;
  /** Called when a connection is in service: open, at its place, and asked for. */
  onUp: ((lane: Lane) => void) | undefined;
  /** Called when the connection that should have taken over a place could not be opened. */
  onMissed: ((place: number, atUs: number, retryAfterMs?: number) => void) | undefined;

  readonly #owner: PlacesOwner;
  readonly #uptime: Uptime;
  readonly #spare: SpareIndexes;
  /** Those that are to follow, by place; those that wait for their attempt; those that are to be closed. */
  readonly #followers = new Map<number, Lane>();
  #waiting: Lane[] = [];
  #leaving: Lane[] = [];

  /**
   * @param asked places that are asked for
   * @param timeoutMs a message without an answer after this time is lost
   */
  constructor(owner: PlacesOwner, asked: number, timeoutMs: number, phase: MeasurePhase) {
    this.#owner = owner;
    this.serving = [...owner.lanes];
    this.#uptime = new Uptime(asked, phase);
    this.#spare = new SpareIndexes(owner.lanes.length, spareTimeouts * timeoutMs * 1000);
  }

  /** Connections × time in the measure phase until now: those that were open, and those that were asked for. */
  uptime(atUs: number): { openUs: number; askedUs: number } {
    return this.#uptime.at(atUs);
  }

  /** Begins the attempts that wait, and closes what has left. */
  tick(): void {
    const turnEndUs = nowUs() + mostTurnUs;
    let begun = 0;
    for (const lane of this.#waiting) {
      if (begun > 0 && begun % attemptsPerLook === 0 && nowUs() > turnEndUs) break;
      if (lane.state === 'idle' && !this.#owner.dial(lane)) break;
      begun++;
    }
    this.#waiting.splice(0, begun);
    if (this.#leaving.length === 0) return;
    for (const lane of this.#leaving) {
      if (lane.state !== 'leaving' || lane.outstanding > 0) continue;
      lane.isClosing = true;
      this.#owner.close(lane);
    }
    this.#leaving = this.#leaving.filter((lane) => lane.state === 'leaving' && !lane.isClosing);
  }

  /** Attempts wait for their turn. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Begins no attempt any more. */
  stop(): void {
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
    const fresh = this.#owner.laneAt(place, this.#spare.take(nowUs()));
    this.#owner.lanes[fresh.index] = fresh;
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
      if (lane?.state === 'open') this.retire(lane);
      else if (lane?.state === 'connecting') this.#owner.giveUp(lane);
      // Its attempt was not begun.
      else if (lane?.state === 'idle' && lane === follower) {
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

  /** A connection has opened. */
  opened(lane: Lane, atUs: number): void {
    if (this.serving[lane.place] === lane) this.#serve(lane, atUs);
    else this.#takeOver(lane.place, atUs);
  }

  /** A connection is over, or could not be opened, or its attempt was given up by us. */
  ended(lane: Lane, atUs: number, retryAfterMs?: number): void {
    this.#mark(lane, atUs);
    this.#free(lane, atUs);
    if (this.#followers.get(lane.place) !== lane) return;
    this.#followers.delete(lane.place);
    const old = this.serving[lane.place];
    // Whoever has the place keeps it.
    if (old) old.isReplaced = false;
    this.onMissed?.(lane.place, atUs, retryAfterMs);
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

  /** The index of a connection that is over, and whose place is another's, can be used again after a while. */
  #free(lane: Lane, atUs: number): void {
    const isOver = lane.state === 'closed' || lane.state === 'failed' || lane.state === 'left';
    if (!isOver || this.serving[lane.place] === lane) return;
    // Nothing was ever sent on one that did not open.
    if (lane.openedUs === never) this.#spare.giveBackUnused(lane.index);
    else this.#spare.giveBack(lane.index, atUs);
  }
}
