// Two conform results side by side: which cases are judged otherwise than before.
import type { AgentRecord, ConformResult, VerdictRecord } from '../result/result.ts';
import {
  compareCaseIds,
  isRacy,
  isSpotless,
  rankBehavior,
  rankClose,
  verdictWords,
} from '../result/verdicts.ts';
import type { ComparisonRow, VerdictChange } from './comparison.ts';
import { compareFigures } from './rows.ts';

/** Cases whose verdict is not the same on both sides: agent by agent, in the order of their ids. */
export function verdictChanges(before: ConformResult, after: ConformResult): VerdictChange[] {
  return pairs(before, after).flatMap(([was, is]) => agentChanges(was, is));
}

/** One line for each verdict that got worse. Where either of two verdicts may come in any run, none did. */
export function verdictRegressions(changes: readonly VerdictChange[]): string[] {
  const agents = new Set(changes.map(({ agent }) => agent));
  return changes
    .filter(({ change }) => change === 'worse')
    .map(({ agent, caseId, before, after }) => {
      const where = agents.size > 1 ? ` on ${agent}` : '';
      return `${caseId}${where}: ${before} before, ${after} now`;
    });
}

/** Agents of one name belong together; so do two that are alone, whatever their names. */
function pairs(
  before: ConformResult,
  after: ConformResult,
): [AgentRecord | undefined, AgentRecord | undefined][] {
  if (before.agents.length === 1 && after.agents.length === 1) return [[before.agents[0], after.agents[0]]];
  const names = [...new Set([...after.agents, ...before.agents].map(({ name }) => name))];
  const of = (result: ConformResult, name: string): AgentRecord | undefined =>
    result.agents.find((agent) => agent.name === name);
  return names.map((name) => [of(before, name), of(after, name)]);
}

function agentChanges(before: AgentRecord | undefined, after: AgentRecord | undefined): VerdictChange[] {
  const was = new Map(before?.verdicts.map((verdict) => [verdict.caseId, verdict]));
  const is = new Map(after?.verdicts.map((verdict) => [verdict.caseId, verdict]));
  const agent = (after ?? before)?.name ?? '';
  return [...new Set([...was.keys(), ...is.keys()])].sort(compareCaseIds).flatMap((caseId) => {
    const change = changeOf(was.get(caseId), is.get(caseId));
    return change ? [{ agent, caseId, ...change }] : [];
  });
}

function changeOf(
  was: VerdictRecord | undefined,
  is: VerdictRecord | undefined,
): Omit<VerdictChange, 'agent' | 'caseId'> | undefined {
  const title = (is ?? was)?.title ?? '';
  const words = { before: was ? verdictWords(was) : null, after: is ? verdictWords(is) : null };
  if (!was || !is) return { title, ...words, change: was ? 'gone' : 'new' };
  const behavior = rankBehavior(is.behavior, was.behavior);
  const close = rankClose(is.behaviorClose, was.behaviorClose);
  if (is.behavior === was.behavior && is.behaviorClose === was.behaviorClose) return undefined;
  if (isRacy(is.caseId) && isRace(was) && isRace(is) && close === 0)
    return { title, ...words, change: 'racy' };
  if (behavior > 0 || close > 0) return { title, ...words, change: 'worse' };
  return { title, ...words, change: behavior < 0 || close < 0 ? 'better' : 'same' };
}

const isRace = ({ behavior }: VerdictRecord): boolean => behavior === 'OK' || behavior === 'NON-STRICT';

/** Rows of two conform runs. */
export function conformRows(before: ConformResult, after: ConformResult): ComparisonRow[] {
  const verdicts = ({ agents }: ConformResult): VerdictRecord[] => agents.flatMap((agent) => agent.verdicts);
  const [was, is] = [verdicts(before), verdicts(after)];
  const number = (
    title: string,
    metric: string,
    better: ComparisonRow['better'],
    holds: (verdict: VerdictRecord) => boolean,
  ): ComparisonRow =>
    compareFigures(
      { metric, title, unit: '', better },
      { value: was.filter(holds).length },
      { value: is.filter(holds).length },
    );
  const share = (all: readonly VerdictRecord[]): { value: number | null; reason?: 'no samples' } =>
    all.length === 0
      ? { value: null, reason: 'no samples' }
      : { value: (100 * all.filter(isSpotless).length) / all.length };
  return [
    compareFigures(
      { metric: 'pass_rate', title: 'Cases without a fault', unit: '%', better: 'higher' },
      share(was),
      share(is),
    ),
    number('OK', 'cases.ok', 'higher', ({ behavior }) => behavior === 'OK'),
    number('NON-STRICT', 'cases.non_strict', 'lower', ({ behavior }) => behavior === 'NON-STRICT'),
    number('UNIMPLEMENTED', 'cases.unimplemented', 'lower', ({ behavior }) => behavior === 'UNIMPLEMENTED'),
    number('FAILED', 'cases.failed', 'lower', ({ behavior }) => behavior === 'FAILED'),
    number(
      'Bad close',
      'cases.bad_close',
      'lower',
      ({ behaviorClose }) => rankClose(behaviorClose, 'OK') > 0,
    ),
  ];
}
