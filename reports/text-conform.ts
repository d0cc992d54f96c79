// Conformance verdicts for a terminal: a table by section, each failure with its evidence, the rest in brief.
import type { AgentRecord, ConformResult, VerdictRecord } from '../lib/result/result.ts';
import { compareCaseIds, failsRun, verdictWords } from '../lib/result/verdicts.ts';
import { conformMatrix } from './conform-matrix.ts';
import { conformNotes, conformPlanWords } from './conform-notes.ts';
import {
  inSection,
  type SectionTally,
  sectionsOf,
  sectionTitle,
  tallyAll,
  tallySections,
} from './conform-sections.ts';
import { count } from './figures.ts';
import type { Ink } from './ink.ts';
import { plainTable } from './plain-table.ts';
import { fit } from './width.ts';
import { wireLines } from './wire-lines.ts';

/** So many failures are shown with their evidence, unless all are asked for. */
const fullFailures = 20;
const shortWire = 8;
const agentColumns = 16;
/** Rows of cases beside one another, unless all are asked for. */
const matrixRows = 40;

/** Lines for a conform result. `verbose`: every failure with the whole log of the wire. */
export function conformText(result: ConformResult, ink: Ink, verbose: boolean): string[] {
  const { agents } = result;
  const [first] = agents;
  const only = agents.length === 1 ? first : undefined;
  return [
    ...ink.listed('', conformPlanWords(result), 0),
    ...(only ? sectionTable(only, result, ink) : agentTables(result, ink, verbose)),
    ...agents.flatMap((agent) => agentLines(agent, result, ink, verbose)),
  ];
}

function sectionTable(agent: AgentRecord, { failOn }: ConformResult, ink: Ink): string[] {
  if (agent.verdicts.length === 0) return ['', '  No case ran to its end.'];
  const figure = (value: number): string => (value === 0 ? ink.none : count(value));
  const row = (label: string, tally: SectionTally): string[] => [
    label,
    count(tally.total),
    figure(tally.behaviors.OK),
    figure(tally.behaviors['NON-STRICT']),
    figure(tally.behaviors.INFORMATIONAL),
    figure(tally.behaviors.UNIMPLEMENTED),
    figure(tally.behaviors.FAILED),
    figure(tally.badCloses),
  ];
  const head = ['', 'cases', 'OK', 'non-strict', 'info', 'unimpl.', 'failed', 'close'];
  const rows = tallySections(agent, failOn).map((tally) => row(sectionLabel(tally.section, ink), tally));
  const all = rows.length > 1 ? [row('all', tallyAll(agent, failOn))] : [];
  const aligns = head.map((_, index) => (index === 0 ? ('left' as const) : ('right' as const)));
  return ['', ...plainTable([head, ...rows, ...all], aligns, ink.unicode, 1)];
}

function sectionLabel(section: string, ink: Ink): string {
  const title = sectionTitle(section);
  return fit(ink.safe(`${section.padStart(2)} ${title}`, 60), 22, ink.unicode);
}

/** Several agents side by side: as many in one table as fit. */
function agentTables(result: ConformResult, ink: Ink, verbose: boolean): string[] {
  const { failOn } = result;
  const agents = result.agents.filter(({ verdicts }) => verdicts.length > 0);
  const perTable = Math.max(1, Math.floor((ink.width - 30) / (agentColumns + 2)));
  const sections = sectionsOf(agents.flatMap(({ verdicts }) => verdicts));
  const lines: string[] = [];
  for (let at = 0; at < agents.length; at += perTable) {
    const group = agents.slice(at, at + perTable);
    const head = ['', ...group.map(({ name }) => agentName(name, ink))];
    const rows = sections.map((section) => [
      sectionLabel(section, ink),
      ...group.map((agent) =>
        passedCell({ ...agent, verdicts: inSection(agent.verdicts, section) }, failOn, ink),
      ),
    ]);
    const all = ['all', ...group.map((agent) => passedCell(agent, failOn, ink))];
    const aligns = head.map((_, index) => (index === 0 ? ('left' as const) : ('right' as const)));
    lines.push('', ...plainTable([head, ...rows, all], aligns, ink.unicode));
    lines.push(...matrix(group, ink, verbose));
  }
  return lines;
}

const agentName = (name: string, ink: Ink): string => fit(ink.safe(name, 60), agentColumns, ink.unicode);

