// What open connections cost `wsbench serve`: memory and CPU of authenticated clients that only answer the heartbeat.
//
//   npm run bench:idle -- [connections] [idle seconds] [processes] [connects a second]
//
// Each server is a process of its own with production limits, and its clients are another: 20 connections a user, a user an
// address of 127/8. Both need as many open files: `ulimit -n`. Exits with 1 when a connection was lost or costs too much.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { HeldLoad, HeldReport } from './generators/held-clients.ts';
import { end, machine } from './pinned.ts';
import type { MemoryQuestion, MemoryReport } from './servers/memory-probe.ts';

const [connections = 15_000, idleSeconds = 120, processes = 1, perSecond = 500] = process.argv
  .slice(2)
  .map(Number);
const goalKib = 12;
const goalCpuOf10k = 0.05;
/** What is open before anything is measured, so that what all need is compiled. */
const warmUp = 200;
const snapshot = process.env.BENCH_SNAPSHOT;
const secret = randomBytes(32).toString('hex');

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const kib = (bytes: number): string => (bytes / 1024).toFixed(1);
const mib = (bytes: number): string => (bytes / 1024 ** 2).toFixed(0);

interface Server {
  child: ChildProcess;
  url: string;
  memory(question: MemoryQuestion): Promise<MemoryReport>;
}

/** Starts `wsbench serve` as a user would, but for a module that tells its memory. */
async function startServer(): Promise<Server> {
  const flags = ['--expose-gc', '--import', new URL('./servers/memory-probe.js', import.meta.url).href];
  const command = [here('../../cli/wsbench.js'), 'serve', '--port', '0', '--json'];
  const child = spawn(process.execPath, [...flags, ...command], {
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production', JWT_SECRET: secret },
  });
  if (!child.stdout) throw new Error('a server without stdout');
  const told = JSON.parse(await lineOf(createInterface(child.stdout), child)) as { url: string };
  return {
    child,
    url: told.url,
    async memory(question) {
      const answer = once(child, 'message');
      child.send(question);
      return ((await answer) as [MemoryReport])[0];
    },
  };
}

interface Clients {
  child: ChildProcess;
  first: HeldReport;
  ask(): Promise<HeldReport>;
}

async function startClients(url: string, group: number, count: number): Promise<Clients> {
  const load: HeldLoad = { url, connections: count, connectionsPerUser: 20, perSecond, secret, group };
  const child = spawn(process.execPath, [here('./generators/held-clients.js'), JSON.stringify(load)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('clients without pipes');
  const lines = createInterface(stdout);
  const first = JSON.parse(await lineOf(lines, child)) as HeldReport;
  return {
    child,
    first,
    async ask() {
      const answer = lineOf(lines, child);
      stdin.write('\n');
      return JSON.parse(await answer) as HeldReport;
    },
  };
}

async function lineOf(lines: Interface, child: ChildProcess): Promise<string> {
  const ended = new AbortController();
  const gone = once(child, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new Error(`a process ended with ${code}`);
  });
  const line = once(lines, 'line') as Promise<[string]>;
  try {
    return (await Promise.race([line, gone]))[0];
  } finally {
    ended.abort();
    gone.catch(() => {});
  }
}

/** Bytes of the kernel's own objects on this machine, for both ends of every connection. */
function slabBytes(): number {
  return Number(/^Slab:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const children: ChildProcess[] = [];
try {
  const each = Math.ceil(connections / processes);
  console.log(machine('wsbench serve, production limits'));
  console.log(`\n${processes} × ${each} connections, idle for ${idleSeconds} s, KiB a connection\n`);
  const servers = await Promise.all(Array.from({ length: processes }, startServer));
  children.push(...servers.map(({ child }) => child));
  const warm = await Promise.all(servers.map(({ url }, n) => startClients(url, 100 + n, warmUp)));
  children.push(...warm.map(({ child }) => child));
  const before = await Promise.all(servers.map(({ memory }) => memory({ collect: true })));
  const slabBefore = slabBytes();
  const startMs = performance.now();
  const clients = await Promise.all(servers.map(({ url }, n) => startClients(url, n, each)));
  children.push(...clients.map(({ child }) => child));
  const openMs = performance.now() - startMs;
  const slabEach = (slabBytes() - slabBefore) / (each * processes);
  // No collection is forced from here to the end: a server in use has none either.
  const opened = await Promise.all(servers.map(({ memory }) => memory({ collect: false })));
  await sleep(idleSeconds * 1000);
  const question = { collect: true, ...(snapshot === undefined ? {} : { snapshot }) };
  const after = await Promise.all(servers.map(({ memory }) => memory(question)));
  const held = await Promise.all(clients.map(({ ask }) => ask()));
  console.log(
    '| process | open | lost | RSS | RSS after gc | heap | external | young MiB | base MiB | idle CPU |',
  );
  console.log('|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|');
  let failed = false;
  for (const [n, is] of after.entries()) {
    const { open = 0, closed = 0, failed: refused = 0, reasons = [] } = held[n] ?? {};
    const was = before[n];
    const then = opened[n];
    if (!was || !then) throw new Error('a server that was not asked');
    const per = (now: number, base: number): string => kib((now - base) / open);
    const cpu = (is.cpuUs - then.cpuUs) / 1e6 / idleSeconds;
    const rssKib = (is.rssBytes - was.collectedRssBytes) / open / 1024;
    const cells = [
      n,
      open,
      closed + refused,
      rssKib.toFixed(1),
      per(is.collectedRssBytes, was.collectedRssBytes),
      per(is.heapBytes, was.heapBytes),
      per(is.externalBytes, was.externalBytes),
      mib(is.youngBytes),
      mib(was.collectedRssBytes),
      `${(100 * cpu).toFixed(1)} %`,
    ];
    console.log(`| ${cells.join(' | ')} |`);
    for (const reason of reasons) console.log(`  lost: ${reason}`);
    const most = (goalCpuOf10k * open) / 10_000;
    failed ||= open !== each || closed + refused > 0 || rssKib > goalKib || cpu > most;
  }
  console.log(
    `\n${Math.round((each * processes * 1000) / openMs)} connects/s; slab of the kernel, both ends: ${kib(slabEach)} KiB`,
  );
  console.log(
    `${failed ? 'NOT met' : 'met'}: none lost, at most ${goalKib} KiB RSS each, at most 5 % of a core for 10,000`,
  );
  process.exitCode = failed ? 1 : 0;
} finally {
  await Promise.all(children.map(end));
}
