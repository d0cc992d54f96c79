// The per-second series as rows of both clocks together, joined where there are more than a page can show.
import type { Series } from '../../lib/metrics/series.ts';

/** Some seconds of a run: what happened in them, and what became of the messages that were due in them. */
export interface TimeRow {
  second: number;
  /** How many seconds it stands for. */
  seconds: number;
  /** Messages; null: the run has no row of this clock here. */
  sent: number | null;
  received: number | null;
  /** Connections open at the end. */
  open: number | null;
  rejected: number | null;
  lost: number | null;
  unsent: number | null;
  /** In ms. Of several seconds together, the highest of any; null: no samples, or {@link censored}. */
  p50: number | null;
  p99: number | null;
  max: number | null;
  /** Some of its messages have no time. */
  censored: boolean;
}

const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

/** The rows, at most about `most` of them. */
export function timeRows({ due, wall, secondsPerRow = 1 }: Series, most: number): TimeRow[] {
  // Of the schedule: the seconds of the drain behind it are few, and make no rows coarser.
  const last = due.at(-1)?.second ?? wall.at(-1)?.second ?? 0;
  const needed = (last + secondsPerRow) / most;
  const step =
    steps.find((candidate) => candidate >= needed && candidate % secondsPerRow === 0) ??
    Math.ceil(needed / secondsPerRow) * secondsPerRow;
  const rows = new Map<number, TimeRow>();
  const rowAt = (second: number): TimeRow => {
    const from = Math.floor(second / step) * step;
    const known = rows.get(from) ?? emptyRow(from, step);
    rows.set(from, known);
    return known;
  };
  for (const { second, sent, received, open } of wall) {
    const row = rowAt(second);
    row.sent = (row.sent ?? 0) + sent;
    row.received = (row.received ?? 0) + received;
    row.open = open;
  }
  for (const { second, rejected, lost, unsent, p50, p99, max } of due) {
    const row = rowAt(second);
    row.rejected = (row.rejected ?? 0) + rejected;
    row.lost = (row.lost ?? 0) + lost;
    row.unsent = (row.unsent ?? 0) + unsent;
    row.censored ||= lost + unsent > 0;
    row.p50 = highest(row.p50, p50);
    row.p99 = highest(row.p99, p99);
    row.max = highest(row.max, max);
  }
  return [...rows.values()].sort((one, other) => one.second - other.second);
}

function emptyRow(second: number, seconds: number): TimeRow {
  const none = { sent: null, received: null, open: null, rejected: null, lost: null, unsent: null };
  return { second, seconds, ...none, p50: null, p99: null, max: null, censored: false };
}

function highest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.max(one, other);
}
