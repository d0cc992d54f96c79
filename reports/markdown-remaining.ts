// What is left to look at: everything that failed, was skipped or was warned about.
import type { Comparison } from '../lib/compare/compare.ts';
import type { QuickResult, Result, StressResult } from '../lib/result/result.ts';
import { comparisonFailures } from './comparison-words.ts';
import { repeatsEvidence } from './evidence.ts';
import { timeoutMs } from './figures.ts';
import { conformFailures } from './markdown-conform.ts';
import { markdownCode, markdownText } from './markdown-escape.ts';
import { skipsOfOneKind } from './skips.ts';
import { limitText, thresholdFigure, thresholdName } from './threshold-words.ts';
import { isJudgement } from './verdict.ts';

/** A list, or a sentence that there is nothing on it. */
export function remainingLines(results: readonly Result[], comparison: Comparison | undefined): string[] {
  const items = [
    ...results.flatMap((result) => [...failures(result), ...reasons(result)]),
    ...(comparison
      ? comparisonFailures(comparison).map((line) => `- ❌ Regression: ${markdownText(line)}`)
      : []),
    ...results.flatMap((result) => (result.kind === 'quick' ? skippedChecks(result) : [])),
    ...[...results.flatMap((result) => result.warnings), ...(comparison?.warnings ?? [])].map(
      ({ message }) => `- ⚠️ ${markdownText(message, 500)}`,
    ),
  ];
  return [...(items.length === 0 ? ['Nothing failed, was skipped or gave a warning.'] : items), ''];
}

function failures(result: Result): string[] {
  if (result.kind === 'quick') return failedChecks(result);
  return result.kind === 'stress' ? missedThresholds(result) : conformFailures(result);
}

function failedChecks(result: QuickResult): string[] {
  return result.checks
    .filter((check) => check.status === 'failed')
    .flatMap((check) => [
      `- ❌ **${markdownText(check.title, 120)}** (${markdownCode(check.id, 120)})${repeatsEvidence(check) ? '' : `: ${markdownText(check.detail)}`}`,
      ...(check.expected === undefined ? [] : [`  - expected: ${markdownText(check.expected, 500)}`]),
      ...(check.got === undefined ? [] : [`  - got: ${markdownText(check.got, 500)}`]),
      ...(check.reproduce === undefined ? [] : [`  - reproduce: ${markdownCode(check.reproduce, 1000)}`]),
    ]);
}

function skippedChecks(result: QuickResult): string[] {
  const gathered = skipsOfOneKind(result.checks);
  const single = result.checks.filter((check) => check.status === 'skipped' && !gathered.has(check.detail));
  return [
    ...single.map((check) => `- ⏭️ ${markdownText(check.title, 120)}, skipped: ${markdownText(check.detail)}`),
    ...[...gathered].map(
      ([reason, skipped]) =>
        `- ⏭️ ${skipped.length} skipped: ${markdownText(reason)} (${skipped.map(({ id }) => markdownCode(id, 120)).join(', ')})`,
    ),
  ];
}

function missedThresholds(result: StressResult): string[] {
  return result.thresholds
    .filter((threshold) => !threshold.ok)
    .map((threshold) => {
      const wanted = `${threshold.op} ${limitText(threshold)}`;
      const got = thresholdFigure(threshold, timeoutMs(result), 'no figure');
      return `- ❌ Threshold ${markdownCode(thresholdName(threshold), 80)}: ${markdownText(`${got}, wanted ${wanted}`)}`;
    });
}

/** Why a run did not count, unless a check, threshold or case above says it already. */
function reasons(result: Result): string[] {
  return result.reasons
    .filter(({ code }) => !isJudgement(code))
    .map(({ code, message }) => `- ❌ ${code}: ${markdownText(message, 500)}`);
}
