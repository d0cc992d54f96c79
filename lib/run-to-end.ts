// Drives a runner: hands its events on and returns its result.
import type { RunControl, RunEvent } from './result/events.ts';
import type { Result } from './result/result.ts';

/** Runs a runner to its end, calling `onEvent` with every event. */
export async function runToEnd<R extends Result>(
  runner: (signal: AbortSignal) => AsyncGenerator<RunEvent, R, void>,
  control: RunControl,
): Promise<R> {
  const events = runner(control.signal ?? new AbortController().signal);
  try {
    for (;;) {
      const next = await events.next();
      if (next.done) return next.value;
      control.onEvent?.(next.value);
    }
  } catch (error) {
    // A watcher that throws must not leave the load running with nobody to look at it.
    await events.return(undefined as never);
    throw error;
  }
}
