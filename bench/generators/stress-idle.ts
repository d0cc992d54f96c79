// wsbench with many connections and next to no messages, in a process of its own.
import { type StressOptions, stress } from '../../lib/index.ts';
import { atOnce, costs, type IdleReport, memory } from './idle.ts';
import { askedLoad, type GeneratorLoad } from './load.ts';

const { url, connections, durationMs, driver } = askedLoad<GeneratorLoad & Pick<StressOptions, 'driver'>>();
const options: StressOptions = {
  preset: 'echo',
  ratePerSecond: 1,
  defaultThresholds: false,
  thresholds: [],
  ...(driver === undefined ? {} : { driver }),
};
// What all runs need is compiled by this one.
await stress(url, { ...options, connections: atOnce, durationMs: 100 });
const before = memory();
let after: NodeJS.MemoryUsage | undefined;
let cpu = process.cpuUsage();
const { counters, phases, reasons } = await stress(
  url,
  { ...options, connections, durationMs },
  {
    onEvent: (event) => {
      if (event.type !== 'phase') return;
      if (event.phase === 'measure') {
        after = memory();
        cpu = process.cpuUsage();
      }
      if (event.phase === 'drain') cpu = process.cpuUsage(cpu);
    },
  },
);
const opened = counters['connections.opened'];
if (!after) throw new Error(`nothing was measured: ${reasons.map(({ message }) => message).join('; ')}`);
const report: IdleReport = {
  opened,
  connectsPerSecond: (opened * 1000) / phases.connectMs,
  ...costs(before, after, opened),
  idleCpu: (cpu.user + cpu.system) / 1000 / durationMs,
};
console.log(JSON.stringify(report));
