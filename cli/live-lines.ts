// The live view of a load in words and bars: two lines that fit the terminal. Pure.
import type { Phase, Snapshot } from '../lib/result/events.ts';
import { count, ms } from '../reports/figures.ts';
import { bar, sparkline } from '../reports/sparkline.ts';
import { displayWidth } from '../reports/width.ts';
import type { LiveState } from './live-state.ts';

/** How the lines may look. */
export interface LiveStyle {
  /** Columns of the terminal. */
  width: number;
  color: boolean;
  unicode: boolean;
}

const phaseWords: Record<Phase, string> = {
  connect: 'connect',
  settle: 'settle',
  warmup: 'warm-up',
  measure: 'measure',
  drain: 'drain',
};
const labelColumns = Math.max(...Object.values(phaseWords).map((word) => word.length));
// As many seconds as the bar has cells.
const widestBar = 40;
const narrowestBar = 8;
// What the words of a load take most of the time, so that the bars do not change their width with each figure.
const usualWords = 46;

/** Lines about a load as it is; none before anything is known of it. */
export function liveLines(state: LiveState, style: LiveStyle): string[] {
  const { snapshot, phase } = state;
  if (!snapshot) return [];
  return drawn(state, snapshot, phase, style);
}

/** Lines to leave behind when the load is over: its measure phase; none when it never came to it. */
export function lastLines(state: LiveState, style: LiveStyle): string[] {
  const { measured, snapshot } = state;
  if (!measured || !snapshot) return [];
  return drawn(state, { ...measured, errors: snapshot.errors }, 'measure', style);
}

function drawn(state: LiveState, snapshot: Snapshot, phase: Phase, style: LiveStyle): string[] {
  const words = [connectWords(state, snapshot), ...(phase === 'connect' ? [] : [loadWords(snapshot)])];
  // Under each other: the bars as wide, the words in columns where there is room.
  const widest = Math.max(...words.map((parts) => displayWidth(parts.map(({ text }) => text).join('  '))));
  // The last column stays free, where some terminals break the line.
  const beside = style.width - 1 - 2 - labelColumns - 2 - 2;
  const usual = beside - Math.max(usualWords, widest);
  const room = usual >= narrowestBar ? usual : beside - widest;
  const cells = room < narrowestBar ? 0 : Math.min(widestBar, room);
  const { asked, open } = snapshot.connections;
  const bars = [
    bar(asked === 0 ? 1 : open / asked, cells, style.unicode),
    sparkline(state.rates, cells, style.unicode),
  ];
  return words.map((parts, index) => {
    const label = index === 0 ? phaseWords.connect : phaseWords[phase];
    const drawing = cells === 0 ? '' : `${bars[index]?.padEnd(cells)}  `;
    return fitted(`  ${label.padEnd(labelColumns)}  ${drawing}`, parts, style);
  });
}

interface Word {
  text: string;
  /** Bad news. */
  isBad?: boolean;
}

function connectWords({ connectMs = 0 }: LiveState, { connections, returns }: Snapshot): Word[] {
  const { asked, open, failed } = connections;
  const { lost = 0, back = 0 } = returns ?? {};
  return [
    { text: `${count(open)}/${count(asked)} open` },
    ...(lost > 0 ? [{ text: `${count(back)}/${count(lost)} back`, isBad: back < lost }] : []),
    { text: seconds(connectMs) },
    { text: `${count(failed)} failed`, isBad: failed > 0 },
  ];
}

function loadWords({ receivedPerSecond, p99Ms, errors, elapsedMs, plannedMs }: Snapshot): Word[] {
  return [
    { text: `${count(receivedPerSecond)} msg/s` },
    ...(p99Ms === null ? [] : [{ text: `p99 ${ms(p99Ms)} ms` }]),
    { text: `${count(errors)} errors`, isBad: errors > 0 },
    { text: plannedMs > 0 ? progress(elapsedMs, plannedMs) : seconds(elapsedMs) },
  ];
}

/** The words behind what stands before them; those that find no room are left out, the first ones last. */
function fitted(before: string, words: readonly Word[], { width, color }: LiveStyle): string {
  let line = before.trimEnd() === before ? `${before}  ` : before;
  let columns = displayWidth(line);
  for (const [index, { text, isBad }] of words.entries()) {
    const gap = index === 0 ? '' : '  ';
    if (columns + gap.length + displayWidth(text) > width - 1) break;
    columns += gap.length + displayWidth(text);
    line += gap + (isBad && color ? `\u001b[31m${text}\u001b[39m` : text);
  }
  return line.trimEnd();
}

/** `0.8 s`, `12 s`. */
function seconds(value: number): string {
  return value < 9950 ? `${(value / 1000).toFixed(1)} s` : clock(value, '');
}

/** `24/30 s`, `1:30/2:00`. */
function progress(elapsedMs: number, plannedMs: number): string {
  if (plannedMs < 1000) return seconds(elapsedMs);
  const planned = plannedMs < 60_000 ? Math.round(plannedMs / 100) / 10 : undefined;
  if (planned !== undefined) return `${Math.min(planned, Math.round(elapsedMs / 1000))}/${planned} s`;
  return `${clock(elapsedMs, 'm')}/${clock(plannedMs, 'm')}`;
}

/** `12 s` or, from a minute on or where minutes are wanted, `0:12`, `1:02:03`. */
function clock(value: number, least: '' | 'm'): string {
  const whole = Math.round(value / 1000);
  if (least === '' && whole < 60) return `${whole} s`;
  const two = (part: number): string => String(part).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
