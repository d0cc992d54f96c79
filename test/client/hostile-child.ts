// Runs a client against every hostile address that it is given, and says what became of it. In a process of its own, so that what it
// remembers can be measured, and what it leaves keeps nobody else alive.
import { type Client, type ClientError, type ClientOptions, createClient } from '../../lib/client/index.ts';

/** An address and how to come to it. */
export interface HostileTask {
  name: string;
  url: string;
  options: ClientOptions;
  /** Sends much: nothing runs beside it, and what it makes the process grow is told. */
  isAlone: boolean;
}

/** What became of it. */
export interface HostileOutcome {
  name: string;
  /** What each promise ended with: `ok`, or the code of its error. Another error than a ClientError is named `foreign: …`. */
  results: Record<string, string>;
  ends: { code: number; by: string; httpStatus?: number; again: boolean }[];
  /** Of the promises that rejected, what their errors say of the server's end. */
  closeCode: number | undefined;
  httpStatus: number | undefined;
  delaysMs: number[];
  violations: number;
  heard: unknown[];
  /** How long `close()` took. */
  closeMs: number;
  state: string;
  /** The most that RSS grew; undefined for those that ran together. */
  grownBytes?: number;
}

/** What became of the process. */
export interface HostileSummary {
  outcomes: HostileOutcome[];
  /** The most that RSS grew while all those ran that run together. */
  grownBytes: number;
  /** What still kept the process alive after the last close(). */
  left: string[];
  isPolluted: boolean;
  uncaught: string[];
}

const uncaught: string[] = [];
process.on('uncaughtException', (error) => uncaught.push(String(error)));
process.on('unhandledRejection', (error) => uncaught.push(String(error)));

async function run({ name, url, options }: HostileTask): Promise<HostileOutcome> {
  const client: Client = createClient(url, {
    connectTimeoutMs: 1500,
    timeoutMs: 1500,
    reconnect: { maxAttempts: 2 },
    ...options,
  });
  const outcome: HostileOutcome = {
    name,
    results: {},
    ends: [],
    closeCode: undefined,
    httpStatus: undefined,
    delaysMs: [],
    violations: 0,
    heard: [],
    closeMs: 0,
    state: '',
  };
  client.on('disconnected', ({ code, by, httpStatus, again }) =>
    outcome.ends.push({ code, by, again, ...(httpStatus === undefined ? {} : { httpStatus }) }),
  );
  client.on('waiting', ({ delayMs }) => outcome.delaysMs.push(delayMs));
  client.on('violation', () => {
    outcome.violations += 1;
  });
  const promises: Record<string, Promise<unknown>> = {
    connect: client.connect({ timeoutMs: 5000 }),
    subscribe: client
      .subscribe('news')
      .then((news) => news.on('message', ({ data }) => outcome.heard.push(data))),
    publish: client.publish('news', 1),
    echo: client.request('ECHO', 'hello'),
    command: client.command('builder-1', 'build'),
    ping: client.ping(),
  };
  await Promise.all(
    Object.entries(promises).map(([what, promise]) =>
      promise.then(
        () => {
          outcome.results[what] = 'ok';
        },
        (error: ClientError) => {
          outcome.results[what] = error.name === 'ClientError' ? error.code : `foreign: ${error}`;
          outcome.closeCode ??= error.closeCode;
          outcome.httpStatus ??= error.httpStatus;
        },
      ),
    ),
  );
  const startMs = performance.now();
  await client.close();
  outcome.closeMs = performance.now() - startMs;
  outcome.state = client.state;
  return outcome;
}

/** The most that RSS grows meanwhile. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let most = before;
  const sample = (): void => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  const sampler = setInterval(sample, 10);
  await work();
  clearInterval(sampler);
  sample();
  return most - before;
}

async function main(): Promise<void> {
  const [warm, ...tasks] = JSON.parse(process.argv[2] ?? '[]') as [HostileTask, ...HostileTask[]];
  for (let n = 0; n < 20; n += 1) await run(warm);
  const outcomes: HostileOutcome[] = [];
  const queue = tasks.filter(({ isAlone }) => !isAlone).values();
  const worker = async (): Promise<void> => {
    for (const task of queue) outcomes.push(await run(task));
  };
  // Most of them wait for a deadline.
  const grownBytes = await growth(() => Promise.all(Array.from({ length: 12 }, worker)));
  for (const task of tasks.filter(({ isAlone }) => isAlone)) {
    let outcome: HostileOutcome | undefined;
    const alone = await growth(async () => {
      outcome = await run(task);
    });
    if (outcome) outcomes.push({ ...outcome, grownBytes: alone });
  }
  // Sockets that were ended in this very moment take another to be gone.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const summary: HostileSummary = {
    outcomes,
    grownBytes,
    left: process.getActiveResourcesInfo().filter((kind) => /Timeout|TCP|Immediate/.test(kind)),
    isPolluted: 'polluted' in {},
    uncaught,
  };
  process.stdout.write(JSON.stringify(summary));
}

await main();