function passedCell(agent: AgentRecord, failOn: ConformResult['failOn'], ink: Ink): string {
  const { passed, total } = tallyAll(agent, failOn);
  return total === 0 ? ink.none : `${count(passed)} of ${count(total)}`;
}

/** The cases in which the agents are not all fine. */
function matrix(group: readonly AgentRecord[], ink: Ink, verbose: boolean): string[] {
  const all = conformMatrix(group, ink.unicode ? '–' : '-');
  if (all.length === 0) return [];
  const shown = verbose ? all : all.slice(0, matrixRows);
  const rows = shown.map(({ cases, verdicts }) => [
    ink.safe(cases, 40),
    ...verdicts.map((words) => words?.replace(', close ', '\nclose ') ?? ink.none),
  ]);
  const aligns = ['left' as const, ...group.map(() => 'right' as const)];
  const head = ['not fine everywhere', ...group.map(({ name }) => agentName(name, ink))];
  const more = all.length - shown.length;
  const rest = more > 0 ? ink.labelled('', `${more} more: -v shows all.`, 0) : [];
  return ['', ...plainTable([head, ...rows], aligns, ink.unicode), ...rest];
}

function agentLines(agent: AgentRecord, result: ConformResult, ink: Ink, verbose: boolean): string[] {
  const failures = agent.verdicts
    .filter((verdict) => failsRun(verdict, result.failOn))
    .sort((one, other) => compareCaseIds(one.caseId, other.caseId));
  const full = verbose ? failures : failures.slice(0, fullFailures);
  const rest = failures.slice(full.length);
  const notes = conformNotes(agent, result.failOn, ink.unicode ? '–' : '-');
  const lines = [
    ...full.flatMap((verdict) => ['', ...failure(verdict, ink, verbose)]),
    ...(rest.length === 0 ? [] : ['', ...restLines(rest, ink)]),
    ...(notes.length === 0 ? [] : ['']),
    ...notes.flatMap(({ label, parts }) => ink.labelled(label, ink.safe(parts.join(', '), 4000), 22)),
  ];
  if (result.agents.length === 1 || lines.length === 0) return lines;
  const title = `${ink.safe(agent.name, 60)}${ink.dot}${ink.safe(agent.url, 200)}`;
  return ['', ...ink.labelled('', title, 0).map((line) => ink.paint('bold', line)), ...lines];
}

function failure(verdict: VerdictRecord, ink: Ink, verbose: boolean): string[] {
  const head = `${ink.safe(verdict.caseId, 20)}  ${ink.safe(verdict.title, 300)}`;
  const wire = wireLines(verdict.wire ?? [], {
    most: verbose ? Number.POSITIVE_INFINITY : shortWire,
    hex: verbose,
    unicode: ink.unicode,
  });
  const code = verdict.remoteCloseCode === null ? '' : ` (the target closed with ${verdict.remoteCloseCode})`;
  const against = verdict.against === 'worse' ? ', worse than expected' : '';
  const rows: [string, string | undefined][] = [
    ['verdict', `${verdictWords(verdict)}${against}${code}`],
    ['expected', verdict.expected],
    ['got', verdict.got],
    ['rule', verdict.rule],
    ['spec', ink.unicode ? verdict.spec : verdict.spec.replaceAll('§', 'section ')],
  ];
  const line = (name: string, text: string): string[] =>
    ink.labelled(name === '' ? '' : `${name}:`, ink.safe(text, 2000), 11, '      ');
  return [
    ...ink.labelled(ink.mark('failed'), head, ink.unicode ? 2 : 5),
    ...rows.flatMap(([name, text]) => (text === undefined || text === '' ? [] : line(name, text))),
    ...wire.flatMap((text, index) => line(index === 0 ? 'wire' : '', text)),
    ...(verdict.reproduce === undefined ? [] : line('reproduce', verdict.reproduce)),
  ];
}

function restLines(rest: readonly VerdictRecord[], ink: Ink): string[] {
  const byVerdict = new Map<string, string[]>();
  for (const verdict of rest) {
    const words = verdictWords(verdict);
    byVerdict.set(words, [...(byVerdict.get(words) ?? []), verdict.caseId]);
  }
  return [
    ...ink.labelled(ink.mark('failed'), `${rest.length} more failed; -v shows each`, ink.unicode ? 2 : 5),
    ...[...byVerdict].flatMap(([words, ids]) =>
      ink.labelled('', `${words}: ${ink.safe(ids.join(', '), 4000)}`, 6),
    ),
  ];
}
