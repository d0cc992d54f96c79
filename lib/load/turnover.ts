// Which connections are asked for while the load goes on, and which are replaced by fresh ones.
import type { Step } from './course.ts';
import { stepsAhead } from './course.ts';
import type { Lane } from './lane.ts';
import { connectionsOf, type Part } from './part.ts';

// So much before its first message is due a connection begins to open: enough for a target far away, and for many at once.
const aheadUs = 1e6;
// One that could not be replaced is tried again, but not in a loop.
const againUs = 1e6;

/** What a turnover is made from. */
export interface TurnoverPlan {
  part: Part;
  /** The connections that are asked for, by the time since the measure phase began. */
  steps: readonly Step[];
  /** Connections of the run to replace a second; 0: none. */
  churnPerSecond: number;
  /** Messages after which a connection is replaced; 0: any number. */
  messagesPerConnection: number;
  /** How many messages a second one connection gets, for knowing ahead when it is worn out; null: as many as it can. */
  ratePerConnection: (atUs: number) => number | null;
}

/** What a turnover does to the connections of a worker, by their places. */
export interface Places {
  readonly serving: readonly Lane[];
  /** So many of the first places are asked for from `atUs` on. */
  ask(places: number, atUs: number): void;
  /** Opens a connection at a place that has none. */
  fill(place: number): void;
  /** Opens a fresh connection for a place, which takes it over when the present one takes no more. */
  prepare(place: number): void;
  /** The same, but it takes over as soon as it is open; the present one then leaves. */
  replace(place: number): void;
  /** The connection at a place, and whatever is to follow it, leaves. */
  vacate(place: number): void;
  /** A connection takes no more messages, and leaves. */
  retire(lane: Lane): void;
}

/** Runs from the beginning of the warm-up to the end of the measure phase. */
export class Turnover {
  readonly #plan: TurnoverPlan;
  readonly #places: Places;
  readonly #held: readonly Step[];
  readonly #queue: ChurnQueue;
  #startUs = Number.POSITIVE_INFINITY;
  #measuredUs = Number.POSITIVE_INFINITY;
  #endUs = Number.POSITIVE_INFINITY;
  /** Of {@link TurnoverPlan.steps} and of {@link held}, the one to be made next. */
  #nextAsked = 1;
  #nextHeld = 1;
  #holding: number;
  #churned = 0;
  readonly #again: { place: number; atUs: number }[] = [];

  constructor(plan: TurnoverPlan, places: Places) {
    this.#plan = plan;
    this.#places = places;
    this.#held = stepsAhead(plan.steps, aheadUs);
    this.#holding = this.#held[0]?.count ?? 0;
    const most = Math.max(...plan.steps.map(({ count }) => count));
    this.#queue = new ChurnQueue(plan.steps[0]?.count ?? 0, most);
  }

