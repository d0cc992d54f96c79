// What open connections cost: memory of the generator and of the kernel, the time to open them, CPU while nothing happens.
//
//   npm run bench:connections -- [connections] [idle seconds] [tools]
//
// The servers are two processes of Bun on one port, on one core; each generator has the other, one after another. Needs as
// many open files, and local ports: `ulimit -n` and net.ipv4.ip_local_port_range.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chooseEngine, startEcho } from './echo-process.ts';
import type { IdleReport } from './generators/idle.ts';
import { end, machine, spawnOn, unpinned } from './pinned.ts';
import { idleTools } from './tools.ts';

const [connections = 18_000, idleSeconds = 10] = process.argv.slice(2, 4).map(Number);
const wanted = process.argv[4] ?? '';
const engine = chooseEngine();
const kib = (bytes: number): string => (bytes / 1024).toFixed(1);

/** Bytes of the kernel's own objects on this machine: of both ends, when both are here. */
function slabBytes(): number {
  return Number(/^Slab:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
}

/** Runs a generator against fresh servers: ports of connections that ended rest for a minute. */
async function run({ command }: (typeof idleTools)[number]): Promise<IdleReport & { slab: number }> {
  const first = await startEcho(engine, 0, engine.sharesPorts ? await freePort() : 0);
  const second = engine.sharesPorts ? await startEcho(engine, 0, first.port) : undefined;
  const before = slabBytes();
  const load = {
    url: first.url,
    connections,
    sizeBytes: 32,
    durationMs: idleSeconds * 1000,
    idle: true,
  };
  const { program, args } = command(load);
  const child = spawnOn(1, program, ['--expose-gc', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, slabBytes());
  }, 200);
  try {
    let said = '';
    for await (const chunk of child.stdout ?? []) {
      said += chunk;
      if (said.includes('\n')) break;
    }
    if (said === '') throw new Error('the generator told nothing');
    const report = JSON.parse(said) as IdleReport;
    return { ...report, slab: (most - before) / report.opened };
  } finally {
    clearInterval(watch);
    await end(child);
    await Promise.all([first.stop(), second?.stop()]);
  }
}

/** A port that nothing listens on, as far as one can know. */
async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

console.log(machine(engine.name));
if (engine.warning) console.log(`\nWARNING: ${engine.warning}`);
if (unpinned) console.log(`\nWARNING: server and generator share cores: ${unpinned}`);
console.log(`\n${connections} connections, KiB each\n`);
console.log('| | connects/s | RSS | of it heap | buffers | slab, both ends | idle CPU |');
console.log('|---|---:|---:|---:|---:|---:|---:|');
for (const tool of idleTools.filter(({ name }) => name.includes(wanted))) {
  const { opened, connectsPerSecond, rssBytes, heapBytes, externalBytes, idleCpu, slab } = await run(tool);
  const cells = [
    `${tool.name}${opened === connections ? '' : ` (${opened} opened)`}`,
    Math.round(connectsPerSecond).toLocaleString('en'),
    ...[rssBytes, heapBytes, externalBytes, slab].map(kib),
    `${(100 * idleCpu).toFixed(1)} %`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
