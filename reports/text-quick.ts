// The checks of a quick result, one line each.
import type { CheckRecord, QuickResult } from '../lib/result/result.ts';
import { repeatsEvidence } from './evidence.ts';
import { ms } from './figures.ts';
import type { Ink } from './ink.ts';
import { skipsOfOneKind } from './skips.ts';
import { displayWidth, fit } from './width.ts';

/**
 * Lines for a quick result: mark, id, detail; a failure says what was expected, what came, and how to see it again.
 * `verbose`: of each check its title and how long it took, and each skip by itself.
 */
export function quickText(result: QuickResult, ink: Ink, verbose: boolean): string[] {
  if (result.checks.length === 0) return ['  No check was run.'];
  const gathered = verbose ? new Map<string, CheckRecord[]>() : skipsOfOneKind(result.checks);
  const listed = result.checks.filter((check) => !gathered.has(check.detail) || check.status !== 'skipped');
  const ids = listed.map((check) => fit(ink.safe(check.id, 120), ink.width - 8, ink.unicode));
  // An id that is wider than this keeps its line for itself.
  const isSole = listed.length === 1 && listed[0]?.status === 'failed';
  const room = Math.floor(ink.width * 0.42);
  const idWidth = Math.max(0, ...ids.map(displayWidth).filter((columns) => columns <= room));
  return [
    ...listed.flatMap((check, index) => [
      ...line(check, ids[index] ?? '', idWidth, ink),
      ...(check.status === 'failed' ? evidence(check, ink, verbose) : []),
      ...(verbose && check.status !== 'failed' ? more(check, idWidth, ink) : []),
    ]),
    ...[...gathered].flatMap(([reason, skipped]) => skips(reason, skipped, isSole, ink)),
  ];
}

function skips(reason: string, skipped: readonly CheckRecord[], isRest: boolean, ink: Ink): string[] {
  const ids = skipped.map((check) => ink.safe(check.id, 120)).join(', ');
  // Where one failure stops all the rest, a list of the rest would hide it.
  const text = isRest
    ? `the other ${skipped.length} skipped: ${ink.safe(reason, 500)}`
    : `${skipped.length} skipped: ${ink.safe(reason, 500)} (${ids})`;
  return ink.labelled(ink.mark('skipped'), text, displayWidth(ink.mark('skipped')) + 1);
}

function line(check: CheckRecord, id: string, idWidth: number, ink: Ink): string[] {
  const mark = ink.mark(check.status);
  const column = displayWidth(mark) + 1 + idWidth + 2;
  const text = detail(check, ink);
  if (displayWidth(id) <= idWidth) return ink.labelled(`${mark} ${id}`, text, column);
  const whole = `  ${mark} ${id}  ${text}`;
  return displayWidth(whole) <= ink.width ? [whole] : [`  ${mark} ${id}`, ...ink.labelled('', text, column)];
}

function detail(check: CheckRecord, ink: Ink): string {
  const text = ink.safe(check.detail, 500);
  if (check.status === 'skipped') return `skipped: ${text.replace(/^skipped:\s*/i, '')}`;
  return repeatsEvidence(check) ? 'failed' : text;
}

/** What a check that did not fail is about, and how long it took. */
function more({ title, status, durationMs }: CheckRecord, idWidth: number, ink: Ink): string[] {
  const took = status === 'skipped' ? [] : [`${ms(durationMs)} ms`];
  const text = [ink.safe(title, 200), ...took].join(', ');
  return ink.labelled('', text, ink.markWidth + idWidth + 2).map((words) => ink.paint('dim', words));
}

function evidence(check: CheckRecord, ink: Ink, verbose: boolean): string[] {
  const rows: [string, string | undefined][] = [
    ['check', check.title],
    ['expected', check.expected],
    ['got', check.got],
    ['took', verbose ? `${ms(check.durationMs)} ms` : undefined],
    ['reproduce', check.reproduce],
  ];
  return rows.flatMap(([name, value]) =>
    value === undefined ? [] : ink.labelled(`${name}:`, ink.safe(value, 1000), 11, '      '),
  );
}
