// The run's clock: monotonic, in µs, the same in every thread of the machine.

// performance.now() is the cheapest monotonic clock but starts anew in each thread; hrtime has one epoch for all.
const offsetUs = Number(process.hrtime.bigint() / 1000n) - performance.now() * 1000;

/** The time in µs since an epoch that all threads share. Never goes back. */
export function nowUs(): number {
  return performance.now() * 1000 + offsetUs;
}
