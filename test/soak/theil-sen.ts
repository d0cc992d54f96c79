// How fast something grows, whatever single measurements say.

/** A measurement: when, in ms, and what. */
export interface Point {
  atMs: number;
  value: number;
}

/**
 * The Theil–Sen slope: the median of the slopes between all pairs of points. Up to 29 % of the points may be anything at all
 * without moving it far.
 *
 * @returns growth of the value per minute
 * @throws RangeError for fewer than two points of different times
 */
export function slopePerMinute(points: readonly Point[]): number {
  const slopes: number[] = [];
  for (const [index, { atMs, value }] of points.entries()) {
    for (const later of points.slice(index + 1)) {
      if (later.atMs !== atMs) slopes.push((later.value - value) / (later.atMs - atMs));
    }
  }
  slopes.sort((a, b) => a - b);
  const [low, high] = [slopes[(slopes.length - 1) >> 1], slopes[slopes.length >> 1]];
  if (low === undefined || high === undefined)
    throw new RangeError('a slope needs two points of different times');
  return ((low + high) / 2) * 60_000;
}

/** The points without the first quarter of their time: what a process gets used to is no leak. */
export function settled(points: readonly Point[]): Point[] {
  const times = points.map(({ atMs }) => atMs);
  const first = Math.min(...times);
  const fromMs = first + (Math.max(...times) - first) / 4;
  return points.filter(({ atMs }) => atMs >= fromMs);
}
