// What the proxies pass on and what they keep to themselves.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { emptyFolder } from '../cli/spawn.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client, Refused } from '../reference-server/client.ts';
import { eventually } from '../reference-server/redis-buses.ts';
import { freePort } from '../reference-server/redis-server.ts';
import { listening } from '../reference-server/servers.ts';
import { upgrade } from '../reference-server/upgrade.ts';
import { blocksOf } from './operations-doc.ts';
import { type ProxyName, proxies, startProxy } from './proxies.ts';

const timeout = 30_000;

/** A server that keeps the headers of upgrades, and refuses them all with 400. */
async function listener(t: TestContext): Promise<{ port: number; seen: IncomingHttpHeaders[] }> {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((_request, response) => response.end('{}'));
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => {}); // HAProxy ends it with a reset.
    seen.push(request.headers);
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, seen };
}

for (const name of Object.keys(proxies) as ProxyName[]) {
  const { skip } = proxies[name];

  test(`${name} passes on the upgrade, the host and the address of the client, whatever that says of itself`, {
    timeout,
    skip,
  }, async (t) => {
    const { port, seen } = await listener(t);
    const proxy = await startProxy(t, name, [port, port, port]);
    const said = ['X-Forwarded-For', '6.6.6.6', 'X-Forwarded-For', '7.7.7.7, 8.8.8.8'];
    const protocol = ['Sec-WebSocket-Protocol', 'wsbench.v1, bearer.abc', 'Origin', 'https://app.example'];
    const { status } = await upgrade({ httpUrl: proxy.httpUrl }, '/ws', [...said, ...protocol]);
    assert.equal(status, 400);
    const [headers = {}] = seen;
    assert.equal(seen.length, 1, 'a refusal is for the client: no other instance is asked');
    assert.equal(headers.host, '127.0.0.1');
    assert.equal(headers['x-forwarded-for'], '127.0.0.1');
    assert.match(headers.connection ?? '', /^upgrade$/i);
    assert.equal(headers.upgrade, 'websocket');
    assert.equal(headers['sec-websocket-key'], 'dGhlIHNhbXBsZSBub25jZQ==');
    assert.equal(headers['sec-websocket-version'], '13');
    assert.equal(headers['sec-websocket-protocol'], 'wsbench.v1, bearer.abc');
    assert.equal(headers.origin, 'https://app.example');
  });

  test(`${name} keeps tokens out of its log, and the metrics of instances to itself`, {
    timeout,
    skip,
  }, async (t) => {
    const server = await listening(t);
    const port = Number(new URL(server.url).port);
    const proxy = await startProxy(t, name, [port, port, port]);
    const token = await server.mint();
    const client = await Client.open(`${proxy.url}/ws?token=${token}`);
    assert.equal((await client.request('ECHO', 'x'.repeat(60_000))).type, 'ECHO');
    await client.close();
    await eventually(() => proxy.accessLog().includes('/ws'), 'a line in the log');
    assert.ok(!proxy.accessLog().includes(token.slice(0, 20)), proxy.accessLog());
    for (const path of ['/metrics', '/%6detrics', '/metrics?x']) {
      const answer = await fetch(proxy.httpUrl + path);
      assert.equal(answer.status, 404, path);
      assert.ok(!(await answer.text()).includes('wsbench_connections'), path);
    }
    for (const path of ['/readyz', '/healthz', '/api/status'])
      assert.equal((await fetch(proxy.httpUrl + path)).status, 200, path);
    // Long tokens pass, and a server's own refusals arrive as they are.
    const refused = await Client.open(`${proxy.url}/ws`, 'x'.repeat(10_000)).catch((error: unknown) => error);
    assert.ok(refused instanceof Refused && refused.status === 401, String(refused));
    assert.match(refused.body, /UNAUTHENTICATED/);
    const wrong = await Client.open(`${proxy.url}/ws/nowhere`).catch((error: unknown) => error);
    assert.ok(wrong instanceof Refused && wrong.status === 404, String(wrong));
  });

  test(`${name} with the lines for TLS of docs/operations.md`, { timeout, skip }, async (t) => {
    const server = await listening(t);
    const port = Number(new URL(server.url).port);
    const { key, cert } = selfSigned();
    const folder = emptyFolder(t);
    writeFileSync(join(folder, 'wsbench.pem'), cert);
    writeFileSync(join(folder, 'wsbench.key'), key);
    writeFileSync(join(folder, 'wsbench-and-key.pem'), cert + key);
    const [, lines = ''] = blocksOf(name);
    const plain = { nginx: /^ +listen (\d+);\n/m, haproxy: /^ +bind :(\d+)\n/m }[name];
    const proxy = await startProxy(t, name, [port, port, port], {
      change: (text) =>
        text.replace(plain, (_, free: string) =>
          lines.replaceAll('/etc/ssl/', `${folder}/`).replace(/\b443\b/, free),
        ),
    });
    const url = `${proxy.url.replace('ws:', 'wss:')}/ws`;
    const client = await Client.open(url, await server.mint(), { ca: cert });
    assert.equal((await client.request('ECHO', 'over TLS')).payload, 'over TLS');
    await client.close();
    await assert.rejects(Client.open(`${proxy.url}/ws`));
  });

  test(`${name} hides no client that does not read: the server closes it with 1008`, {
    timeout,
    skip,
  }, async (t) => {
    const server = await listening(t, { heartbeat: noHeartbeat });
    const port = Number(new URL(server.url).port);
    const proxy = await startProxy(t, name, [port, port, port]);
    const token = await server.mint();
    const [slow, quick, sender] = await Promise.all(
      [1, 2, 3].map(() => Client.open(`${proxy.url}/ws`, token)),
    );
    assert.ok(slow && quick && sender);
    for (const client of [slow, quick]) await client.ack('SUBSCRIBE', { channel: 'news' });
    slow.socket.pause();
    const data = 'x'.repeat(60_000);
    let sent = 0;
    const isClosed = (): boolean => server.app.metrics.text().includes('wsbench_closes_total{code="1008"} 1');
    // What kernel and proxy hold comes first; nothing of it grows without end.
    while (!isClosed() && sent < 4000) {
      await sender.ack('PUBLISH', { channel: 'news', data });
      sent += 1;
    }
    t.diagnostic(`after ${((sent * data.length) / 1024 ** 2).toFixed(1)} MiB`);
    await eventually(isClosed, 'closed with 1008');
    const read = (): number => quick.inbox.filter(({ type }) => type === 'MESSAGE').length;
    await eventually(() => read() === sent, 'everything for whoever reads');
    slow.socket.terminate();
  });

  test(`${name} says 503 with Retry-After in JSON when no instance is there, and finds one that comes`, {
    timeout,
    skip,
  }, async (t) => {
    const port = await freePort();
    const proxy = await startProxy(t, name, [port, await freePort(), await freePort()]);
    const open = () => Client.open(`${proxy.url}/ws`).catch((error: unknown) => error);
    for (let n = 0; n < 2; n++) {
      const refused = await open();
      assert.ok(refused instanceof Refused, String(refused));
      assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1']);
      assert.deepEqual(JSON.parse(refused.body), {
        error: 'UNAVAILABLE',
        message: 'no instance can be reached',
      });
    }
    await listening(t, { port });
    const startedMs = performance.now();
    let client = await open();
    while (!(client instanceof Client)) {
      assert.ok(performance.now() - startedMs < 10_000, String(client));
      await new Promise((resolve) => setTimeout(resolve, 100));
      client = await open();
    }
    t.diagnostic(`found after ${Math.round(performance.now() - startedMs)} ms`);
  });
}
