// A stress result as tables and lists.
import type { StressResult } from '../lib/result/result.ts';
import { count, lostText, timeoutMs } from './figures.ts';
import {
  anyLost,
  connectRows,
  type LatencyStat,
  latencyCell,
  latencyRows,
  modelNote,
  statTitles,
} from './latency.ts';
import { markdownCode, markdownTable, markdownText } from './markdown-escape.ts';
import { stormVerdict } from './recovery-words.ts';
import { failureLines, stressFacts } from './stress-facts.ts';
import { talkWords } from './talk-words.ts';
import { limitText, thresholdFigure, thresholdName } from './threshold-words.ts';
import { loadWords } from './verdict.ts';

const columns: readonly LatencyStat[] = ['p50', 'p90', 'p95', 'p99', 'p999', 'max', 'mean'];
const style = { dot: ' · ', times: '×', safe: markdownText };

/** Lines for a stress result. */
export function stressLines(result: StressResult, titled: boolean): string[] {
  const title = titled
    ? [`### ${markdownCode(result.target.url, 200)} (${markdownText(result.run.id, 100)})`, '']
    : [];
  const plan = [
    ...loadWords(result),
    `target: ${markdownText(result.target.description, 60)}`,
    ...talkWords(result).map((words) => markdownText(words, 60)),
  ];
  if (result.target.embedded) plan.push('embedded server, same machine');
  return [
    ...title,
    plan.join(' · '),
    '',
    ...limited(result),
    ...storm(result),
    ...latency(result),
    '',
    ...markdownTable(
      ['Figure', 'Measured'],
      'll',
      stressFacts(result, style).map(({ label, parts }) => [label, parts.join(style.dot)]),
    ),
    '',
    ...failures(result),
    ...thresholds(result),
  ];
}

function storm(result: StressResult): string[] {
  const [verdict, ...more] = stormVerdict(result);
  if (verdict === undefined) return [];
  return [`> **${markdownText(verdict, 400)}**`, ...more.map((text) => `> ${markdownText(text, 400)}`), ''];
}

function limited({ generator }: StressResult): string[] {
  if (!generator.limited) return [];
  const advice = generator.advice.map((text) => markdownText(text)).join(', ');
  return [
    `> ⚠️ The load generator fell behind: ${generator.reasons.map((text) => markdownText(text)).join('; ')}.`,
    '> The latencies below include its own delay; they say little about the target.',
    ...(generator.advice.length === 0 ? [] : [`> Try: ${advice}`]),
    '',
  ];
}

function latency(result: StressResult): string[] {
  const shown = [...latencyRows, ...connectRows.filter(({ metric }) => result.metrics[metric].count > 0)];
  const rows = shown.map(({ metric, title }) => {
    const stats = result.metrics[metric];
    const cells = columns.map((stat) => latencyCell(result, stats, stat, '–').replace('>', '&gt;'));
    return [`${title} (ms)`, ...cells, count(stats.count), count(stats.censored)];
  });
  const head = ['Metric', ...columns.map((stat) => statTitles[stat]), 'Count', 'No reply'];
  const lost = anyLost(result)
    ? [
        `${lostText(timeoutMs(result)).replace('>', '&gt;')}: that rank is a message that was lost or never sent, not a time.`,
      ]
    : [];
  const model = modelNote(result);
  const notes = [...lost, ...(model === undefined ? [] : [model])].flatMap((note) => ['', note]);
  return [...markdownTable(head, `l${'r'.repeat(columns.length + 2)}`, rows), ...notes];
}

function failures(result: StressResult): string[] {
  const causes = failureLines(result, style);
  if (causes.length === 0) return [];
  const lines = causes.flatMap(({ cause, hint }) => [
    `- ${cause}`,
    ...(hint === undefined ? [] : [`  Hint: ${hint}`]),
  ]);
  return ['Connections that failed:', '', ...lines, ''];
}

function thresholds(result: StressResult): string[] {
  if (result.thresholds.length === 0) return ['No thresholds.', ''];
  const rows = result.thresholds.map((threshold) => [
    markdownCode(thresholdName(threshold), 80),
    `${threshold.op} ${limitText(threshold)}`.replace('<', '&lt;').replace('>', '&gt;'),
    thresholdFigure(threshold, timeoutMs(result), '–').replace('<', '&lt;').replace('>', '&gt;'),
    threshold.ok ? '✅ met' : '❌ missed',
    threshold.source,
  ]);
  return [...markdownTable(['Threshold', 'Limit', 'Measured', 'Result', 'From'], 'lrrcl', rows), ''];
}
