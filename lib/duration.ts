// Quantities as people write them: durations, rates, counts and sizes, both ways.
import { WsbenchError } from './errors.ts';

const durationUnitsMs: Record<string, number> = {
  us: 0.001,
  µs: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const countUnits: Record<string, number> = { '': 1, k: 1e3, m: 1e6 };
const sizeUnits: Record<string, number> = {
  '': 1,
  b: 1,
  k: 1024,
  kb: 1024,
  kib: 1024,
  m: 1024 ** 2,
  mb: 1024 ** 2,
  mib: 1024 ** 2,
};

// Own keys only: `5constructor` has no unit.
function unitOf(units: Record<string, number>, unit: string): number | undefined {
  return Object.hasOwn(units, unit) ? units[unit] : undefined;
}

function split(text: string): { value: number; unit: string } | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*([a-zµ]*)$/i.exec(text.trim());
  return match ? { value: Number(match[1]), unit: (match[2] ?? '').toLowerCase() } : undefined;
}

/**
 * Reads a duration with its unit (`250ms`, `10s`, `5m`, `1h`) as milliseconds.
 * A bare number is an error, because the tools that people come from disagree on what it means.
 *
 * @throws WsbenchError `USAGE` that names `what` and the unit to add
 */
export function parseDurationMs(text: string, what = 'duration'): number {
  const parts = split(text);
  const unitMs = parts && unitOf(durationUnitsMs, parts.unit);
  if (parts && parts.unit === '') {
    throw new WsbenchError('USAGE', `${what}: "${text}" has no unit; write ${text}s or ${text}ms`);
  }
  if (!parts || unitMs === undefined) {
    throw new WsbenchError(
      'USAGE',
      `${what}: "${text}" is not a duration; write it like 250ms, 10s, 5m or 1h`,
    );
  }
  return parts.value * unitMs;
}

/**
 * Reads a duration, or two with a dash between them (`100ms`, `100ms-500ms`), as from and to in milliseconds.
 *
 * @throws WsbenchError `USAGE` when one has no unit, or the first is the longer one
 */
export function parseDurationRange(text: string, what = 'duration'): [number, number] {
  const [from = '', to = from, ...more] = text.split('-').map((part) => part.trim());
  const [fromMs, toMs] = [parseDurationMs(from, what), parseDurationMs(to, what)];
  if (more.length > 0 || fromMs > toMs) {
    throw new WsbenchError(
      'USAGE',
      `${what}: "${text}" is not from a shorter to a longer time; write it like 100ms-500ms`,
    );
  }
  return [fromMs, toMs];
}

/**
 * Reads a count with an optional multiplier (`500`, `10k`, `1.5m`).
 *
 * @throws WsbenchError `USAGE` when it is not a whole number ≥ `min`
 */
export function parseCount(text: string, what = 'count', min = 1): number {
  const parts = split(text);
  const factor = parts && unitOf(countUnits, parts.unit);
  const value = parts && factor !== undefined ? Math.round(parts.value * factor * 1e6) / 1e6 : Number.NaN;
  if (!Number.isInteger(value) || value < min) {
    throw new WsbenchError(
      'USAGE',
      `${what}: "${text}" is not a whole number of at least ${min}, like 500 or 10k`,
    );
  }
  return value;
}

/**
 * Reads a rate (`100/s`, `5k/s`, `600/m`; a bare `100` means per second) as events per second.
 *
 * @param mayBeNone take 0, too
 * @throws WsbenchError `USAGE` when it is not a positive rate
 */
export function parseRatePerSecond(text: string, what = 'rate', mayBeNone = false): number {
  const match = /^(.+?)(?:\/\s*(s|sec|second|m|min|minute|h|hour))?$/i.exec(text.trim());
  const parts = match ? split(match[1] ?? '') : undefined;
  const factor = parts && unitOf(countUnits, parts.unit);
  const per = { s: 1, m: 60, h: 3600 }[(match?.[2] ?? 's').charAt(0).toLowerCase()] ?? 1;
  if (!parts || factor === undefined || !(parts.value > 0 || mayBeNone)) {
    throw new WsbenchError('USAGE', `${what}: "${text}" is not a rate; write it like 100/s or 5k/s`);
  }
  return (parts.value * factor) / per;
}

/**
 * Reads a size in bytes (`64`, `1k`, `64KiB`, `1MiB`; k and m are binary).
 *
 * @throws WsbenchError `USAGE` when it is not a whole number of bytes ≥ 0
 */
export function parseSizeBytes(text: string, what = 'size'): number {
  const parts = split(text);
  const factor = parts && unitOf(sizeUnits, parts.unit);
  const value = parts && factor !== undefined ? parts.value * factor : Number.NaN;
  if (!Number.isInteger(value)) {
    throw new WsbenchError('USAGE', `${what}: "${text}" is not a size; write it like 64, 1k or 1MiB`);
  }
  return value;
}

/**
 * Reads a share of a whole (`5%`, `0.5 %`; a bare `0.05` is the same as `5%`) as a number from 0 to 1.
 *
 * @throws WsbenchError `USAGE` when it is none
 */
export function parseShare(text: string, what = 'share'): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*(%?)$/.exec(text.trim());
  const value = match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : Number.NaN;
  if (!(value >= 0 && value <= 1)) {
    throw new WsbenchError('USAGE', `${what}: "${text}" is not a share; write it like 5%`);
  }
  return value;
}

/** A duration for a person: `250 ms`, `10 s`, `1 m 30 s`, `2 h`. */
export function formatDuration(ms: number): string {
  // Each border is where the smaller unit would round up to it, so that nothing reads `1000 ms` or `60 s`.
  if (ms < 999.995) return `${trim(ms)} ms`;
  if (ms < 59_995) return `${trim(ms / 1000)} s`;
  const [smallMs, big, small] = ms < 3_599_500 ? ([1000, 'm', 's'] as const) : ([60_000, 'h', 'm'] as const);
  const total = Math.round(ms / smallMs);
  const rest = total % 60;
  return `${Math.floor(total / 60)} ${big}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}

/** A rate for a person: `100/s`, `0.5/s`, `5000/s`. */
export function formatRate(perSecond: number): string {
  return `${trim(perSecond)}/s`;
}

function trim(value: number): string {
  return String(Math.round(value * 100) / 100);
}
