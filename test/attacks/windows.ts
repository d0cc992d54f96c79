// What passed a limit, and whether that was too much in any window of time.

/** From when a request was sent until it was answered: at some time in between it was let through. */
export interface Passed {
  fromMs: number;
  untilMs: number;
}

/** By how much what passed exceeds `burst + rate · Δt` in the worst of all windows, as a share of it; below 0: nowhere. */
export function excess(passed: readonly Passed[], burst: number, perMinute: number): number {
  let worst = -1;
  const ordered = [...passed].sort((a, b) => a.fromMs - b.fromMs);
  for (const [start, first] of ordered.entries()) {
    for (let end = start; end < ordered.length; end++) {
      const window = ordered.slice(start, end + 1);
      const lastMs = ordered[end]?.untilMs ?? 0;
      const allowed = burst + ((lastMs - first.fromMs) * perMinute) / 60_000;
      worst = Math.max(worst, window.length / allowed - 1);
    }
  }
  return worst;
}
