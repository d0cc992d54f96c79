// The sections of a stress result.
import type { StressResult } from '../../lib/result/result.ts';
import { count, timeoutMs } from '../figures.ts';
import { plain } from '../plain.ts';
import { recoveryFacts } from '../recovery-words.ts';
import { stressFacts } from '../stress-facts.ts';
import { limitText, thresholdFigure, thresholdName } from '../threshold-words.ts';
import type { Card } from './card.ts';
import { connectionsBody } from './connections.ts';
import { generatorBody } from './generator.ts';
import { latencyBody } from './latency.ts';
import { marked } from './marks.ts';
import { type Markup, markup, shown } from './markup.ts';
import { phaseStrip } from './phases.ts';
import { recoveryCard } from './recovery.ts';
import { facts, longTable, table } from './table.ts';
import { timeLineBody } from './time-line.ts';

const mostRows = 100;

/** The sections, those that there is something for. */
export function stressCards(result: StressResult, id: string): Card[] {
  const timeLine = timeLineBody(result, id);
  const recovery = recoveryCard(result, id);
  const reached = result.counters['connections.opened'] > 0;
  return [
    { id: `${id}-thresholds`, title: 'Thresholds', body: thresholds(result) },
    ...(reached && recovery ? [recovery] : []),
    ...(reached
      ? [
          { id: `${id}-latency`, title: 'Latency', body: latencyBody(result) },
          ...(timeLine
            ? [
                {
                  id: `${id}-time`,
                  title: 'Time line',
                  body: markup`${phaseStrip(result)}${timeLine}`,
                },
              ]
            : []),
          { id: `${id}-messages`, title: 'Messages', body: messages(result) },
        ]
      : []),
    { id: `${id}-connections`, title: 'Connections', body: connectionsBody(result) },
    ...(reached ? [{ id: `${id}-generator`, title: 'Generator health', body: generatorBody(result) }] : []),
  ];
}

function thresholds(result: StressResult): Markup {
  if (result.thresholds.length === 0) return markup`<p class="note">No thresholds.</p>\n`;
  const rows = result.thresholds.map((threshold) => ({
    cells: [
      markup`<code>${shown(thresholdName(threshold), 80)}</code>`,
      `${threshold.op} ${limitText(threshold)}`,
      thresholdFigure(threshold, timeoutMs(result), '–'),
      threshold.ok ? marked('good', 'met') : marked('bad', 'missed'),
      threshold.source,
    ],
    ...(threshold.ok ? {} : { tone: 'bad' as const }),
  }));
  return table(
    'What the run was judged by',
    [
      { head: 'Threshold' },
      { head: 'Limit', align: 'right' },
      { head: 'Measured', align: 'right' },
      { head: 'Result' },
      { head: 'From' },
    ],
    rows,
  );
}

// Sections of their own tell these.
const toldApart = new Set(['Connections', 'Closes', 'Generator', 'Unsent', 'Rejected', 'Violations']);

function messages(result: StressResult): Markup {
  const recovery = new Set(recoveryFacts(result).map(({ label }) => label));
  const told = stressFacts(result, { times: '×', safe: plain }).filter(
    ({ label }) => !toldApart.has(label) && !recovery.has(label),
  );
  return markup`${facts(told.map(({ label, parts }) => [label, parts.join(' · ')]))}${refusals(result)}`;
}

/** What was not answered well, by what was said of it. */
function refusals({ rejections, unsent, violations = [] }: StressResult): Markup | undefined {
  const kinds: [string, { count: number; what: string }[]][] = [
    ['rejected', rejections.map(({ code, count: n }) => ({ what: code, count: n }))],
    ['unsent', unsent.map(({ reason, count: n }) => ({ what: reason, count: n }))],
    ['protocol violation', violations.map(({ detail, count: n }) => ({ what: detail, count: n }))],
  ];
  const rows = kinds.flatMap(([kind, all]) =>
    all.map(({ what, count: n }) => ({ cells: [kind, shown(what, 300), count(n)] })),
  );
  if (rows.length === 0) return undefined;
  return longTable(
    'Rejected, unsent and broken, by cause',
    [{ head: 'What' }, { head: 'Cause', align: 'wide' }, { head: 'Count', align: 'right' }],
    rows,
    mostRows,
  );
}
