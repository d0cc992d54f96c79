// Drives a runner: hands its events on and returns its result.
import type { RunControl, RunEvent } from './result/events.ts';
import type { Result } from './result/result.ts';

/** Runs a runner to its end, calling `onEvent` with every event. */
export async function runToEnd<R extends Result>(
  runner: (signal: AbortSignal) => AsyncGenerator<RunEvent, R, void>,
  control: RunControl,
): Promise<R> {
  const events = runner(control.signal ?? new AbortController().signal);
  for (;;) {
    const next = await events.next();
    if (next.done) return next.value;
    control.onEvent?.(next.value);
  }
}
