// nginx and HAProxy with the very files that docs/operations.md shows, as children of the test.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, listens } from '../reference-server/redis-server.ts';
import { skipUnless } from '../require.ts';

/** Where distributions put what is for administrators. */
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };
const found = (command: string): boolean => spawnSync(command, ['-v'], { env }).status === 0;

export type ProxyName = 'nginx' | 'haproxy';

export interface RunningProxy {
  /** `ws://127.0.0.1:port` */
  readonly url: string;
  readonly httpUrl: string;
  /** What it has logged of requests. */
  accessLog(): string;
}

interface Kind {
  /** The `skip` option of tests that need it. */
  skip: false | string;
  /** In `examples/`. */
  file: string;
  /** What stands for the time that an idle connection may take, in the file. */
  idleTimeouts: readonly RegExp[];
  start(folder: string, config: string): { child: ChildProcess; accessLog: () => string };
}

export const proxies: Readonly<Record<ProxyName, Kind>> = {
  nginx: {
    skip: skipUnless('nginx', found('nginx')),
    file: 'nginx.conf',
    idleTimeouts: [/(?<=proxy_read_timeout )\d+(?=s;)/, /(?<=proxy_send_timeout )\d+(?=s;)/],
    start(folder, config) {
      const log = join(folder, 'wsbench.log');
      writeFileSync(join(folder, 'wsbench.conf'), replaced(config, '/var/log/nginx/wsbench.log', log));
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path ${folder}/${name};`,
      );
      // What a distribution's own nginx.conf does: it includes the file among others.
      writeFileSync(
        join(folder, 'nginx.conf'),
        `daemon off; worker_processes 2; pid ${folder}/pid; error_log ${folder}/error.log;
        events { worker_connections 1024; }
        http { ${temporary.join(' ')} include ${folder}/wsbench.conf; }`,
      );
      const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')];
      const child = spawn('nginx', args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
      return { child, accessLog: () => readFileSync(log, 'utf8') };
    },
  },
  haproxy: {
    skip: skipUnless('haproxy', found('haproxy')),
    file: 'haproxy.cfg',
    idleTimeouts: [/(?<=timeout tunnel )\d+(?=s$)/m],
    start(folder, config) {
      const file = join(folder, 'haproxy.cfg');
      writeFileSync(file, config);
      const child = spawn('haproxy', ['-db', '-f', file], { env, stdio: ['ignore', 'pipe', 'pipe'] });
      let log = '';
      child.stdout.on('data', (data) => {
        log += String(data);
      });
      return { child, accessLog: () => log };
    },
  },
};

/** The file as it is in `examples/`. */
export function exampleOf(name: ProxyName): string {
  return readFileSync(new URL(`../../../examples/${proxies[name].file}`, import.meta.url), 'utf8');
}

/** How long a connection may be idle by the file, in seconds. */
export function idleTimeoutS(name: ProxyName, text = exampleOf(name)): number {
  return Math.min(...proxies[name].idleTimeouts.map((pattern) => Number(pattern.exec(text)?.[0])));
}

/**
 * Starts it before the instances on these ports, on a port of its own.
 *
 * @param idleS how long a connection may be idle, in place of what the file says, in seconds
 */
export async function startProxy(
  t: Pick<TestContext, 'after'>,
  name: ProxyName,
  ports: readonly [number, number, number],
  { idleS, change = (text) => text }: { idleS?: number; change?: (text: string) => string } = {},
): Promise<RunningProxy> {
  const { idleTimeouts, start } = proxies[name];
  const port = await freePort();
  let text = replaced(exampleOf(name), /\b8080\b/, `${port}`);
  for (const [index, instance] of ports.entries()) {
    text = replaced(text, `127.0.0.1:808${index + 1}`, `127.0.0.1:${instance}`);
  }
  for (const pattern of idleS === undefined ? [] : idleTimeouts) text = replaced(text, pattern, `${idleS}`);
  const folder = mkdtempSync(join(tmpdir(), `wsbench-${name}-`));
  const { child, accessLog } = start(folder, change(text));
  let said = '';
  child.stderr?.on('data', (data) => {
    said += String(data);
  });
  t.after(async () => {
    const gone = once(child, 'exit');
    // nginx ends its workers on this one; with SIGKILL they would stay.
    if (child.exitCode === null && child.kill('SIGTERM')) await gone;
    rmSync(folder, { recursive: true, force: true });
  });
  for (let tries = 0; !(await listens(port)); tries++) {
    assert.ok(tries < 500 && child.exitCode === null, `${name} did not start: ${said}`);
    await sleep(20);
  }
  return { url: `ws://127.0.0.1:${port}`, httpUrl: `http://127.0.0.1:${port}`, accessLog };
}

/** Replaces what must stand there exactly once. */
function replaced(text: string, what: string | RegExp, by: string): string {
  const times = text.split(what).length - 1;
  assert.equal(times, 1, `${what} stands ${times} times in the file`);
  return text.replace(what, () => by);
}
