// Runs the real command as a real process.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../../cli/wsbench.js', import.meta.url));

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** Text so far. */
  stdout: () => string;
  stderr: () => string;
  finished: Promise<Finished>;
}

export interface SpawnOptions {
  env?: Record<string, string>;
  cwd: string;
  /** What runs Node: `taskset -c 0`, a shell that limits it. */
  prefix?: readonly string[];
  /** Flags of Node. */
  node?: readonly string[];
  /** With a channel for `child.send`. */
  ipc?: boolean;
}

/** An empty folder that is removed after the test. */
export function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'wsbench-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts `wsbench` with a bare environment. */
export function start(args: readonly string[], options: SpawnOptions): Running {
  const { prefix = [], node = [] } = options;
  const [command = process.execPath, ...rest] = [...prefix, process.execPath, ...node, bin, ...args];
  const child = spawn(command, rest, {
    cwd: options.cwd,
    env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, stdout: () => stdout, stderr: () => stderr, finished };
}

/** Runs `wsbench` to its end. */
export function run(args: readonly string[], options: SpawnOptions): Promise<Finished> {
  return start(args, options).finished;
}

/**
 * Runs `wsbench` to its end, again while the machine is too busy to measure (exit 4): that verdict is right, but not what
 * the caller asks about.
 */
export async function runConclusive(
  args: readonly string[],
  options: SpawnOptions,
  once: typeof run = run,
): Promise<Finished> {
  for (let attempt = 1; ; attempt++) {
    const result = await once(args, options);
    if (result.code !== 4 || attempt === 4) return result;
  }
}

/** Waits until the predicate holds, at most ten seconds. */
export async function until(predicate: () => boolean, what: string, withinMs = 10_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!predicate()) {
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
