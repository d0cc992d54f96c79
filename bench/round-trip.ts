// What a measured round trip costs: wsbench's closed model beside a bare loop over the ws package, in one run.
//
//   npm run bench -- [connections] [seconds] [repetitions]
//
// CPU is user + system time of this process; the server is another one. Compare only the figures of one run.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { stress } from '../lib/index.ts';

interface Sample {
  roundTrips: number;
  seconds: number;
  cpuUs: number;
}

const [connections = 100, seconds = 3, repetitions = 3] = process.argv.slice(2).map(Number);

/** Next message when the echo came, on every connection; nothing is measured but the count. */
async function bareLoop(url: string): Promise<Sample> {
  const sockets = Array.from({ length: connections }, () => new WebSocket(url, { perMessageDeflate: false }));
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('open', resolve))));
  const message = Buffer.alloc(32, 'x');
  let roundTrips = 0;
  let running = true;
  for (const socket of sockets) {
    socket.on('message', () => {
      roundTrips++;
      if (running) socket.send(message, { binary: false });
    });
  }
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  for (const socket of sockets) socket.send(message, { binary: false });
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  running = false;
  const { user, system } = process.cpuUsage(cpu);
  for (const socket of sockets) socket.terminate();
  return { roundTrips, seconds: (performance.now() - startMs) / 1000, cpuUs: user + system };
}

async function wsbench(url: string): Promise<Sample> {
  const result = await stress(url, {
    preset: 'echo',
    model: 'closed',
    connections,
    durationMs: seconds * 1000,
    defaultThresholds: false,
  });
  const cpuUs = result.generator.cpu * seconds * 1e6;
  return { roundTrips: result.counters['messages.matched'], seconds, cpuUs };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const server = fork(fileURLToPath(new URL('./echo-server.js', import.meta.url)));
const url = await new Promise<string>((resolve) => server.once('message', (text) => resolve(String(text))));
const tools = { 'bare ws loop': bareLoop, wsbench };
const costs: Record<string, number[]> = {};
for (let repetition = 0; repetition < repetitions; repetition++) {
  // Interleaved, so that a machine that drifts drifts under both.
  for (const [name, run] of Object.entries(tools)) {
    const { roundTrips, seconds: took, cpuUs } = await run(url);
    const cost = cpuUs / roundTrips;
    costs[name] = [...(costs[name] ?? []), cost];
    console.log(
      `${name.padEnd(14)} ${Math.round(roundTrips / took)} round trips/s  ${cost.toFixed(1)} µs CPU each`,
    );
  }
}
const ratio = median(costs.wsbench ?? []) / median(costs['bare ws loop'] ?? []);
console.log(`wsbench / bare ws loop, medians: ${ratio.toFixed(2)}`);
server.disconnect();
