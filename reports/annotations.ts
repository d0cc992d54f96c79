// Annotations on a run of GitHub Actions: workflow commands, a line each, for what failed and for warnings.
import type { ConformResult, QuickResult, Result, StressResult } from '../lib/result/result.ts';
import { failsRun, verdictWords } from '../lib/result/verdicts.ts';
import { timeoutMs } from './figures.ts';
import { plain } from './plain.ts';
import { limitText, thresholdFigure, thresholdName } from './threshold-words.ts';
import { isJudgement } from './verdict.ts';

interface Annotation {
  title: string;
  lines: readonly (string | undefined)[];
}

/** GitHub shows this many of a kind for a step, and drops the others without a word. */
const mostOfAKind = 10;
const mostNames = 2000;

/**
 * What failed as `::error …` and warnings as `::warning …`, at most ten lines of a kind: the last then stands for the rest.
 * Empty when there is nothing to say.
 */
export function annotations(results: readonly Result[]): string {
  const errors = results.flatMap((result) => [...failuresOf(result), ...troublesOf(result)]);
  const warnings = results.flatMap(({ kind, warnings: all }) =>
    all.map(({ code, message }) => ({ title: `wsbench ${kind}: ${code}`, lines: [message] })),
  );
  return [...commands('error', errors, 'failed'), ...commands('warning', warnings, 'warnings')].join('');
}

function failuresOf(result: Result): Annotation[] {
  if (result.kind === 'quick') return failedChecks(result);
  return result.kind === 'stress' ? missedThresholds(result) : failedCases(result);
}

function failedChecks({ checks }: QuickResult): Annotation[] {
  return checks
    .filter(({ status }) => status === 'failed')
    .map(({ id, title, detail, expected, got, reproduce }) => ({
      title: `Check ${id}: ${title}`,
      lines: [detail, named('expected', expected), named('got', got), named('reproduce', reproduce)],
    }));
}

function missedThresholds(result: StressResult): Annotation[] {
  return result.thresholds
    .filter(({ ok }) => !ok)
    .map((threshold) => ({
      title: `Threshold ${thresholdName(threshold)}`,
      lines: [
        `${thresholdFigure(threshold, timeoutMs(result), 'no figure')}, wanted ${threshold.op} ${limitText(threshold)}`,
        named('reproduce', result.run.reproduce),
      ],
    }));
}

function failedCases({ agents, failOn }: ConformResult): Annotation[] {
  return agents.flatMap((agent) =>
    agent.verdicts
      .filter((verdict) => failsRun(verdict, failOn))
      .map((verdict) => ({
        title: `Case ${verdict.caseId} on ${agent.name}: ${verdictWords(verdict)}`,
        lines: [
          verdict.title,
          named('expected', verdict.expected),
          named('got', verdict.got),
          named('reproduce', verdict.reproduce),
        ],
      })),
  );
}

/** What no check, threshold or case says. */
function troublesOf({ kind, reasons }: Result): Annotation[] {
  return reasons
    .filter(({ code }) => !isJudgement(code))
    .map(({ code, message }) => ({ title: `wsbench ${kind}: ${code}`, lines: [message] }));
}

const named = (name: string, text: string | undefined): string | undefined =>
  text === undefined ? undefined : `${name}: ${text}`;

function commands(command: 'error' | 'warning', all: readonly Annotation[], what: string): string[] {
  if (all.length <= mostOfAKind) return all.map((one) => line(command, one));
  const shown = all.slice(0, mostOfAKind - 1);
  const rest = all.slice(mostOfAKind - 1).map(({ title }) => plain(title, 200));
  const more = { title: `${rest.length} more ${what}`, lines: [] };
  return [...shown.map((one) => line(command, one)), line(command, more, names(rest))];
}

/** As many of them as there is room for, a line each. */
function names(titles: readonly string[]): string {
  let text = '';
  for (const [index, title] of titles.entries()) {
    const next = `${text}${index === 0 ? '' : '\n'}${title}`;
    if (next.length > mostNames) return `${text}\n… and ${titles.length - index} more`;
    text = next;
  }
  return text;
}

function line(command: string, { title, lines }: Annotation, message = ''): string {
  const said = lines.flatMap((one) => (one === undefined || one === '' ? [] : [plain(one, 500)]));
  return `::${command} title=${property(plain(title, 200))}::${data([...said, ...(message === '' ? [] : [message])].join('\n'))}\n`;
}

/** By GitHub's rules for what stands behind `::`. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** By GitHub's rules for the value of a property. */
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
