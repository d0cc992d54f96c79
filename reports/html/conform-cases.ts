// The cases of one section: a table of all of them, and what was seen in those that are not simply fine.
import type { AgentRecord, ConformResult, FailOn, VerdictRecord } from '../../lib/result/result.ts';
import { compareCaseIds, failsRun, isSpotless, verdictWords } from '../../lib/result/verdicts.ts';
import { inSection } from '../conform-sections.ts';
import { count, ms } from '../figures.ts';
import { wireLines } from '../wire-lines.ts';
import { commandMarkup } from './card.ts';
import { marked } from './marks.ts';
import { type Markup, markup, type Part, shown, shownLines } from './markup.ts';
import { type Column, facts, type Tone, table } from './table.ts';

/** Lines of the log of the wire that are shown of a case; the JSON has all of them. */
const mostWireLines = 60;
/** A longer log of a failure is folded away at first. */
const openWireLines = 25;

/** A section that unfolds; it is open where a case of it fails the run. */
export function sectionCases(result: ConformResult, section: string, title: string, id: string): Markup {
  const { failOn } = result;
  const agents = result.agents.map((agent) => ({ ...agent, verdicts: inSection(agent.verdicts, section) }));
  const all = agents.flatMap(({ verdicts }) => verdicts);
  const failed = all.filter((verdict) => failsRun(verdict, failOn)).length;
  const cases = new Set(all.map(({ caseId }) => caseId)).size;
  const plural = `${count(cases)} case${cases === 1 ? '' : 's'},`;
  const words = failed === 0 ? marked('good', 'passed') : marked('bad', `${count(failed)} failed`);
  return markup`<details id="${id}-s${section}"${failed > 0 && markup` open`}><summary>${title}: ${plural} ${words}</summary>
${caseTable(agents, result)}${agents.map((agent) => evidence(agent, result))}</details>
`;
}

function caseTable(agents: readonly AgentRecord[], { failOn }: ConformResult): Markup {
  const maps = agents.map(({ verdicts }) => new Map(verdicts.map((verdict) => [verdict.caseId, verdict])));
  const titles = new Map(
    agents.flatMap(({ verdicts }) => verdicts.map(({ caseId, title }) => [caseId, title])),
  );
  const [only] = agents.length === 1 ? maps : [];
  const rows = [...titles]
    .sort(([one], [other]) => compareCaseIds(one, other))
    .map(([caseId, title]) => {
      const verdict = only?.get(caseId);
      return {
        cells: [
          shown(caseId, 20),
          shown(title, 200),
          ...maps.map((map) => verdictCell(map.get(caseId), failOn)),
          ...(verdict
            ? [
                verdict.remoteCloseCode === null ? '–' : String(verdict.remoteCloseCode),
                ms(verdict.durationMs),
              ]
            : []),
        ],
      };
    });
  const columns: Column[] = [
    { head: 'Case' },
    { head: 'Title', align: 'wide' },
    ...agents.map(({ name }): Column => ({ head: agents.length === 1 ? 'Verdict' : name })),
    ...(only
      ? [
          { head: 'Close code', align: 'right' as const },
          { head: 'ms', align: 'right' as const },
        ]
      : []),
  ];
  return table('Every case', columns, rows);
}

function verdictCell(verdict: VerdictRecord | undefined, failOn: FailOn): Part {
  if (!verdict) return marked('quiet', 'not run');
  return marked(toneOf(verdict, failOn), verdictWords(verdict));
}

/** How a verdict is marked: what fails the run, what is worth a look, what is fine. */
export function toneOf(verdict: VerdictRecord, failOn: FailOn): Tone {
  if (failsRun(verdict, failOn)) return 'bad';
  if (verdict.behavior === 'UNIMPLEMENTED' || verdict.behavior === 'INFORMATIONAL') return 'quiet';
  return isSpotless(verdict) ? 'good' : 'warn';
}

function evidence(agent: AgentRecord, { agents, failOn }: ConformResult): Part {
  const told = agent.verdicts.filter((verdict) =>
    [verdict.expected, verdict.got, verdict.wire, verdict.flaky, verdict.rule].some(
      (said) => said !== undefined,
    ),
  );
  const where = agents.length > 1 && markup` on ${shown(agent.name, 60)}`;
  return told.map((verdict) => {
    const isFailure = failsRun(verdict, failOn);
    return markup`<details${isFailure && markup` open`}><summary>${shown(verdict.caseId, 20)}${where} ${shown(verdict.title, 200)}: ${verdictCell(verdict, failOn)}</summary>
${facts(seen(verdict))}${wireLog(verdict, isFailure)}</details>
`;
  });
}

function seen(verdict: VerdictRecord): (readonly [string, Part])[] {
  const { expected, got, rule, spec, repeated, against, flaky, reproduce } = verdict;
  const rows: [string, Part | undefined][] = [
    ['Expected', expected !== undefined && shown(expected, 500)],
    ['Got', got !== undefined && shown(got, 500)],
    ['Rule', rule !== undefined && shown(rule, 500)],
    ['Specification', shown(spec, 100)],
    ['Repeated', repeated && 'it failed beside others and was run again alone: this is the second verdict'],
    ['Against expected', against?.replace('-', ' ')],
    ['Flaky', flaky?.map((one) => `${count(one.count)} × ${verdictWords(one)}`).join(', ')],
    ['Reproduce', reproduce !== undefined && commandMarkup(shown(reproduce, 1000))],
  ];
  return rows.flatMap(([term, said]) =>
    said === undefined || said === false ? [] : [[term, said] as const],
  );
}

function wireLog({ wire = [] }: VerdictRecord, isFailure: boolean): Markup | undefined {
  if (wire.length === 0) return undefined;
  const lines = wireLines(wire, { most: mostWireLines, hex: true, unicode: true });
  const isOpen = isFailure && lines.length <= openWireLines;
  return markup`<details${isOpen && markup` open`}><summary>The wire, frame by frame: → sent, ← received</summary>
<pre tabindex="0">${shownLines(lines, 400)}</pre></details>
`;
}
