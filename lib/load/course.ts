// A quantity that changes along straight lines: how many connections are asked for, how many messages a second. Pure.

/** A stretch of time in which a quantity goes linearly from one value to another; times in µs after the start. */
export interface Piece {
  startUs: number;
  endUs: number;
  from: number;
  to: number;
}

/** Stretches that follow one another without gaps, from 0 on. */
export type Course = readonly Piece[];

/** One stage of a quantity: it goes to `to` over this time, or stays what it is. No time: it jumps. */
export interface Leg {
  durationMs: number;
  to?: number | undefined;
}

/** The course of a quantity that begins at `start`. Legs that take no time at the very beginning say where it begins. */
export function courseOf(start: number, legs: readonly Leg[]): Course {
  const pieces: Piece[] = [];
  let startUs = 0;
  let from = start;
  for (const { durationMs, to = from } of legs) {
    const endUs = startUs + durationMs * 1000;
    if (durationMs > 0) pieces.push({ startUs, endUs, from, to });
    startUs = endUs;
    from = to;
  }
  return pieces;
}

/** The value at a time; before the beginning the first one, after the end the last. At a jump, the new value. */
export function valueAt(course: Course, atUs: number): number {
  const piece = course.find(({ endUs }) => atUs < endUs) ?? course.at(-1);
  if (!piece) return 0;
  const share = (atUs - piece.startUs) / (piece.endUs - piece.startUs);
  return piece.from + (piece.to - piece.from) * Math.min(1, Math.max(0, share));
}

/** The largest value. */
export function peakOf(course: Course): number {
  return course.reduce((most, { from, to }) => Math.max(most, from, to), 0);
}

/** The area under a piece that says how many a second: how many in all. */
export function areaOf({ startUs, endUs, from, to }: Piece): number {
  return (((from + to) / 2) * (endUs - startUs)) / 1e6;
}

// What adding up pieces may get wrong by rounding, in messages.
const grace = 1e-6;

/**
 * When the area under a rate reaches a count: the inverse of the integral, in closed form for each piece, so that nothing
 * accumulates from one count to the next. Infinity for a count that is never reached. Counts are asked for in ascending order.
 */
export function timeOfCount(course: Course): (count: number) => number {
  let index = 0;
  let before = 0;
  return (count) => {
    for (let piece = course[index]; piece; piece = course[++index]) {
      const area = areaOf(piece);
      // At the very end of a piece the next one says when: what comes after a slope to 0 may be a pause.
      if (count - before < area - grace) return timeIn(piece, count - before);
      before += area;
    }
    return Number.POSITIVE_INFINITY;
  };
}

function timeIn({ startUs, endUs, from, to }: Piece, count: number): number {
  // A product of the count, as in a schedule of one rate only.
  if (from === to) return startUs + (count * 1e6) / from;
  const slope = ((to - from) * 1e6) / (endUs - startUs);
  // The root of slope/2·t² + from·t = count, in the form that does not cancel when the slope is small.
  const root = Math.sqrt(Math.max(0, from * from + 2 * slope * count));
  return Math.min(endUs, startUs + (count === 0 ? 0 : (2 * count * 1e6) / (from + root)));
}

/** From a time on, so many are asked for. */
export interface Step {
  atUs: number;
  count: number;
}

/**
 * The course of a number of things, in whole steps: the value rounded. The first step is at 0; a jump is one step, a slope
 * has one for each thing that comes or goes.
 */
export function stepsOf(course: Course): Step[] {
  const steps: Step[] = [{ atUs: 0, count: Math.round(course[0]?.from ?? 0) }];
  const add = (atUs: number, count: number): void => {
    const last = steps[steps.length - 1] as Step;
    if (count === last.count) return;
    if (atUs <= last.atUs) last.count = count;
    else steps.push({ atUs, count });
  };
  for (const { startUs, endUs, from, to } of course) {
    add(startUs, Math.round(from));
    const way = Math.sign(to - from);
    for (let count = Math.round(from); count !== Math.round(to); count += way) {
      const edge = count + way / 2;
      add(startUs + ((edge - from) / (to - from)) * (endUs - startUs), count + way);
    }
  }
  return steps;
}

/**
 * The most that is asked for from a time to `aheadUs` later: steps up come so much earlier, before the beginning if need be,
 * and steps down where they were, unless they are soon taken back.
 */
export function stepsAhead(steps: readonly Step[], aheadUs: number): Step[] {
  const times = [...new Set(steps.flatMap(({ atUs }) => [atUs - aheadUs, atUs]))].sort((a, b) => a - b);
  const ahead: Step[] = [];
  // Steps within reach that none of the later ones exceeds, so that the first is the most.
  const reach: number[] = [];
  let first = 0;
  let next = 0;
  const countOf = (index: number | undefined): number => steps[index ?? 0]?.count ?? 0;
  for (const atUs of times) {
    // The same difference as among the times: a sum would be rounded differently.
    for (; next < steps.length && (steps[next]?.atUs ?? 0) - aheadUs <= atUs; next++) {
      while (reach.length > first && countOf(reach.at(-1)) <= countOf(next)) reach.pop();
      reach.push(next);
    }
    // One is over when the step after it was made.
    while (reach.length > first + 1 && (steps[(reach[first] ?? 0) + 1]?.atUs ?? 0) <= atUs) first++;
    const count = countOf(reach[first]);
    if (ahead.at(-1)?.count !== count) ahead.push({ atUs, count });
  }
  return ahead;
}
