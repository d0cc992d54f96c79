// What the echo servers of the benchmarks share: what they count, told over standard output when asked over standard input.

/** What an echo server counts. Times are ms on the server's own clock. */
export interface EchoStats {
  atMs: number;
  messages: number;
  opened: number;
  open: number;
  firstOpenedMs: number;
  lastOpenedMs: number;
}

/** Counts of one server. */
export const stats: EchoStats = {
  atMs: 0,
  messages: 0,
  opened: 0,
  open: 0,
  firstOpenedMs: 0,
  lastOpenedMs: 0,
};

/** Counts a connection that opened. After `stats.open` fell to 0 a new ramp begins. */
export function countOpened(): void {
  const atMs = performance.now();
  if (stats.open === 0) stats.firstOpenedMs = atMs;
  stats.lastOpenedMs = atMs;
  stats.opened++;
  stats.open++;
}

/** Tells the port, and from then on the counts for every line that comes; ends with its standard input. */
export function answerStats(port: number): void {
  process.stdout.write(`${JSON.stringify({ port })}\n`);
  process.stdin.on('data', (lines) => {
    for (const byte of lines) {
      if (byte !== 10) continue;
      stats.atMs = performance.now();
      process.stdout.write(`${JSON.stringify(stats)}\n`);
    }
  });
  process.stdin.on('end', () => process.exit());
}
