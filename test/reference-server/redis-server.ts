// A redis-server of a test's own: on a free port of 127.0.0.1, in a folder of its own, without persistence unless asked.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { skipUnless } from '../require.ts';

const found = spawnSync('redis-server', ['--version']).status === 0;

/** The `skip` option of tests that need a Redis. */
export const skipRedis = skipUnless('redis', found);

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** The file of the certificate that signed its own; with `tls`. */
  readonly caFile: string;
  readonly folder: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty unless it persists, and waits until it answers. */
  restart(): Promise<void>;
  /** SIGSTOP, SIGCONT. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  tls?: boolean;
  password?: string;
  args?: string[];
}

export async function startRedis(
  t: Pick<TestContext, 'after'>,
  options: RedisServerOptions = {},
): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'wsbench-redis-'));
  const port = await freePort();
  const caFile = join(folder, 'ca.pem');
  if (options.tls) makeCertificates(folder);
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const files = ['cert', 'key', 'ca'].map((name) => join(folder, `${name}.pem`));
    const tls = [
      ...['--port', '0', '--tls-port', `${port}`, '--tls-auth-clients', 'no'],
      ...['--tls-cert-file', files[0] ?? '', '--tls-key-file', files[1] ?? ''],
      ...['--tls-ca-cert-file', files[2] ?? ''],
    ];
    child = spawn(
      'redis-server',
      [
        ...['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
        ...(options.tls ? tls : ['--port', `${port}`]),
        ...(options.password === undefined ? [] : ['--requirepass', options.password]),
        ...(options.args ?? []),
      ],
      { stdio: 'ignore' },
    );
    for (let tries = 0; !(await listens(port)); tries++) {
      if (tries > 200 || child.exitCode !== null) throw new Error('redis-server did not start');
      await sleep(10);
    }
  };
  const kill = async (): Promise<void> => {
    const dying = child;
    child = undefined;
    if (!dying || dying.exitCode !== null) return;
    const gone = once(dying, 'exit');
    dying.kill('SIGKILL');
    await gone;
  };
  const stop = async (): Promise<void> => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  t.after(stop);
  await start();
  const credentials =
    options.password === undefined ? '' : `default:${encodeURIComponent(options.password)}@`;
  return {
    ...{ port, caFile, folder, kill, stop },
    url: `${options.tls ? 'rediss' : 'redis'}://${credentials}127.0.0.1:${port}`,
    restart: start,
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
  };
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether somebody listens on that port of 127.0.0.1. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}

/** An authority, and a certificate for 127.0.0.1 signed by it. */
function makeCertificates(folder: string): void {
  writeFileSync(join(folder, 'san.cnf'), 'subjectAltName=IP:127.0.0.1\n');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(folder, [
    ...['req', '-x509', ...key, '-days', '1', '-subj', '/CN=wsbench test CA'],
    ...['-keyout', 'ca-key.pem', '-out', 'ca.pem'],
  ]);
  openssl(folder, [...['req', ...key, '-subj', '/CN=redis', '-keyout', 'key.pem', '-out', 'request.pem']]);
  openssl(folder, [
    ...['x509', '-req', '-in', 'request.pem', '-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial'],
    ...['-days', '1', '-extfile', 'san.cnf', '-out', 'cert.pem'],
  ]);
}

function openssl(folder: string, args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { cwd: folder });
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
}
