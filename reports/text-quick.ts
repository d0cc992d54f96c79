// The checks of a quick result, one line each.
import type { CheckRecord, QuickResult } from '../lib/result/result.ts';
import type { Ink } from './ink.ts';
import { displayWidth, fit, padEnd } from './width.ts';

const widestTitle = 34;

/** Lines for a quick result: mark, title, detail; a failure says what was expected, what came, and how to see it again. */
export function quickText(result: QuickResult, ink: Ink): string[] {
  if (result.checks.length === 0) return ['  No check was run.'];
  const room = Math.min(widestTitle, Math.floor(ink.width * 0.4));
  const titles = result.checks.map((check) => fit(ink.safe(check.title, 120), room, ink.unicode));
  const titleWidth = Math.max(...titles.map(displayWidth));
  return result.checks.flatMap((check, index) => [
    ...line(check, padEnd(titles[index] ?? '', titleWidth), ink),
    ...(check.status === 'failed' ? evidence(check, ink) : []),
  ]);
}

function line(check: CheckRecord, title: string, ink: Ink): string[] {
  const label = `${ink.mark(check.status)} ${title}`;
  const detail = ink.safe(check.detail, 500);
  const text = check.status === 'skipped' ? `skipped: ${detail.replace(/^skipped:\s*/i, '')}` : detail;
  return ink.labelled(label, text, displayWidth(label) + 2);
}

function evidence(check: CheckRecord, ink: Ink): string[] {
  const rows: [string, string | undefined][] = [
    ['check', check.id],
    ['expected', check.expected],
    ['got', check.got],
    ['reproduce', check.reproduce],
  ];
  return rows.flatMap(([name, value]) =>
    value === undefined ? [] : ink.labelled(`${name}:`, ink.safe(value, 1000), 11, '      '),
  );
}
