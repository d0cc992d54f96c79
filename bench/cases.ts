// The loads of the benchmark.

/** One load: what every tool is asked to put on the echo server. */
export interface Case {
  title: string;
  connections: number;
  sizeBytes: number;
  /** Messages in flight per connection; undefined: open model. */
  depth?: number;
  /** Messages per second over all connections; undefined: closed model. */
  ratePerSecond?: number;
  /** Part of `--quick`. */
  quick?: boolean;
}

const closed = (connections: number, sizeBytes = 32, depth = 1): Case => ({
  title: `closed, ${connections} × ${sizeBytes} B${depth > 1 ? `, ${depth} in flight each` : ''}`,
  connections,
  sizeBytes,
  depth,
});

const open = (connections: number, ratePerSecond: number): Case => ({
  title: `open, ${connections} × 32 B, ${ratePerSecond.toLocaleString('en')} msg/s`,
  connections,
  sizeBytes: 32,
  ratePerSecond,
});

/** The loads, in the order in which they are run. */
export const cases: readonly Case[] = [
  closed(1),
  closed(10),
  { ...closed(100), quick: true },
  closed(1000),
  closed(100, 1024),
  closed(100, 32, 8),
  { ...open(10, 50_000), quick: true },
  open(100, 300_000),
];
