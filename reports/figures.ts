// Numbers as people read them, the same in every report.
import { formatDuration } from '../lib/duration.ts';
import type { StressResult } from '../lib/result/result.ts';

/** A count with thousands separators: `149,940`. */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** A number with about three significant digits, without an exponent: `0.412`, `8.71`, `14.8`, `2,345`. */
export function figure(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return count(value);
  if (size === 0) return '0';
  return value.toFixed(size < 1 ? 3 : size < 10 ? 2 : size < 100 ? 1 : 0);
}

/** Milliseconds, without the unit. */
export function ms(value: number): string {
  return value
    .toFixed(value < 1 ? 3 : value < 100 ? 2 : value < 1000 ? 1 : 0)
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A ratio as percent: `0 %`, `0.03 %`, `99.98 %`. Never rounds up to 100 or down to 0. */
export function percent(ratio: number): string {
  const value = ratio * 100;
  if (value === 0 || value === 100) return `${value} %`;
  for (const digits of [2, 3, 4]) {
    const text = value.toFixed(digits);
    if (Number(text) !== 0 && Number(text) !== 100) return `${Number(text)} %`;
  }
  return value < 50 ? '< 0.0001 %' : '> 99.9999 %';
}

/** Bytes: `832 B`, `1.9 kB`, `24.0 MB` (decimal). */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(scaled) : figure(scaled)} ${units[unit]}`;
}

/** A figure of a threshold or a comparison in its unit. */
export function withUnit(value: number, unit: string): string {
  if (unit === '%') return percent(value / 100);
  if (unit === 'ms') return `${ms(value)} ms`;
  if (unit === '/s') return `${figure(value)}/s`;
  return Number.isInteger(value) ? count(value) : figure(value);
}

/** What stands for a percentile that a lost message holds: `> 5 s (lost)`. */
export function lostText(timeoutMs: number | null): string {
  return timeoutMs === null ? 'lost' : `> ${formatDuration(timeoutMs)} (lost)`;
}

/** A number among the options of a plan, null when it is not there. */
export function planNumber(result: { plan: StressResult['plan'] }, key: string): number | null {
  const value = result.plan.options[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** How long the run waited for a reply, in ms. */
export function timeoutMs(result: { plan: StressResult['plan'] }): number | null {
  return planNumber(result, 'timeoutMs');
}
