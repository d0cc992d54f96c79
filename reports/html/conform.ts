// Conformance: a matrix of all cases by section, and every case with its evidence.
import type { AgentRecord, ConformResult, FailOn, VerdictRecord } from '../../lib/result/result.ts';
import { verdictWords } from '../../lib/result/verdicts.ts';
import { conformNotes, conformPlanWords } from '../conform-notes.ts';
import { inSection, sectionsOf, sectionTitle, tallyAll, tallySections } from '../conform-sections.ts';
import { count } from '../figures.ts';
import type { Card } from './card.ts';
import { sectionCases, toneOf } from './conform-cases.ts';
import { marked } from './marks.ts';
import { type Markup, markup, type Part, shown } from './markup.ts';
import { type Column, facts, type Tone, table } from './table.ts';

/** The matrix and the cases. */
export function conformCards(result: ConformResult, id: string): Card[] {
  const ran = result.agents.some(({ verdicts }) => verdicts.length > 0);
  return [
    { id: `${id}-matrix`, title: 'Conformance by section', body: overview(result) },
    ...(ran ? [{ id: `${id}-cases`, title: 'Cases', body: cases(result, id) }] : []),
  ];
}

function overview(result: ConformResult): Markup {
  const [first] = result.agents;
  const single = result.agents.length === 1 ? first : undefined;
  const body = single ? oneAgent(single, result) : manyAgents(result);
  return markup`<p class="note">${conformPlanWords(result).join(' · ')}.</p>
${body}${legend()}${result.agents.map((agent) => notes(agent, result))}`;
}

function oneAgent(agent: AgentRecord, { failOn }: ConformResult): Markup {
  if (agent.verdicts.length === 0) return markup`<p>No case ran to its end.</p>\n`;
  const right = (head: string): Column => ({ head, align: 'right' });
  const tallies = tallySections(agent, failOn);
  const all = tallies.length > 1 ? [tallyAll(agent, failOn)] : [];
  const rows = [...tallies, ...all].map(({ section, total, passed, behaviors, badCloses }) => ({
    cells: [
      section === '' ? 'All' : sectionName(section),
      markup`${passedOf(passed, total)}${section !== '' && cells(inSection(agent.verdicts, section), failOn)}`,
      ...[...Object.values(behaviors), badCloses].map(count),
    ],
    ...(passed === total ? {} : { tone: 'bad' as const }),
  }));
  const behaviors = Object.keys(tallyAll(agent, failOn).behaviors).map(right);
  const columns = [{ head: 'Section' }, { head: 'Passed' }, ...behaviors, right('Bad close')];
  return table('Cases by section', columns, rows);
}

function passedOf(passed: number, total: number): Markup {
  return marked(passed === total ? 'good' : 'bad', `${count(passed)} of ${count(total)}`);
}

function manyAgents({ agents, failOn }: ConformResult): Markup {
  const sections = sectionsOf(agents.flatMap(({ verdicts }) => verdicts));
  const cell = (agent: AgentRecord, withCells: boolean): Part => {
    const { passed, total } = tallyAll(agent, failOn);
    if (total === 0) return '–';
    return markup`${passedOf(passed, total)}${withCells && cells(agent.verdicts, failOn)}`;
  };
  const rows = sections.map((section) => ({
    cells: [
      sectionName(section),
      ...agents.map((agent) => cell({ ...agent, verdicts: inSection(agent.verdicts, section) }, true)),
    ],
  }));
  const all = { cells: ['All', ...agents.map((agent) => cell(agent, false))] };
  const heads = agents.map(({ name }) => ({ head: name }));
  return table('Cases that passed, by section and server', [{ head: 'Section' }, ...heads], [...rows, all]);
}

const sectionName = (section: string): string => `${section} ${sectionTitle(section)}`.trim();

const glyphs: Record<Tone, string> = { good: '✓', bad: '✗', warn: '!', quiet: '–' };

/** A small square a case. The table of cases says the same in words. */
function cells(verdicts: readonly VerdictRecord[], failOn: FailOn): Markup {
  const squares = verdicts.map((verdict) => {
    const tone = toneOf(verdict, failOn);
    return markup`<i class="${tone}" title="${shown(verdict.caseId, 20)}: ${verdictWords(verdict)}">${glyphs[tone]}</i>`;
  });
  return markup`<span class="cells" aria-hidden="true">${squares}</span>`;
}

function legend(): Markup {
  return markup`<p class="note">Each square is a case: ✓ fine · ! not as strict or not as clean as it should be · – unimplemented or informational · ✗ fails the run.</p>
`;
}

function notes(agent: AgentRecord, { agents, failOn }: ConformResult): Markup | undefined {
  const found = conformNotes(agent, failOn, '–');
  if (found.length === 0) return undefined;
  const rows = found.map(({ label, parts }) => [label, shown(parts.join(', '), 4000)] as const);
  return markup`${agents.length > 1 && markup`<h4>${shown(agent.name, 60)}</h4>\n`}${facts(rows)}`;
}

function cases(result: ConformResult, id: string): Markup {
  const sections = sectionsOf(result.agents.flatMap(({ verdicts }) => verdicts));
  return markup`${sections.map((section) => sectionCases(result, section, sectionName(section), id))}`;
}
