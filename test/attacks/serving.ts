// `wsbench serve` as a process of its own, ended with the test.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../../cli/wsbench.js', import.meta.url));

export interface Serving {
  readonly child: ChildProcess;
  readonly url: string;
  readonly http: string;
  /** What it has said on stderr so far. */
  readonly said: () => string;
  /** Processor time that it has used so far, in ms. */
  readonly cpuMs: () => number;
}

export async function serving(
  t: TestContext,
  flags: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Serving> {
  const child = spawn(process.execPath, [command, 'serve', '--port', '0', '--json', ...flags], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  const { url, http } = JSON.parse(line.toString()) as { url: string; http: string };
  return { child, url, http, said: () => said, cpuMs: () => cpuMsOf(child.pid ?? 0) };
}

/** proc(5): utime and stime are fields 14 and 15, in hundredths of a second. */
function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return ((user ?? 0) + (system ?? 0)) * 10;
}
