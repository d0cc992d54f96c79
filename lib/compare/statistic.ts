// Figures of a series of seconds that can be had of any choice of its seconds, quickly.

/** Some seconds of a series, as blocks: `starts[i]` up to, and without, `ends[i]`. A second may be chosen more than once. */
export interface Blocks {
  starts: Int32Array;
  ends: Int32Array;
}

/** One figure of a series of seconds. */
export interface Statistic {
  seconds: number;
  /** The figure of the chosen seconds; infinite: a lost message holds it; NaN: there is none. */
  of(blocks: Blocks): number;
}

/** The whole series, each second once. */
export function allOf(seconds: number): Blocks {
  return { starts: Int32Array.of(0), ends: Int32Array.of(seconds) };
}

/** Sums from the first second up to each: the sum of any block is a difference. */
export function prefixSums(values: Float64Array): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (let at = 0; at < values.length; at++) sums[at + 1] = (sums[at] ?? 0) + (values[at] ?? 0);
  return sums;
}

/** The sum of the chosen seconds. */
export function sumOf(sums: Float64Array, { starts, ends }: Blocks): number {
  let sum = 0;
  for (let i = 0; i < starts.length; i++) {
    sum += (sums[ends[i] as number] as number) - (sums[starts[i] as number] as number);
  }
  return sum;
}

/** Sum by sum, such as errors by scheduled messages. A chosen second with something in `barred` makes the figure infinite. */
export function ratioStatistic(parts: Float64Array, wholes: Float64Array, barred?: Float64Array): Statistic {
  const [upper, lower] = [prefixSums(parts), prefixSums(wholes)];
  const bars = barred && prefixSums(barred);
  return {
    seconds: parts.length,
    of(blocks) {
      if (bars && sumOf(bars, blocks) > 0) return Number.POSITIVE_INFINITY;
      return sumOf(upper, blocks) / sumOf(lower, blocks);
    },
  };
}
