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
import { fittingTable } from './fitting-table.ts';
import type { Ink } from './ink.ts';
import { plainTable } from './plain-table.ts';
import { displayWidth, fit } from './width.ts';
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
  const tallies = tallySections(agent, failOn);
  const all = tallyAll(agent, failOn);
  const figure = (value: number): string => (value === 0 ? ink.none : count(value));
  const form = (shown: readonly TallyColumn[], labelColumns: number, gap: number) => () => {
    const row = (label: string, tally: SectionTally): string[] => [
      fit(label, labelColumns, ink.unicode),
      ...shown.map(({ of }) => figure(of(tally))),
    ];
    const rows = [
      ['', ...shown.map(({ head }) => head)],
      ...tallies.map((tally) => row(sectionLabel(tally.section, ink), tally)),
      ...(tallies.length > 1 ? [row('all', all)] : []),
    ];
    return plainTable(rows, ['left', ...shown.map(() => 'right' as const)], ink.unicode, gap);
  };
  const used = tallyColumns.filter(({ of }) => of(all) > 0);
  const forms = [
    form(tallyColumns, 22, 2),
    form(tallyColumns, 22, 1),
    form(used, 22, 1),
    form(used, 16, 1),
    form(used.slice(1), 16, 1),
  ];
  return ['', ...fittingTable(forms, ink)];
}

interface TallyColumn {
  head: string;
  of: (tally: SectionTally) => number;
}

const tallyColumns: readonly TallyColumn[] = [
  { head: 'cases', of: ({ total }) => total },
  { head: 'OK', of: ({ behaviors }) => behaviors.OK },
  { head: 'non-strict', of: ({ behaviors }) => behaviors['NON-STRICT'] },
  { head: 'info', of: ({ behaviors }) => behaviors.INFORMATIONAL },
  { head: 'unimpl.', of: ({ behaviors }) => behaviors.UNIMPLEMENTED },
  { head: 'failed', of: ({ behaviors }) => behaviors.FAILED },
  { head: 'close', of: ({ badCloses }) => badCloses },
];

function sectionLabel(section: string, ink: Ink): string {
  return ink.safe(`${section.padStart(2)} ${sectionTitle(section)}`, 60);
}

/** Several agents side by side: as many in one table as fit. */
function agentTables(result: ConformResult, ink: Ink, verbose: boolean): string[] {
  let rest = result.agents.filter(({ verdicts }) => verdicts.length > 0);
  const sections = sectionsOf(rest.flatMap(({ verdicts }) => verdicts));
  const lines: string[] = [];
  while (rest.length > 0) {
    let most = rest.length;
    const tables = (): string[] => {
      const group = rest.slice(0, most);
      return ['', ...passedTable(group, sections, result.failOn, ink), ...matrix(group, ink, verbose)];
    };
    let drawn = tables();
    while (most > 1 && drawn.some((line) => displayWidth(line) > ink.width)) {
      most--;
      drawn = tables();
    }
    lines.push(...drawn.map((line) => fit(line, ink.width, ink.unicode)));
    rest = rest.slice(most);
  }
  return lines;
}

function passedTable(
  group: readonly AgentRecord[],
  sections: readonly string[],
  failOn: ConformResult['failOn'],
  ink: Ink,
): string[] {
  const rows = [
    ['', ...group.map(({ name }) => agentName(name, ink))],
    ...sections.map((section) => [
      fit(sectionLabel(section, ink), 22, ink.unicode),
      ...group.map((agent) =>
        passedCell({ ...agent, verdicts: inSection(agent.verdicts, section) }, failOn, ink),
      ),
    ]),
    ['all', ...group.map((agent) => passedCell(agent, failOn, ink))],
  ];
  return plainTable(rows, ['left', ...group.map(() => 'right' as const)], ink.unicode);
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
    fit(ink.safe(cases, 40), 20, ink.unicode),
    // Only a close is UNCLEAN or of a WRONG CODE, but both columns know FAILED.
    ...verdicts.map((words) => words?.replace(/close (?!FAILED$)/, '') ?? ink.none),
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
    ['spec', verdict.spec],
  ];
  const line = (name: string, text: string): string[] =>
    ink.labelled(name === '' ? '' : `${name}:`, ink.safe(text, 2000), 11, '      ');
  return [
    ...ink.labelled(ink.mark('failed'), head, ink.markWidth),
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
    ...ink.labelled(ink.mark('failed'), `${rest.length} more failed; -v shows each`, ink.markWidth),
    ...[...byVerdict].flatMap(([words, ids]) =>
      ink.labelled('', `${words}: ${ink.safe(ids.join(', '), 4000)}`, 6),
    ),
  ];
}
