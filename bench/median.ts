// Medians and ranges of repetitions.

/** The middle one; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** `8.5 [8.3–8.8]`, or the one figure that there is. */
export function withRange(values: readonly number[], digits: number): string {
  const text = median(values).toFixed(digits);
  if (values.length < 2) return text;
  return `${text} [${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)}]`;
}
