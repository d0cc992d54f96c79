// wsbench conform: the ways that its connections go, through a proxy and from addresses of one's own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { parseResult } from '../../lib/index.ts';
import { startConnectProxy } from '../fixtures/connect-proxy.ts';
import { startBroken, startEcho } from '../fixtures/echoes.ts';
import { emptyFolder, run } from './spawn.ts';

const timeout = 60_000;

test('conform: --proxy carries every case, and its password is in no output', { timeout }, async (t) => {
  const url = await startEcho(t);
  const { host } = new URL(url);
  const proxy = await startConnectProxy(t, 'me:pass-of-the-proxy');
  const way = proxy.url.replace('//', '//me:pass-of-the-proxy@');
  const cwd = emptyFolder(t);
  const passed = await run(['conform', url, '2.*', '7.1.1', '--proxy', way, '-o', 'r.json'], { cwd });
  assert.equal(passed.code, 0, passed.stdout + passed.stderr);
  assert.match(passed.stdout, /PASSED {2}12 of 12 cases passed/);
  assert.deepEqual(
    proxy.targets,
    Array.from({ length: 12 }, () => host),
  );
  assert.doesNotMatch(passed.stdout + passed.stderr, /pass-of-the-proxy/);
  assert.match(passed.stdout, /--proxy/);
});

test('conform: a case that failed is repeated through the same proxy', { timeout }, async (t) => {
  const url = await startBroken(t);
  const proxy = await startConnectProxy(t);
  const failed = await run(['conform', url, '1.1.2', '--proxy', proxy.url, '--json'], {
    cwd: emptyFolder(t),
  });
  assert.equal(failed.code, 1, failed.stderr);
  const result = parseResult(failed.stdout, 'stdout');
  assert.ok(result.kind === 'conform');
  const [verdict] = result.agents[0]?.verdicts ?? [];
  assert.equal(verdict?.reproduce, `wsbench conform ${new URL(url).href} --proxy ${proxy.url} 1.1.2`);
  assert.equal(proxy.targets.length, 1, 'a case that was alone is not run again');
  assert.equal(verdict?.repeated, undefined);
});

test('conform: a proxy that is not there, or refuses, reaches nobody', { timeout }, async (t) => {
  const url = await startEcho(t);
  const proxy = await startConnectProxy(t, 'me:secret-of-the-proxy');
  const refused = await run(['conform', url, '1.1.1', '-x', proxy.url], { cwd: emptyFolder(t) });
  assert.notEqual(refused.code, 0);
  assert.match(refused.stdout, /407/);
  const gone = await run(['conform', url, '1.1.1', '-x', 'http://127.0.0.1:1'], { cwd: emptyFolder(t) });
  assert.equal(gone.code, 3, gone.stderr);
});

test('conform: --local-address takes its addresses in turn', {
  timeout,
  skip: process.platform === 'linux' ? false : 'only Linux has all of 127.0.0.0/8',
}, async (t) => {
  const seen = new Map<string, number>();
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  server.on('connection', (socket, { socket: { remoteAddress = '' } }) => {
    seen.set(remoteAddress, (seen.get(remoteAddress) ?? 0) + 1);
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    socket.on('error', () => {});
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const target = `ws://127.0.0.1:${port}/`;
  const cwd = emptyFolder(t);
  const args = ['conform', target, '1.*', '--local-address', '127.0.0.11, 127.0.0.12'];
  const passed = await run(args, { cwd });
  assert.equal(passed.code, 0, passed.stdout + passed.stderr);
  assert.deepEqual([...seen].sort(), [
    ['127.0.0.11', 8],
    ['127.0.0.12', 8],
  ]);
  assert.match(passed.stdout, /--local-address\s+'127\.0\.0\.11,\s+127\.0\.0\.12'/);
  const foreign = await run(['conform', target, '1.1.1', '--local-address', '192.0.2.1'], { cwd });
  assert.equal(foreign.code, 2);
  assert.match(foreign.stderr, /192\.0\.2\.1 is no address of this machine/);
  assert.equal(seen.size, 2, 'nothing was sent');
});
