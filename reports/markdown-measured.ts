// How the figures came about, folded away under the report.
import type { Result } from '../lib/result/result.ts';
import { bytes } from './figures.ts';
import { markdownCode, markdownText } from './markdown-escape.ts';
import { generatorWords, phaseWords } from './stress-facts.ts';

/** The block `How this was measured`. */
export function measuredLines(results: readonly Result[]): string[] {
  const percentiles = results.some((result) => result.kind === 'stress')
    ? [
        'Round trip, intended: from the time a message was due to its reply. Round trip, service: from the time it was sent.',
        'Percentiles: HdrHistogram, 3 significant digits, ranked over all messages that were due; those without a reply rank last.',
        '',
      ]
    : [];
  return [
    '<details><summary>How this was measured</summary>',
    '',
    ...results.flatMap((result) => [...facts(result).map((line) => `- ${line}`), '']),
    ...percentiles,
    '</details>',
  ];
}

function facts(result: Result): string[] {
  const { run, host, plan, target } = result;
  const lines = [
    `Run ${markdownCode(run.id, 100)} of plan ${markdownText(plan.name, 100)} (${markdownCode(plan.hash, 80)}), started ${markdownText(run.startedAt, 40)}, seed ${run.seed}${run.complete ? '' : ', not complete'}`,
    `wsbench ${markdownText(run.wsbench, 40)} · Node ${markdownText(host.node, 40)} · ${markdownText(`${host.platform} ${host.arch}`, 100)} · ${host.cpus} × ${markdownText(host.cpuModel, 100)} · ${bytes(host.memoryBytes)} memory`,
    `Target described as ${markdownText(target.description, 60)}${target.embedded ? '; embedded server on the same machine, so both share its CPUs' : ''}`,
  ];
  if (result.kind === 'stress') {
    lines.push(`Generator ${generatorWords(result).join(' · ')}`, `Phases: ${phaseWords(result)}`);
  }
  if (run.mergedFrom) {
    const ids = run.mergedFrom.slice(0, 50).map((id) => markdownCode(id, 100));
    lines.push(`Merged from ${run.mergedFrom.length} shards: ${ids.join(', ')}`);
  }
  if (run.reproduce !== undefined) lines.push(`Command: ${markdownCode(run.reproduce, 1000)}`);
  return lines;
}
