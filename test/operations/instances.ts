// `wsbench serve` as processes on ports of their own, which stay the same over restarts.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, type RedisServer } from '../reference-server/redis-server.ts';

const command = fileURLToPath(new URL('../../../cli/wsbench.js', import.meta.url));

/** At least 32 bytes, the same for all. */
export const secret = 'shared by all instances, and long enough for HS256';

export interface Instance {
  readonly port: number;
  readonly httpUrl: string;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** Starts it again, and waits until it is ready. */
  start(): Promise<void>;
}

/** Starts one and waits until it is ready. */
export async function startInstance(
  t: TestContext,
  redis: RedisServer,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Instance> {
  const port = await freePort();
  const httpUrl = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const started = spawn(process.execPath, [command, 'serve', '--port', `${port}`, ...args], {
      cwd: redis.folder,
      env: { PATH: process.env.PATH, JWT_SECRET: secret, REDIS_URL: redis.url, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child = started;
    let said = '';
    started.stderr.on('data', (data) => {
      said += String(data);
    });
    for (let tries = 0; (await readiness(httpUrl)) !== 200; tries++) {
      assert.ok(tries < 600 && started.exitCode === null, `serve did not start: ${said}`);
      await sleep(50);
    }
  };
  t.after(() => child?.kill('SIGKILL'));
  await start();
  return {
    ...{ port, httpUrl, start },
    async stop() {
      assert.ok(child);
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      const [code] = (await exit) as [number | null];
      return code;
    },
  };
}

/** The status of `/readyz`; 0 when nobody answers. */
export async function readiness(httpUrl: string): Promise<number> {
  try {
    const answer = await fetch(`${httpUrl}/readyz`);
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return 0;
  }
}
