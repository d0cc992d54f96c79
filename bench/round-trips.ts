// What a measured round trip costs, and what it costs others: CPU of the generator, all of it, against one echo server.
//
//   npm run bench -- [--quick] [--seconds 3] [--repeat 3] [--tools native,bare] [--cases 'closed, 100']
//
// Server and generator have a core each. The tools take turns, so that a machine that slows down slows down all of them:
// compare only the figures of one run. Others' tools: k6 on PATH or by WSBENCH_K6_BIN; the load tester of uWebSockets by
// WSBENCH_UWS_LOAD_TEST. The server is Bun's, which npm installs into a folder for temporary files when it is not there.
import { parseArgs } from 'node:util';
import { cases } from './cases.ts';
import { chooseEngine, startEcho } from './echo-process.ts';
import { goals } from './goals.ts';
import { measure, type Sample } from './measure.ts';
import { machine, unpinned } from './pinned.ts';
import { tables } from './table.ts';
import { toolbox } from './tools.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    repeat: { type: 'string' },
    tools: { type: 'string', default: '' },
    cases: { type: 'string', default: '' },
  },
});
const seconds = Number(values.seconds ?? (values.quick ? 0.5 : 3));
const repetitions = Number(values.repeat ?? (values.quick ? 1 : 3));
const wantedTools = values.tools.split(',');
const { tools, skipped } = toolbox();
const asked = tools.filter(({ name }) => wantedTools.some((wanted) => name.includes(wanted)));
const loads = cases.filter(({ title, quick }) => title.includes(values.cases) && (quick || !values.quick));
if (process.platform !== 'linux') throw new Error('CPU times come from /proc: run this on Linux');
if (asked.length === 0 || loads.length === 0) throw new Error('nothing to run: see --tools and --cases');

const engine = chooseEngine();
console.log(machine(engine.name));
console.log(`${repetitions} × ${seconds} s each, in turn; medians [range]`);
if (engine.warning) console.log(`\nWARNING: ${engine.warning}`);
if (unpinned) console.log(`\nWARNING: server and generator share cores: ${unpinned}`);
console.log(`what they measure: ${asked.map(({ name, measures }) => `${name} ${measures}`).join(', ')}`);
for (const reason of skipped) console.log(`not measured: ${reason}`);

const server = await startEcho(engine, 0);
try {
  const rows = loads.flatMap((load) => asked.map((tool) => ({ load, tool, samples: [] as Sample[] })));
  for (const load of loads) {
    const turns = rows.filter((row) => row.load === load);
    for (let repetition = 0; repetition < repetitions; repetition++) {
      for (const { tool, samples } of turns) {
        const sample = await measure(tool, load, server, seconds);
        if (!sample) continue;
        samples.push(sample);
        const { summary, cpuUs, perSecond } = sample;
        const wrong = summary && summary.wrong + summary.unmatched > 0;
        console.error(
          `${load.title}: ${tool.name}: ${cpuUs.toFixed(2)} µs, ${Math.round(perSecond)}/s` +
            `${wrong ? `; ${summary.unmatched} unmatched, ${summary.wrong} wrong` : ''}` +
            `${summary?.reasons.length ? `; ${summary.reasons.join('; ')}` : ''}`,
        );
      }
    }
  }
  const done = rows
    .filter(({ samples }) => samples.length > 0)
    .map(({ load, tool, samples }) => ({ load, tool: tool.name, samples }));
  console.log(tables(done));
  console.log(`\n### Goals\n\n${goals(done).join('\n')}`);
} finally {
  await server.stop();
}
