// What was run, where and how: to judge the figures, and to measure them again.
import type { Result } from '../../lib/result/result.ts';
import { bytes } from '../figures.ts';
import type { Card } from './card.ts';
import { commandMarkup } from './card.ts';
import type { EmbeddedJson } from './embedded-json.ts';
import { jsonBlock, type Markup, markup, type Part, shown } from './markup.ts';
import { facts } from './table.ts';

/** The section of one result, with its JSON for whoever wants to go on with it. */
export function configurationCard(result: Result, id: string, embedded: EmbeddedJson): Card {
  const { run } = result;
  const body = markup`${
    run.reproduce !== undefined &&
    markup`<p>The command that makes this run again:</p>
${commandMarkup(shown(run.reproduce, 2000))}`
  }${facts(runFacts(result))}${options(result)}${download(result, `${id}-json`, embedded)}`;
  return { id: `${id}-configuration`, title: 'Configuration', body };
}

function runFacts({ run, plan, target, host }: Result): (readonly [string, Part])[] {
  return [
    ['Run', markup`<code>${shown(run.id, 100)}</code>, seed ${run.seed}${!run.complete && ', not complete'}`],
    ...(run.mergedFrom === undefined
      ? []
      : [['Merged from', shown(run.mergedFrom.join(', '), 4000)] as const]),
    ['Started', shown(run.startedAt, 40)],
    ['Plan', markup`${shown(plan.name, 100)}, hash <code>${shown(plan.hash, 80)}</code>`],
    [
      'Target',
      markup`<code>${shown(target.url, 300)}</code>, described as ${shown(target.description, 60)}${target.embedded && '; embedded server on the same machine, so both share its CPUs'}`,
    ],
    [
      'Measured by',
      markup`wsbench ${shown(run.wsbench, 40)} on Node ${shown(host.node, 40)}, ${shown(`${host.platform} ${host.arch}`, 100)}, ${host.cpus} × ${shown(host.cpuModel, 100)}, ${bytes(host.memoryBytes)} memory`,
    ],
  ];
}

function options({ plan }: Result): Markup | undefined {
  const rows = Object.entries(plan.options).map(
    ([name, value]) =>
      [
        markup`<code>${shown(name, 80)}</code>`,
        typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
          ? shown(String(value), 500)
          : markup`<code>${shown(JSON.stringify(value), 2000)}</code>`,
      ] as const,
  );
  if (rows.length === 0) return undefined;
  // Long, and wanted only when figures are doubted.
  return markup`<details><summary>Options of the plan, secrets masked</summary>
${facts(rows)}</details>
`;
}

function download({ run }: Result, id: string, { json, leftOut }: EmbeddedJson): Markup {
  // A name that every file system takes.
  const name = `${run.id.replace(/[^\w.-]+/g, '_').slice(0, 80) || 'result'}.json`;
  return markup`<p><a class="download" href="#${id}" hidden download="${name}" data-block="${id}">Download the result as JSON</a> <span class="note">${bytes(Buffer.byteLength(json))}${leftOut.length > 0 && `, without ${leftOut.join(' and ')}; the saved result has them`}</span></p>
${jsonBlock(markup`id="${id}"`, json)}
`;
}