  /** Begins: the warm-up at `startUs`, the measure phase from `measuredUs` to `endUs`. */
  begin(startUs: number, measuredUs: number, endUs: number): void {
    this.#startUs = startUs;
    this.#measuredUs = measuredUs;
    this.#endUs = endUs;
    for (const lane of this.#places.serving) if (lane.isOpen) this.serves(lane, startUs);
  }

  /** No connection is opened or closed any more. */
  stop(): void {
    this.#endUs = Number.NEGATIVE_INFINITY;
  }

  get isOn(): boolean {
    return this.#startUs < this.#endUs;
  }

  /** Does what is due; returns when something is due next. */
  tick(atUs: number): number {
    if (!this.isOn) return Number.POSITIVE_INFINITY;
    let nextUs = this.#nextUs();
    for (; nextUs <= atUs && nextUs < this.#endUs; nextUs = this.#nextUs()) this.#do(nextUs);
    return nextUs;
  }

  /** A connection begins to serve its place. */
  serves(lane: Lane, atUs: number): void {
    const { messagesPerConnection: most, ratePerConnection } = this.#plan;
    // Before it has begun nothing is sent that would wear anything out.
    if (most === 0 || !this.isOn) return;
    lane.left = most;
    const rate = ratePerConnection(atUs - this.#measuredUs);
    // Half of its life in advance at most: two connections a place are enough.
    const half = Math.ceil(most / 2);
    lane.renewAt = rate === null ? half : Math.min(half, Math.max(1, Math.ceil((rate * aheadUs) / 1e6)));
    if (lane.left <= lane.renewAt) this.#places.prepare(lane.place);
  }

  /** A connection has taken so many messages that it is time for the next, or its last. */
  wears(lane: Lane): void {
    if (!this.isOn) return;
    if (lane.left === 0) this.#places.retire(lane);
    else this.#places.prepare(lane.place);
  }

  /** The connection that should have taken over a place could not be opened. */
  failed(place: number, atUs: number): void {
    const lane = this.#places.serving[place];
    // One that still serves goes on, and its turn comes again; one that is worn out leaves its place empty.
    if (!this.isOn || this.#plan.messagesPerConnection === 0 || !lane) return;
    if (lane.left <= Math.max(0, lane.renewAt)) this.#again.push({ place, atUs: atUs + againUs });
  }

  #nextUs(): number {
    return Math.min(
      this.#measuredUs + (this.#plan.steps[this.#nextAsked]?.atUs ?? Number.POSITIVE_INFINITY),
      this.#heldUs,
      this.#churnUs,
      this.#again[0]?.atUs ?? Number.POSITIVE_INFINITY,
    );
  }

  /** What would have been due before the beginning is due at once. */
  get #heldUs(): number {
    const step = this.#held[this.#nextHeld];
    return step ? Math.max(this.#startUs, this.#measuredUs + step.atUs) : Number.POSITIVE_INFINITY;
  }

  get #churnUs(): number {
    const { churnPerSecond: rate } = this.#plan;
    return rate > 0 ? this.#startUs + ((this.#churned + 1) * 1e6) / rate : Number.POSITIVE_INFINITY;
  }

  #do(atUs: number): void {
    const { steps } = this.#plan;
    const asked = steps[this.#nextAsked];
    if (asked && this.#measuredUs + asked.atUs <= atUs) {
      this.#nextAsked++;
      this.#queue.ask(asked.count);
      this.#places.ask(connectionsOf(this.#plan.part, asked.count), atUs);
    }
    const held = this.#held[this.#nextHeld];
    if (held && this.#heldUs <= atUs) {
      this.#nextHeld++;
      this.#hold(held.count);
    }
    if (this.#churnUs <= atUs) this.#churn();
    while (this.#again[0] && this.#again[0].atUs <= atUs) {
      const { place = 0 } = this.#again.shift() ?? {};
      this.#places.prepare(place);
    }
  }

  #hold(count: number): void {
    const { part } = this.#plan;
    const [before, after] = [connectionsOf(part, this.#holding), connectionsOf(part, count)];
    for (let place = before; place < after; place++) this.#places.fill(place);
    for (let place = before - 1; place >= after; place--) this.#places.vacate(place);
    this.#holding = count;
  }

  #churn(): void {
    this.#churned++;
    const number = this.#queue.next();
    const { worker, workers } = this.#plan.part;
    if (number !== undefined && number % workers === worker)
      this.#places.replace((number - worker) / workers);
  }
}

/** Whose turn it is to be replaced: all workers of a run go through the same line. */
class ChurnQueue {
  readonly #line: Int32Array;
  readonly #isIn: Uint8Array;
  #first = 0;
  #count = 0;
  #asked = 0;

  constructor(asked: number, most: number) {
    this.#line = new Int32Array(most);
    this.#isIn = new Uint8Array(most);
    this.ask(asked);
  }

  ask(asked: number): void {
    for (let number = this.#asked; number < asked; number++) if (this.#isIn[number] === 0) this.#add(number);
    this.#asked = asked;
  }

  /** The number that waited longest, which goes to the end of the line; undefined: there is none. */
  next(): number | undefined {
    while (this.#count > 0) {
      const number = this.#line[this.#first] ?? 0;
      this.#first = (this.#first + 1) % this.#line.length;
      this.#count--;
      this.#isIn[number] = 0;
      // One that is not asked for any more leaves the line when its turn comes.
      if (number >= this.#asked) continue;
      this.#add(number);
      return number;
    }
    return undefined;
  }

  #add(number: number): void {
    this.#line[(this.#first + this.#count++) % this.#line.length] = number;
    this.#isIn[number] = 1;
  }
}
