// Processes on cores of their own, and what they used.
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';

const hasTaskset = spawnSync('taskset', ['--version']).status === 0;

/** Why processes have no cores of their own; undefined: they have. */
export const unpinned = !hasTaskset
  ? 'there is no taskset'
  : availableParallelism() < 2
    ? 'there is only one core'
    : undefined;

/** The day, this machine, and what runs on it, in words. */
export function machine(server: string): string {
  const [cpu] = cpus();
  return (
    `${new Date().toISOString().slice(0, 10)}, ${cpu?.model}, ${cpus().length} cores, Linux ${release()}\n` +
    `generators on Node ${process.version}; echo server: ${server}`
  );
}

/** Starts a process on a core. */
export function spawnOn(
  core: number,
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  // taskset becomes the command, so the process id is that of the command.
  return unpinned === undefined
    ? spawn('taskset', ['-c', String(core), command, ...args], options)
    : spawn(command, args, options);
}

/** What a process has used, all its threads together. */
export interface Usage {
  userUs: number;
  systemUs: number;
  rssBytes: number;
}

const ticksPerSecond = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout || 100);

/** @throws when there is no /proc, or no such process any more */
export function usageOf(pid: number): Usage {
  // The name of the command, in parentheses, may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const us = (ticks: string | undefined): number => (Number(ticks) * 1e6) / ticksPerSecond;
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { userUs: us(fields[11]), systemUs: us(fields[12]), rssBytes: Number(rss) * 1024 };
}

/** Ends a process that was started here, and waits for its end. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
