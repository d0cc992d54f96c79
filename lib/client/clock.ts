// Time as the client sees it, in one place, so that tests can replace it.

/** A source of time. Durations go by `nowMs`; only what a token says is compared with `epochMs`. */
export interface ClientClock {
  /** Milliseconds on a clock that never goes back; its origin means nothing. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch. */
  epochMs(): number;
  /** Runs `run` once after `delayMs`; returns a function that cancels it. */
  schedule(delayMs: number, run: () => void): () => void;
}

/** Runtimes fire a timer of more than this at once, so longer waits are made of pieces. */
const maxTimerMs = 2 ** 31 - 1;

/** The clock of the runtime. */
export const systemClock: ClientClock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
  schedule(delayMs, run) {
    let cancel: () => void;
    const arm = (leftMs: number): void => {
      const pieceMs = Math.min(leftMs, maxTimerMs);
      const timer = setTimeout(() => (leftMs > pieceMs ? arm(leftMs - pieceMs) : run()), pieceMs);
      cancel = () => clearTimeout(timer);
    };
    arm(Math.max(0, delayMs));
    return () => cancel();
  },
};
