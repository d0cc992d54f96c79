// What the engine costs a message: schedule, numbers, matching, verification and all that is recorded, over a driver without
// sockets, less what that driver costs by itself.
//
//   npm run bench:engine -- [seconds] [repetitions]

import type { Connection, MessageTemplate, Sink } from '../lib/load/drivers/driver.ts';
import { runStress, type StressPlan } from '../lib/load/index.ts';
import { renderMessage } from '../lib/load/message.ts';
import { echoPlan } from './echo-plan.ts';
import { median } from './median.ts';
import { createMemoryDriver } from './memory-driver.ts';

const [seconds = 2, repetitions = 3] = process.argv.slice(2).map(Number);

interface Load {
  title: string;
  plan: StressPlan;
}

const loads: readonly Load[] = [
  { title: 'closed, 100 connections', plan: echoPlan({ model: 'closed', connections: 100 }) },
  {
    title: 'closed, 100 connections, 8 in flight',
    plan: echoPlan({ model: 'closed', connections: 100, depth: 8 }),
  },
  { title: 'open, 10 connections, 50,000/s', plan: echoPlan({ connections: 10, ratePerSecond: 50_000 }) },
  { title: 'open, 100 connections, 300,000/s', plan: echoPlan({ connections: 100, ratePerSecond: 300_000 }) },
];
const mostInTurn = 2 ** 12;

/** CPU per message in ns, of a whole run with the engine. */
async function engine(plan: StressPlan): Promise<number> {
  const run = runStress(
    { ...plan, durationMs: seconds * 1000 },
    new AbortController().signal,
    createMemoryDriver(mostInTurn),
  );
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

/** The same load without an engine: the driver, a timer and a count. */
async function driverAlone({
  connections,
  depth,
  model,
  ratePerSecond,
  ...plan
}: StressPlan): Promise<number> {
  const { template } = renderMessage(plan, 'abcdefgh');
  const driver = createMemoryDriver(mostInTurn);
  let running = true;
  let messages = 0;
  const all: Connection[] = [];
  const open = (): Promise<void> =>
    new Promise((resolve) => {
      const refill = (connection: Connection, count: number): void => {
        for (let one = 0; one < count; one++) connection.queue(template, messages++, 0);
        connection.flush();
      };
      let came = 0;
      const sink = {
        opened: () => resolve(),
        message: () => {
          if (model === 'open' || !running || ++came < depth) return;
          came = 0;
          refill(connection, depth);
        },
      } as unknown as Sink;
      const connection = driver.open({} as never, sink);
      all.push(connection);
    });
  await Promise.all(Array.from({ length: connections }, open));
  const send = (
    count: number,
    perConnection: (connection: Connection, template: MessageTemplate) => void,
  ): void => {
    for (let one = 0; one < count; one++) perConnection(all[messages % connections] as Connection, template);
  };
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  if (model === 'closed') {
    for (const connection of all) {
      for (let one = 0; one < depth; one++) connection.queue(template, messages++, 0);
      connection.flush();
    }
  }
  await new Promise<void>((resolve) => {
    const turn = (): void => {
      const passedMs = performance.now() - startMs;
      if (passedMs > seconds * 1000) {
        running = false;
        resolve();
        return;
      }
      if (model === 'open') {
        send(Math.floor((passedMs * ratePerSecond) / 1000) - messages, (connection, one) =>
          connection.queue(one, messages++, 0),
        );
        for (const connection of all) connection.flush();
      }
      setTimeout(turn, 1);
    };
    turn();
  });
  const { user, system } = process.cpuUsage(cpu);
  return ((user + system) * 1000) / messages;
}

for (const { title, plan } of loads) {
  const withEngine: number[] = [];
  const without: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    withEngine.push(await engine(plan));
    without.push(await driverAlone({ ...plan, sizeBytes: 32 }));
  }
  const [all, alone] = [median(withEngine), median(without)];
  console.log(
    `${title.padEnd(40)} ${all.toFixed(0).padStart(5)} ns a message, of it driver ${alone.toFixed(0).padStart(4)}, engine ${(all - alone).toFixed(0).padStart(5)}`,
  );
}
