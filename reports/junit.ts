// What CI systems are told: checks, thresholds, conformance cases and limits of changes as test cases.
import type { Comparison } from '../lib/compare/compare.ts';
import type {
  AgentRecord,
  ConformResult,
  QuickResult,
  Result,
  StressResult,
  VerdictRecord,
} from '../lib/result/result.ts';
import { failsRun, verdictWords } from '../lib/result/verdicts.ts';
import { inSection, sectionsOf, sectionTitle } from './conform-sections.ts';
import { timeoutMs } from './figures.ts';
import { changeSuite } from './junit-comparison.ts';
import { type Case, type Suite, suitesXml } from './junit-xml.ts';
import { stormVerdict } from './recovery-words.ts';
import type { Reporter } from './reporter.ts';
import { limitText, thresholdFigure, thresholdName } from './threshold-words.ts';
import { wireLines } from './wire-lines.ts';

/** Renders results as JUnit XML; a comparison is a suite beside them. */
export const junit: Reporter = (results, { comparison }) => {
  const changes = comparison ? [changeSuite(comparison)] : [];
  return suitesXml([...results.flatMap(suitesOf), ...changes]);
};

/** Renders a comparison alone. */
export function comparisonJunit(comparison: Comparison): string {
  return suitesXml([changeSuite(comparison)]);
}

function suitesOf(result: Result): Suite[] {
  const base = { startedAt: result.run.startedAt.slice(0, 19), properties: propertiesOf(result) };
  const suites: Suite[] =
    result.kind === 'conform'
      ? result.agents.flatMap((agent) => agentSuites(agent, result).map((suite) => ({ ...suite, ...base })))
      : [
          {
            name: `${result.kind} ${result.target.url}`,
            ...base,
            ...(result.kind === 'quick'
              ? { cases: checks(result) }
              : { cases: thresholds(result), ms: result.run.durationMs }),
          },
        ];
  const troubles = runTroubles(result);
  if (troubles.length === 0) return suites;
  return [...suites, { name: `${result.kind} run`, ...base, cases: troubles, ms: 0 }];
}

function propertiesOf(result: Result): [string, string][] {
  const { run, target, outcome, plan, ...rest } = result;
  const storm = result.kind === 'stress' ? stormVerdict(result) : [];
  const conform: [string, string][] =
    rest.kind === 'conform'
      ? [
          ['strictness', rest.strictness],
          ['failOn', rest.failOn],
          ['messages', String(rest.messages)],
        ]
      : [];
  return [
    ['wsbench', run.wsbench],
    ['run', run.id],
    ['target', target.url],
    ['outcome', outcome],
    ['plan', plan.name],
    ...conform,
    ...storm.map((text, index): [string, string] => [
      index === 0 ? 'recovery' : `recovery.${index + 1}`,
      text,
    ]),
    ...(run.reproduce === undefined ? [] : [['reproduce', run.reproduce] as [string, string]]),
  ];
}

function checks({ checks: all }: QuickResult): Case[] {
  return all.map((check) => {
    const base = { name: `${check.id}: ${check.title}`, className: 'quick', ms: check.durationMs };
    if (check.status === 'passed') return base;
    if (check.status === 'skipped') return { ...base, problem: skip(check.detail) };
    const lines = evidence([
      ['expected', check.expected],
      ['got', check.got],
      ['reproduce', check.reproduce],
    ]);
    return { ...base, problem: { kind: 'failure', type: 'check', message: check.detail, lines } };
  });
}

function thresholds(result: StressResult): Case[] {
  return result.thresholds.map((threshold) => {
    const name = `${thresholdName(threshold)} ${threshold.op} ${limitText(threshold)}`;
    // Judging takes no time; the suite has that of the run.
    const base = { name, className: 'stress', ms: 0 };
    const got = thresholdFigure(threshold, timeoutMs(result), 'no figure');
    if (threshold.ok) return { ...base, notes: [got] };
    const message = `${got}, wanted ${threshold.op} ${limitText(threshold)}`;
    return { ...base, problem: { kind: 'failure', type: 'threshold', message, lines: [] } };
  });
}

function agentSuites(agent: AgentRecord, { failOn }: ConformResult): Pick<Suite, 'name' | 'cases'>[] {
  const suites = sectionsOf(agent.verdicts).map((section) => ({
    name: `${agent.name} ${section} ${sectionTitle(section)}`.trim(),
    cases: inSection(agent.verdicts, section).map((verdict) =>
      caseOf(verdict, `conform.${section}`, failsRun(verdict, failOn)),
    ),
  }));
  const { notRun } = agent;
  if (!notRun || notRun.caseIds.length === 0) return suites;
  const left = notRun.caseIds.map((id) => ({
    name: id,
    className: 'conform.not-run',
    ms: 0,
    problem: skip(notRun.reason),
  }));
  return [...suites, { name: `${agent.name}, not run`, cases: left }];
}

function caseOf(verdict: VerdictRecord, className: string, isFailure: boolean): Case {
  const base = { name: `${verdict.caseId} ${verdict.title}`, className, ms: verdict.durationMs };
  const words = verdictWords(verdict);
  if (!isFailure) return words === 'OK' ? base : { ...base, notes: [words] };
  const lines = [
    ...evidence([
      ['verdict', words],
      ['expected', verdict.expected],
      ['got', verdict.got],
      ['rule', verdict.rule],
      ['spec', verdict.spec],
      ['reproduce', verdict.reproduce],
    ]),
    ...wireLines(verdict.wire ?? [], { most: 40, hex: false, unicode: true }),
  ];
  const message = `${words}${verdict.got === undefined ? '' : `: ${verdict.got}`}`;
  return { ...base, problem: { kind: 'failure', type: words, message, lines } };
}

/** What no check, threshold or case says: a target that was not reached, a run that was stopped or proves nothing. */
function runTroubles(result: Result): Case[] {
  const own = new Set(['check', 'threshold', 'verdict']);
  return result.reasons
    .filter(({ code }) => !own.has(code))
    .map(({ code, message }) => ({
      name: code,
      className: result.kind,
      ms: 0,
      problem: { kind: 'error', type: code, message, lines: [] },
    }));
}

const skip = (message: string): NonNullable<Case['problem']> => ({
  kind: 'skipped',
  type: 'skipped',
  message,
  lines: [],
});

function evidence(rows: readonly (readonly [string, string | undefined])[]): string[] {
  return rows.flatMap(([name, text]) => (text === undefined || text === '' ? [] : [`${name}: ${text}`]));
}
