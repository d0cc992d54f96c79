// The same checks over TLS: a certificate is refused, taken because it was given, or taken unseen.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { exitCode } from '../../lib/result/exit-code.ts';
import { skipUnless } from '../require.ts';
import { planFor, preset, quick, verdicts } from './quick-plan.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

test('wss', { timeout: 30_000, skip: skipUnless('openssl', hasOpenssl) }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'wsbench-tls-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
  ]);
  assert.equal(made.status, 0, made.stderr.toString());
  const server = createServer({ key: await readFile(key), cert: await readFile(cert) });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `wss://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const ids = ['connect', 'ping-frame', 'echo', 'simultaneous', 'clean-close', 'bad-frame'];
  const plan = planFor(url, { target: preset('echo'), checks: ids });

  const { result } = await quick(plan);
  assert.equal(exitCode(result), 3);
  assert.match(result.reasons[0]?.message ?? '', /TLS failed: .*self.signed.*--cacert/i);

  const all = Object.fromEntries(ids.map((id) => [id, 'passed']));
  const caCertificates = [await readFile(cert, 'utf8')];
  assert.deepEqual(verdicts((await quick({ ...plan, insecure: true })).result), all);
  assert.deepEqual(verdicts((await quick({ ...plan, caCertificates })).result), all);
});
