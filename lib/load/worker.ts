// Entry of a worker thread: one engine, which the run commands by messages.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../errors.ts';
import { keepForms } from '../result/kept-secrets.ts';
import { keepSecret } from '../result/redact.ts';
import { Attempts } from './attempts.ts';
import { Engine } from './engine.ts';
import type { EngineReports } from './engine-contract.ts';
import { RemoteTokens } from './remote-tokens.ts';
import { assemble } from './rig.ts';
import {
  type Call,
  type CreateDriver,
  type FromWorker,
  pulseMs,
  type ToWorker,
  type WorkerStart,
} from './worker-messages.ts';

invariant(parentPort, 'this module is the entry of a worker thread');
await work(parentPort, workerData as WorkerStart);

async function work(port: MessagePort, start: WorkerStart): Promise<void> {
  const { plan, part, tag, startedUs, secrets, pulse, driver } = start;
  const attempts = new Attempts(start.attempts);
  keepForms(secrets);
  const beat = setInterval(() => Atomics.add(pulse, part.worker, 1), pulseMs);
  const tokens = new RemoteTokens(port);
  const reports = reportsTo(port, () => {
    clearInterval(beat);
    port.close();
  });
  const made = driver === undefined ? {} : { driver: (await driverOf(driver))(plan, part) };
  const engine = new Engine(
    plan,
    assemble(plan, { tag, part, tokens, attempts, ...made }),
    reports,
    startedUs,
  );
  port.on('message', (message: ToWorker) => {
    if (message.name === 'fresh') tokens.answer(message);
    else if (message.name === 'secret') keepSecret(message.value);
    else (engine[message.name] as (...args: unknown[]) => void)(...message.args);
  });
  reports.ready();
}

async function driverOf(module: string): Promise<CreateDriver> {
  const { createDriver } = (await import(module)) as { createDriver: CreateDriver };
  return createDriver;
}

function reportsTo(port: MessagePort, end: () => void): EngineReports {
  const post = (call: Call<EngineReports>): void => port.postMessage(call satisfies FromWorker);
  return {
    ready: () => post({ name: 'ready', args: [] }),
    warning: (...args) => post({ name: 'warning', args }),
    settled: (...args) => post({ name: 'settled', args }),
    probed: (...args) => post({ name: 'probed', args }),
    phase: (...args) => post({ name: 'phase', args }),
    drained: () => post({ name: 'drained', args: [] }),
    tidings: (...args) => post({ name: 'tidings', args }),
    bug: (...args) => post({ name: 'bug', args }),
    finished: () => {
      post({ name: 'finished', args: [] });
      end();
    },
  };
}
