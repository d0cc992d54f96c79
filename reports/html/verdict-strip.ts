// What a run comes to, before anything else: the verdict, a few large figures, and why.
import { formatDuration } from '../../lib/duration.ts';
import type { Result, StressResult } from '../../lib/result/result.ts';
import { count, figure, ms, percent } from '../figures.ts';
import { latencyCell } from '../latency.ts';
import { talkWords } from '../talk-words.ts';
import { isJudgement, loadWords, outcomeWords, score, tally, tallyCases } from '../verdict.ts';
import { marked, outcomeTones } from './marks.ts';
import { type Markup, markup, type Part, shown } from './markup.ts';

/** The strip of one run. */
export function verdictStrip(result: Result, id: string): Markup {
  const tone = outcomeTones[result.outcome];
  const sign = { good: '✓', bad: '✗', warn: '!', quiet: '–' }[tone];
  const says = sayings(result);
  return markup`<section class="verdict ${tone}" id="${id}" aria-label="Verdict">
<p class="stamp"><b><span aria-hidden="true">${sign}</span> ${outcomeWords[result.outcome]}</b> <span>${score(result)}</span></p>
<p class="meta">${join([result.kind, markup`<code>${shown(result.target.url, 200)}</code>`, ...where(result), ...plan(result), started(result)])}</p>
<dl class="tiles">
${tiles(result).map(([name, value, small]) => markup`<div><dt>${name}</dt><dd>${value}${small !== undefined && markup` <small>${small}</small>`}</dd></div>\n`)}</dl>
${says.length > 0 && markup`<ul class="says">${says}</ul>\n`}</section>
`;
}

const dot = markup` <span class="dot" aria-hidden="true">·</span> `;

function join(parts: readonly Part[]): Part {
  return parts.map((part, index) => [index > 0 && dot, part]);
}

const where = ({ target }: Result): string[] => (target.embedded ? ['embedded server, same machine'] : []);

function plan(result: Result): string[] {
  if (result.kind !== 'stress') return [];
  return [...loadWords(result), ...talkWords(result)];
}

function started({ run }: Result): Markup {
  const shownTime = run.startedAt.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');
  return markup`<time datetime="${shown(run.startedAt, 40)}">${shown(shownTime, 40)}</time>`;
}

type Tile = [name: string, value: string, small?: string];

function tiles(result: Result): Tile[] {
  if (result.kind === 'stress') return stressTiles(result);
  const { passed, failed, total, ...rest } = result.kind === 'quick' ? tally(result) : tallyCases(result);
  const [name, other]: [string, [string, number]] =
    'skipped' in rest ? ['checks', ['skipped', rest.skipped]] : ['cases', ['not run', rest.notRun]];
  return [
    [`${name} passed`, count(passed), `of ${count(total)}`],
    ['failed', count(failed)],
    [other[0], count(other[1])],
    ['duration', formatDuration(roundedMs(result.run.durationMs))],
  ];
}

const roundedMs = (value: number): number =>
  value < 1000 ? Math.round(value) : Math.round(value / 100) * 100;

function stressTiles(result: StressResult): Tile[] {
  const { counters, derived, metrics } = result;
  const time = (stat: 'p50' | 'p99'): Tile => {
    const value = metrics.rtt[stat];
    const name = `round trip ${stat}`;
    return value === null ? [name, latencyCell(result, metrics.rtt, stat, '–')] : [name, ms(value), 'ms'];
  };
  return [
    time('p99'),
    time('p50'),
    derived.throughput === null ? ['replies', '–'] : ['replies', figure(derived.throughput), '/s'],
    [
      'connections opened',
      count(counters['connections.opened']),
      `of ${count(counters['connections.attempted'])}`,
    ],
    ['messages in error', derived.error_rate === null ? '–' : percent(derived.error_rate)],
  ];
}

/** Why, and what to know: what no table below says. */
function sayings(result: Result): Markup[] {
  const { reasons, warnings, run } = result;
  const isLimited = result.kind === 'stress' && result.generator.limited;
  const limits = 'the latencies include the delay of the generator itself; they say little about the target';
  return [
    ...reasons.map(({ code, message }) =>
      say(result.outcome === 'failed' ? 'bad' : 'warn', isJudgement(code) ? 'because' : code, message),
    ),
    ...(isLimited ? [say('warn', 'generator too slow', limits)] : []),
    ...(run.complete ? [] : [say('warn', 'incomplete', 'the schedule did not run to its end')]),
    ...warnings.map(({ message }) => say('warn', 'warning', message)),
  ];
}

function say(tone: 'bad' | 'warn', word: string, message: string): Markup {
  return markup`<li class="${tone}">${marked(tone, word)} ${shown(message, 500)}</li>\n`;
}
