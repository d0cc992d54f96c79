// How long a connection pauses between a reply and its next message. Pure.

/** The pause before message `count` (0, 1, …) of the connection with a number, in µs: the same in every run of one seed. */
export type ThinkTime = (number: number, count: number) => number;

/**
 * Pauses drawn evenly from a span, from the seed: by connection and message, so that neither the replies nor the number of
 * workers have a say in them. Undefined for no pause at all.
 */
export function thinkTimeOf([fromMs, toMs]: readonly [number, number], seed: number): ThinkTime | undefined {
  if (toMs === 0) return undefined;
  const [fromUs, spanUs] = [fromMs * 1000, (toMs - fromMs) * 1000];
  if (spanUs === 0) return () => fromUs;
  return (number, count) => fromUs + spanUs * drawn(seed, number, count);
}

/** An even number in [0, 1), mixed from three others. */
function drawn(seed: number, number: number, count: number): number {
  let mixed =
    Math.imul(seed ^ Math.imul(number + 1, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(count + 1, 0xc2b2ae35);
  for (const factor of [0x85ebca6b, 0xc2b2ae35]) mixed = Math.imul(mixed ^ (mixed >>> 15), factor);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}
