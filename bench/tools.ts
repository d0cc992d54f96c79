// The load generators that are held against each other, and how each is started.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DriverName } from '../lib/load/plan.ts';
import type { Case } from './cases.ts';
import type { GeneratorLoad } from './generators/load.ts';

/** What is to be started. */
export interface Command {
  program: string;
  args: string[];
  env?: Record<string, string>;
}

/** A load generator. */
export interface Tool {
  name: string;
  /** What it measures, in a few words. */
  measures: string;
  /** It ends by itself and tells a summary. */
  summarises?: boolean;
  /** The command for a load; undefined: it cannot do that. */
  command(load: GeneratorLoad): Command | undefined;
}

/** Tools that are here, and why others are not. */
export interface Toolbox {
  tools: Tool[];
  skipped: string[];
}

const beside = (name: string): string => fileURLToPath(new URL(`./generators/${name}.js`, import.meta.url));
// Compiled files lie in dist/bench; what is not compiled stays where it is.
const source = (name: string): string =>
  fileURLToPath(new URL(`../../bench/generators/${name}`, import.meta.url));

const node = (script: string, load: object): Command => ({
  program: process.execPath,
  args: [beside(script), JSON.stringify(load)],
});

const wsbench = (driver: DriverName): Tool => ({
  name: `wsbench ${driver}`,
  measures: 'everything',
  summarises: true,
  command: (load) => node('stress', { ...load, driver }),
});

const bareWs: Tool = { name: 'bare ws', measures: 'nothing', command: (load) => node('bare-ws', load) };
const bareWsBuffer: Tool = {
  name: 'bare ws, Buffer',
  measures: 'nothing',
  command: (load) => node('bare-ws', { ...load, asBuffer: true }),
};
const netLoop: Tool = { name: 'net loop', measures: 'nothing', command: (load) => node('net-loop', load) };

/** Those that can hold many connections open and do nothing. */
export const idleTools: readonly { name: string; command: (load: GeneratorLoad) => Command }[] = [
  { name: 'wsbench native', command: (load) => node('stress-idle', { ...load, driver: 'native' }) },
  { name: 'wsbench ws', command: (load) => node('stress-idle', { ...load, driver: 'ws' }) },
  { name: 'bare ws', command: (load) => node('bare-ws', load) },
  { name: 'net loop', command: (load) => node('net-loop', load) },
];

const isClosed = ({ ratePerSecond }: GeneratorLoad): boolean => ratePerSecond === undefined;

/** Finds the tools; those of other projects are taken where they are there. */
export function toolbox(): Toolbox {
  const tools = [wsbench('native'), wsbench('ws'), bareWs, bareWsBuffer, netLoop];
  const skipped: string[] = [];
  for (const other of [k6(), epollLoop(), uWebSockets()]) {
    if (typeof other === 'string') skipped.push(other);
    else tools.push(other);
  }
  return { tools, skipped };
}

function k6(): Tool | string {
  const program = process.env.WSBENCH_K6_BIN ?? 'k6';
  const said = spawnSync(program, ['version'], { encoding: 'utf8' });
  const version = /v(\d\S*)/.exec(said.stdout ?? '')?.[1];
  if (said.status !== 0 || version === undefined) return 'k6: none on PATH and none named by WSBENCH_K6_BIN';
  return {
    name: `k6 ${version}`,
    measures: 'round trips, in ms',
    command: (load) => ({
      program,
      args: ['run', '--quiet', '--no-usage-report', source('k6.js')],
      env: { LOAD: JSON.stringify(load), K6_NO_COLOR: 'true' },
    }),
  };
}

/** The kernel's share, without an interpreter: compiled here when there is a compiler. */
function epollLoop(): Tool | string {
  if (process.platform !== 'linux') return 'epoll loop in C: needs Linux';
  const program = join(mkdtempSync(join(tmpdir(), 'wsbench-bench-')), 'epoll-loop');
  const { status } = spawnSync('cc', ['-O2', '-o', program, source('epoll-loop.c')], { encoding: 'utf8' });
  if (status !== 0) return 'epoll loop in C: no C compiler';
  return {
    name: 'epoll loop in C',
    measures: 'nothing',
    command: (load) =>
      isClosed(load)
        ? {
            program,
            args: [load.connections, new URL(load.url).port, load.sizeBytes, load.depth ?? 1].map(String),
          }
        : undefined,
  };
}

/** The load tester of uWebSockets (benchmarks/load_test.c there), built by whoever names it. */
function uWebSockets(): Tool | string {
  const program = process.env.WSBENCH_UWS_LOAD_TEST;
  if (program === undefined || !existsSync(program)) {
    return 'uWebSockets load_test: none named by WSBENCH_UWS_LOAD_TEST';
  }
  return {
    name: 'uWebSockets load_test',
    measures: 'nothing',
    command: (load) => {
      if (!isClosed(load) || (load.depth ?? 1) > 1) return undefined;
      const { hostname, port } = new URL(load.url);
      // connections host port tls deflate bytes
      return { program, args: [String(load.connections), hostname, port, '0', '0', String(load.sizeBytes)] };
    },
  };
}

/** What a case asks of a generator. */
export function loadOf(
  { title: _title, quick: _quick, ...load }: Case,
  url: string,
  durationMs: number,
): GeneratorLoad {
  return { ...load, url, durationMs };
}
