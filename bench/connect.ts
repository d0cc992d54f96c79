// How fast connections open: with own choice of ports over two addresses, and as the system chooses them.
//
//   npm run bench:connect -- [connections] [at once]
//
// The servers are two other processes, so on two cores they and the client share them.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Connection, open } from '../lib/transport/connection.ts';
import { endpointOf } from '../lib/transport/endpoint.ts';
import { LocalPorts } from '../lib/transport/local-ports.ts';

const [connections = 9000, atOnce = 100] = process.argv.slice(2).map(Number);

async function startServer(): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(new URL('./upgrade-server.js', import.meta.url)));
  const port = await new Promise<number>((resolve) =>
    child.once('message', (value) => resolve(Number(value))),
  );
  return { child, port };
}

interface Opened {
  all: Connection[];
  failures: Map<string, number>;
  tookMs: number;
  cpuMs: number;
}

/** Opens all of them, some at once, and lets them stand. */
function openAll(ports: readonly number[], localPorts: LocalPorts | undefined): Promise<Opened> {
  const endpoints = ports.map((port) => endpointOf(`ws://127.0.0.1:${port}/`));
  const all: Connection[] = [];
  const failures = new Map<string, number>();
  const nothing = (): void => {};
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  return new Promise((resolve) => {
    let done = 0;
    const next = (): void => {
      const endpoint = endpoints[all.length % endpoints.length];
      if (all.length === connections || !endpoint) return;
      const told = (): void => {
        done++;
        next();
        if (done < connections) return;
        const { user, system } = process.cpuUsage(cpu);
        resolve({ all, failures, tookMs: performance.now() - startMs, cpuMs: (user + system) / 1000 });
      };
      all.push(
        open(
          endpoint,
          { timeoutMs: 30_000, upgrade: {}, ...(localPorts ? { localPorts } : {}) },
          {
            opened: told,
            failed: ({ kind, detail }) => {
              failures.set(`${kind}: ${detail}`, (failures.get(`${kind}: ${detail}`) ?? 0) + 1);
              told();
            },
            data: nothing,
            ended: nothing,
            drained: nothing,
            closed: nothing,
          },
        ),
      );
    };
    for (let count = 0; count < atOnce; count++) next();
  });
}

// Twice: the first pass of a process also compiles what it runs.
for (const own of [true, false, true, false]) {
  const servers = [await startServer(), await startServer()];
  const localPorts = own ? new LocalPorts(['127.0.0.1', '127.0.0.2'], undefined, process.pid * 7) : undefined;
  const { all, failures, tookMs, cpuMs } = await openAll(
    servers.map(({ port }) => port),
    localPorts,
  );
  const perSecond = Math.round((connections / tookMs) * 1000);
  console.log(
    `${own ? 'own ports' : 'the system’s'}: ${connections} connections in ${Math.round(tookMs)} ms, ${perSecond}/s, ${Math.round(cpuMs)} ms CPU`,
  );
  for (const [cause, count] of failures) console.log(`  ${count} × ${cause}`);
  for (const connection of all) connection.reset();
  for (const { child } of servers) child.disconnect();
}
