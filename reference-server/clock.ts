// Time as the server sees it: a monotonic clock, the wall clock and timers, in one place so that tests can replace them.

/** A source of time. Durations and penalties use `nowMs`; timestamps that peers see use `epochMs`. */
export interface Clock {
  /** Milliseconds on a clock that never goes back; its origin means nothing. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch. */
  epochMs(): number;
  /** Runs `run` once after `delayMs`; returns a function that cancels it. */
  schedule(delayMs: number, run: () => void): () => void;
}

/** Node fires a timer of more than this after 1 ms, so longer waits are made of pieces. */
const maxTimerMs = 2 ** 31 - 1;

/** The clock of the process. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
  schedule(delayMs, run) {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      const pieceMs = Math.min(leftMs, maxTimerMs);
      timer = setTimeout(() => (leftMs > pieceMs ? arm(leftMs - pieceMs) : run()), pieceMs);
    };
    arm(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};
