// The run's clock: monotonic, in µs, the same in every thread of the machine.

// performance.now() is the cheapest monotonic clock but starts anew in each thread; hrtime has one epoch for all.
const offsetUs = offsetOf();

/**
 * The time of what has not happened. Not 0: an object in which a whole number becomes a fraction gets another shape, and all
 * code that was compiled for it is thrown away, in the middle of a run.
 */
export const never = Number.NEGATIVE_INFINITY;

/** The time in µs since an epoch that all threads share. Never goes back. */
export function nowUs(): number {
  return performance.now() * 1000 + offsetUs;
}

/** Both clocks are read one after the other, and the thread may have to wait in between: the closest pair of several counts. */
function offsetOf(): number {
  let least = Number.POSITIVE_INFINITY;
  let offset = 0;
  for (let tries = 0; tries < 20; tries++) {
    const before = process.hrtime.bigint();
    const now = performance.now();
    const after = process.hrtime.bigint();
    const apart = Number(after - before);
    if (apart >= least) continue;
    least = apart;
    offset = (Number(before) + apart / 2) / 1000 - now * 1000;
  }
  return offset;
}
