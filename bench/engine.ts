// What the engine costs a message: schedule, numbers, matching, verification and all that is recorded, over a driver without
// sockets, less what that driver costs by itself.
//
//   npm run bench:engine -- [seconds] [repetitions]
import type { Connection, Sink } from '../lib/load/drivers/driver.ts';
import { runStress, type StressPlan } from '../lib/load/index.ts';
import { renderMessage } from '../lib/load/message.ts';
import { stressPlan } from '../test/fixtures/stress-plan.ts';
import { median } from './median.ts';
import { createMemoryDriver } from './memory-driver.ts';

const [seconds = 2, repetitions = 3] = process.argv.slice(2).map(Number);
// More than are due on one connection while the other half of a turn is done.
const mostInTurn = 2 ** 12;

const loads: Record<string, Partial<Omit<StressPlan, 'thresholds'>>> = {
  'closed, 100 connections': { model: 'closed', connections: 100 },
  'closed, 100 connections, 8 in flight': { model: 'closed', connections: 100, depth: 8 },
  'open, 10 connections, 50,000/s': { connections: 10, ratePerSecond: 50_000 },
  'open, 100 connections, 300,000/s': { connections: 100, ratePerSecond: 300_000 },
};

/** CPU in ns per message, with the engine. */
async function withEngine(plan: StressPlan): Promise<number> {
  const run = runStress(plan, new AbortController().signal, createMemoryDriver(mostInTurn));
  let cpu = process.cpuUsage();
  let next = await run.next();
  for (; !next.done; next = await run.next()) {
    if (next.value.type !== 'phase') continue;
    if (next.value.phase === 'measure') cpu = process.cpuUsage();
    if (next.value.phase === 'drain') cpu = process.cpuUsage(cpu);
  }
  const { counters } = next.value;
  const matched = counters['messages.matched'];
  if (matched === 0 || matched !== counters['messages.sent'] || counters['messages.corrupt'] > 0) {
    throw new Error(`${matched} of ${counters['messages.sent']} matched`);
  }
  return ((cpu.user + cpu.system) * 1000) / matched;
}

/** The same load without the engine: the driver, a timer and a count. */
async function driverAlone(plan: StressPlan): Promise<number> {
  const { connections, depth, model, ratePerSecond } = plan;
  const { template } = renderMessage(plan, 'abcdefgh');
  const driver = createMemoryDriver(mostInTurn);
  const all: Connection[] = [];
  let running = true;
  let messages = 0;
  const send = (connection: Connection, count: number): void => {
    for (let one = 0; one < count; one++) connection.queue(template, messages++, 0);
    connection.flush();
  };
  const open = (): Promise<void> =>
    new Promise((opened) => {
      let came = 0;
      const message = (): void => {
        if (model === 'open' || !running || ++came < depth) return;
        came = 0;
        send(connection, depth);
      };
      const connection = driver.open({} as never, { opened, message } as unknown as Sink);
      all.push(connection);
    });
  await Promise.all(Array.from({ length: connections }, open));
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  if (model === 'closed') for (const connection of all) send(connection, depth);
  await new Promise<void>((resolve) => {
    const turn = (): void => {
      const passedMs = performance.now() - startMs;
      running = passedMs < plan.durationMs;
      if (!running) {
        resolve();
        return;
      }
      if (model === 'open') {
        const due = (passedMs * ratePerSecond) / 1000;
        while (messages < due) all[messages % connections]?.queue(template, messages++, 0);
        for (const connection of all) connection.flush();
      }
      setTimeout(turn, 1);
    };
    turn();
  });
  const { user, system } = process.cpuUsage(cpu);
  return ((user + system) * 1000) / messages;
}

for (const [title, changes] of Object.entries(loads)) {
  const plan = stressPlan('ws://127.0.0.1:1/', {
    ...changes,
    durationMs: seconds * 1000,
    warmupMs: 1000,
    timeoutMs: 5000,
  });
  const all: number[] = [];
  const alone: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    all.push(await withEngine(plan));
    alone.push(await driverAlone(plan));
  }
  const figures = [median(all), median(alone), median(all) - median(alone)].map((ns) => ns.toFixed(0));
  console.log(
    `${title}: ${figures[0]} ns a message, of it the driver ${figures[1]}, the engine ${figures[2]}`,
  );
}
