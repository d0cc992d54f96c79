// An echo server in a process of its own, and how to ask it what it counted.
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findBun } from './bun.ts';
import { end, spawnOn } from './pinned.ts';
import type { EchoStats } from './servers/answer-stats.ts';

export type { EchoStats } from './servers/answer-stats.ts';

/** A server that runs. */
export interface EchoProcess {
  pid: number;
  port: number;
  url: string;
  stats(): Promise<EchoStats>;
  stop(): Promise<void>;
}

/** What servers are made of. */
export interface Engine {
  name: string;
  /** Why it is not the wanted one. */
  warning?: string;
  command: readonly string[];
  /** Several processes may listen on one port. */
  sharesPorts: boolean;
}

/** Bun's server where there is Bun, or Node's. */
export function chooseEngine(): Engine {
  const bun = findBun();
  const file = (name: string): string => fileURLToPath(new URL(`./servers/${name}.js`, import.meta.url));
  if ('path' in bun)
    return { name: `Bun ${bun.version}`, command: [bun.path, file('bun-echo')], sharesPorts: true };
  return {
    name: `Node ${process.version} with ws`,
    warning: `no Bun (${bun.missing}): the server is Node's, which saturates before a fast generator does, so that all of them look alike`,
    command: [process.execPath, file('node-echo')],
    sharesPorts: false,
  };
}

/** @param port one to share with other processes of Bun; 0: any */
export async function startEcho({ command }: Engine, core: number, port = 0): Promise<EchoProcess> {
  const [program = '', ...args] = command;
  const child: ChildProcess = spawnOn(core, program, [...args, String(port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('a server without pipes');
  const waiting: ((line: string) => void)[] = [];
  createInterface({ input: stdout }).on('line', (line) => waiting.shift()?.(line));
  const line = (): Promise<string> =>
    new Promise((resolve, reject) => {
      waiting.push(resolve);
      child.once('exit', () => reject(new Error('the echo server ended')));
    });
  child.setMaxListeners(0);
  const told = JSON.parse(await line()) as { port: number };
  return {
    pid: child.pid ?? 0,
    port: told.port,
    url: `ws://127.0.0.1:${told.port}/`,
    stats: async () => {
      const answer = line();
      stdin.write('\n');
      return JSON.parse(await answer) as EchoStats;
    },
    stop: () => end(child),
  };
}
