// What a generator process is asked for, as its one argument.

/** A load on an echo server. */
export interface GeneratorLoad {
  url: string;
  connections: number;
  sizeBytes: number;
  depth?: number;
  ratePerSecond?: number;
  /** Only open connections, and keep them for {@link durationMs}. */
  idle?: boolean;
  /** How long it is to last, for generators that end by themselves. */
  durationMs: number;
}

/** The load that this process was started for. */
export function askedLoad<T extends { url: string } = GeneratorLoad>(): T {
  return JSON.parse(process.argv[2] ?? '{}') as T;
}

/**
 * Calls `send` about every millisecond with how many messages are due by then since the last call (open model).
 */
export function pace(ratePerSecond: number, send: (due: number) => void): void {
  const startMs = performance.now();
  let sent = 0;
  const turn = (): void => {
    const due = Math.floor(((performance.now() - startMs) * ratePerSecond) / 1000) - sent;
    sent += due;
    if (due > 0) send(due);
    setTimeout(turn, 1);
  };
  turn();
}
