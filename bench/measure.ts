// One run of one tool: looked at from outside over a window in which it does nothing but send and receive.
import { setTimeout as wait } from 'node:timers/promises';
import type { Case } from './cases.ts';
import type { EchoProcess } from './echo-process.ts';
import type { StressSummary } from './generators/stress.ts';
import { end, spawnOn, type Usage, usageOf } from './pinned.ts';
import { loadOf, type Tool } from './tools.ts';

/** What was seen of a run. CPU is that of the generator's process, all its threads, over the window. */
export interface Sample {
  /** Echoes that the server sent. */
  perSecond: number;
  cpuUs: number;
  kernelUs: number;
  rssBytes: number;
  /** Cores that generator and server used. */
  generatorCpu: number;
  serverCpu: number;
  /** Connections opened per second, from the first to the last; NaN for one connection. */
  connectsPerSecond: number;
  /** What wsbench says of the run. */
  summary?: StressSummary;
}

const startTimeoutMs = 30_000;
// Compilers have done their work when a process has used so much CPU; where others need this machine, that takes a while.
const warmMs = 1500;
const mostWarmMs = 20_000;

/** The core of the generator. */
const generatorCore = 1;

/**
 * Runs a tool against a server and looks at it over a window of `seconds`; undefined when it cannot do that load.
 *
 * @throws when it does not get there
 */
export async function measure(
  tool: Tool,
  load: Case,
  server: EchoProcess,
  seconds: number,
): Promise<Sample | undefined> {
  // Longer than it takes: it is ended when it was looked at. wsbench's own warm-up of a second lies in ours.
  const longestMs = seconds * 1000 + warmMs + mostWarmMs + startTimeoutMs;
  const command = tool.command(loadOf(load, server.url, longestMs));
  if (!command) return undefined;
  const before = await server.stats();
  const child = spawnOn(generatorCore, command.program, command.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...command.env },
  });
  let said = '';
  let complained = '';
  child.stdout?.on('data', (chunk) => {
    said += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    complained += chunk;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const pid = child.pid ?? 0;
  try {
    const opened = await started(child, server, before, load.connections);
    await wait(warmMs);
    for (let tries = 0; tries < mostWarmMs / 100 && cpuUs(usageOf(pid)) < warmMs * 1000; tries++)
      await wait(100);
    const [first, firstServer, firstStats] = [usageOf(pid), usageOf(server.pid), await server.stats()];
    await wait(seconds * 1000);
    const [last, lastServer, lastStats] = [usageOf(pid), usageOf(server.pid), await server.stats()];
    if (tool.summarises) {
      child.kill('SIGTERM');
      await Promise.race([ended, wait(startTimeoutMs)]);
    }
    const messages = lastStats.messages - firstStats.messages;
    const windowUs = (lastStats.atMs - firstStats.atMs) * 1000;
    const userUs = last.userUs - first.userUs;
    const systemUs = last.systemUs - first.systemUs;
    const serverUs = cpuUs(lastServer) - cpuUs(firstServer);
    return {
      perSecond: (messages * 1e6) / windowUs,
      cpuUs: (userUs + systemUs) / messages,
      kernelUs: systemUs / messages,
      rssBytes: last.rssBytes,
      generatorCpu: (userUs + systemUs) / windowUs,
      serverCpu: serverUs / windowUs,
      connectsPerSecond: ((load.connections - 1) * 1000) / (opened.lastOpenedMs - opened.firstOpenedMs),
      ...(tool.summarises ? { summary: JSON.parse(said) as StressSummary } : {}),
    };
  } catch (error) {
    throw new Error(`${tool.name}, ${load.title}: ${(error as Error).message} ${complained.slice(-2000)}`);
  } finally {
    await end(child);
    await allClosed(server);
  }
}

function cpuUs({ userUs, systemUs }: Usage): number {
  return userUs + systemUs;
}

/** Waits for all connections and the first messages of the load. */
async function started(
  child: { exitCode: number | null },
  server: EchoProcess,
  before: Awaited<ReturnType<EchoProcess['stats']>>,
  connections: number,
): Promise<Awaited<ReturnType<EchoProcess['stats']>>> {
  const untilMs = performance.now() + startTimeoutMs;
  for (;;) {
    const now = await server.stats();
    // More than a probe.
    const flows = now.messages - before.messages > 100;
    if (now.opened - before.opened >= connections && flows) return now;
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    if (performance.now() > untilMs) {
      const seen = `${now.opened - before.opened} connections, ${now.messages - before.messages} messages`;
      throw new Error(`no load within ${startTimeoutMs / 1000} s: ${seen}`);
    }
    await wait(50);
  }
}

/** The server has noticed that the last generator is gone, so that the next begins a ramp of its own. */
async function allClosed(server: EchoProcess): Promise<void> {
  for (let tries = 0; tries < 100 && (await server.stats()).open > 0; tries++) await wait(20);
}
