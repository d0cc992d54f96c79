// Conformance verdicts in Markdown: a table by section or by agent, the failures, the rest in brief.
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
import { markdownCode, markdownTable, markdownText } from './markdown-escape.ts';
import { wireLines } from './wire-lines.ts';

/** With more failures than this, those after them come without the log of the wire. */
const withWire = 25;
const wireLinesShown = 12;
/** A matrix longer than this is cut. */
const matrixRows = 200;

/** Lines for a conform result. */
export function conformLines(result: ConformResult, titled: boolean): string[] {
  const { agents } = result;
  const [first] = agents;
  const only = agents.length === 1 ? first : undefined;
  const title = titled
    ? [`### ${markdownCode(result.target.url, 200)} (${markdownText(result.run.id, 100)})`, '']
    : [];
  return [
    ...title,
    conformPlanWords(result).join(' · '),
    '',
    ...(only ? sectionTable(only, result) : agentTables(result)),
    ...agents.flatMap((agent) => noteLines(agent, result)),
  ];
}

function sectionTable(agent: AgentRecord, { failOn }: ConformResult): string[] {
  if (agent.verdicts.length === 0) return ['No case ran to its end.', ''];
  const row = (label: string, { total, behaviors, badCloses, passed }: SectionTally): string[] => [
    label,
    count(total),
    count(behaviors.OK),
    count(behaviors['NON-STRICT']),
    count(behaviors.INFORMATIONAL),
    count(behaviors.UNIMPLEMENTED),
    count(behaviors.FAILED),
    count(badCloses),
    passed === total ? '✅' : `❌ ${count(total - passed)}`,
  ];
  const rows = tallySections(agent, failOn).map((tally) => row(label(tally.section), tally));
  const head = [
    'Section',
    'Cases',
    'OK',
    'NON-STRICT',
    'INFORMATIONAL',
    'UNIMPLEMENTED',
    'FAILED',
    'Close',
    'Result',
  ];
  const all = rows.length > 1 ? [row('All', tallyAll(agent, failOn))] : [];
  return [...markdownTable(head, 'lrrrrrrrc', [...rows, ...all]), ''];
}

const label = (section: string): string => markdownText(`${section} ${sectionTitle(section)}`.trim(), 60);

function agentTables({ agents, failOn }: ConformResult): string[] {
  const sections = sectionsOf(agents.flatMap(({ verdicts }) => verdicts));
  const names = agents.map(({ name }) => markdownText(name, 60));
  const cell = (agent: AgentRecord): string => {
    const { passed, total } = tallyAll(agent, failOn);
    if (total === 0) return '–';
    return `${passed === total ? '✅' : '❌'} ${count(passed)} of ${count(total)}`;
  };
  const rows = sections.map((section) => [
    label(section),
    ...agents.map((agent) => cell({ ...agent, verdicts: inSection(agent.verdicts, section) })),
  ]);
  const aligns = `l${'r'.repeat(agents.length)}`;
  return [
    ...markdownTable(['Section', ...names], aligns, [...rows, ['All', ...agents.map(cell)]]),
    '',
    ...matrix(agents, names),
  ];
}

/** The cases in which the agents are not all fine. */
function matrix(agents: readonly AgentRecord[], names: readonly string[]): string[] {
  const all = conformMatrix(agents, '–');
  if (all.length === 0) return ['Every case is OK everywhere.', ''];
  const rows = all
    .slice(0, matrixRows)
    .map(({ cases, verdicts }) => [markdownCode(cases, 40), ...verdicts.map((words) => words ?? '–')]);
  const more = all.length - rows.length;
  return [
    ...markdownTable(['Case', ...names], `l${'l'.repeat(names.length)}`, rows),
    '',
    ...(more > 0 ? [`${more} more are in the JSON.`, ''] : []),
  ];
}

function noteLines(agent: AgentRecord, { agents, failOn }: ConformResult): string[] {
  const notes = conformNotes(agent, failOn, '–').map(
    ({ label: what, parts }) => `- ${markdownText(what)}: ${markdownText(parts.join(', '), 4000)}`,
  );
  if (notes.length === 0) return [];
  return agents.length === 1 ? [...notes, ''] : [`${markdownText(agent.name, 60)}:`, '', ...notes, ''];
}

/** The failures, each with its evidence, as items of a list. */
export function conformFailures({ agents, failOn }: ConformResult): string[] {
  const failures = agents.flatMap((agent) =>
    agent.verdicts
      .filter((verdict) => failsRun(verdict, failOn))
      .sort((one, other) => compareCaseIds(one.caseId, other.caseId))
      .map((verdict) => ({ agent, verdict })),
  );
  return failures.flatMap(({ agent, verdict }, index) =>
    failure(verdict, agents.length > 1 ? ` on ${markdownText(agent.name, 60)}` : '', index < withWire),
  );
}

function failure(verdict: VerdictRecord, where: string, showWire: boolean): string[] {
  const code = verdict.remoteCloseCode === null ? '' : `, closed with ${verdict.remoteCloseCode}`;
  const worse = verdict.against === 'worse' ? ', worse than expected' : '';
  const wire = showWire
    ? wireLines(verdict.wire ?? [], { most: wireLinesShown, hex: false, unicode: true })
    : [];
  const rows: [string, string | undefined][] = [
    ['expected', verdict.expected],
    ['got', verdict.got],
    ['rule', verdict.rule],
    ['spec', verdict.spec],
  ];
  return [
    `- ❌ **${markdownText(verdict.title, 200)}** (${markdownCode(verdict.caseId, 20)})${where}: ${verdictWords(verdict)}${worse}${code}`,
    ...rows.flatMap(([name, text]) =>
      text === undefined ? [] : [`  - ${name}: ${markdownText(text, 500)}`],
    ),
    ...wire.map((line) => `  - ${markdownCode(line, 300)}`),
    ...(verdict.reproduce === undefined ? [] : [`  - reproduce: ${markdownCode(verdict.reproduce, 1000)}`]),
  ];
}
