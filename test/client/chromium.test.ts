// The bundle in a real browser, against the reference server, through its restart.
import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { createServer, type ReferenceServer, type ServerOptions } from '../../reference-server/index.ts';
import { bundleClient } from '../../tools/client-bundles.ts';
import { chromiumPath, hasChromium } from '../fixtures/browser.ts';
import { skipUnless } from '../require.ts';

const skip = skipUnless('chromium', hasChromium);
const timeout = 90_000;
const secret = 'a secret for tests, and for nothing else';

/** What the page keeps: everything that it was told, with its own time. */
interface Told {
  name: string;
  atMs: number;
  delayMs?: number;
  minMs?: number;
  maxMs?: number;
  why?: string;
  code?: number;
  data?: unknown;
  to?: string;
}

/** Runs in the page. */
const script = `
import { createClient, createPool } from './client-pool.js';
globalThis.told = [];
const tell = (name, event) => told.push({ name, atMs: performance.now(), ...event });
globalThis.start = async (url, token) => {
  globalThis.client = createClient(url, { token: () => token, reconnect: { minMs: 50, maxMs: 500 } });
  for (const name of ['attempt', 'open', 'disconnected', 'waiting', 'drain', 'gap', 'violation', 'closed']) {
    client.on(name, ({ welcome, connections, ...event }) => tell(name, event));
  }
  const { sub } = await client.connect();
  const news = await client.subscribe('news');
  news.on('message', ({ data, offset }) => tell('message', { data, offset }));
  return sub;
};
globalThis.pooled = async (url, token) => {
  const pool = createPool(url, { client: { token: () => token }, min: 2, max: 2 });
  await pool.connect();
  const echoes = await Promise.all([1, 2, 3, 4].map((n) => pool.use((client) => client.request('ECHO', n))));
  await pool.close();
  return echoes.map(({ payload }) => payload);
};
`;

describe('the bundle in Chromium', { skip, timeout }, () => {
  let browser: Browser | undefined;
  let origin = '';
  const files = createHttpServer(async (request, response) => {
    const text =
      request.url === '/client-pool.js'
        ? await bundleClient('client-pool')
        : request.url === '/page.js'
          ? script
          : request.url === '/'
            ? '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>'
            : undefined;
    response.writeHead(text === undefined ? 404 : 200, {
      'content-type': request.url === '/' ? 'text/html' : 'text/javascript',
    });
    response.end(text);
  });
  const servers = new Set<ReferenceServer>();

  before(async () => {
    await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
    browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
  });
  after(async () => {
    await browser?.close();
    files.closeAllConnections();
    await new Promise((resolve) => files.close(resolve));
    for (const server of servers) await server.close();
  });

  async function serving(options: ServerOptions = {}): Promise<ReferenceServer> {
    const server = await createServer({
      limits: 'off',
      drainTimeoutMs: 1000,
      secret,
      allowedOrigins: [origin],
      ...options,
    });
    servers.add(server);
    await server.listen();
    return server;
  }

  async function opened(): Promise<{ page: Page; complaints: string[] }> {
    assert.ok(browser);
    const page = await (await browser.newContext()).newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(origin);
    await page.waitForFunction('globalThis.pooled !== undefined');
    return { page, complaints };
  }

  const told = (page: Page): Promise<Told[]> => page.evaluate('told');
  const waitFor = (page: Page, condition: string): Promise<unknown> =>
    page.waitForFunction(condition, undefined, { timeout: 30_000 });

  test('goes on through a restart: nothing lost, nothing twice, the window honoured', {
    timeout,
  }, async (t) => {
    const server = await serving();
    const token = await server.mint({ sub: 'alice', roles: ['dashboard'], expiresInS: 3600 });
    const { page, complaints } = await opened();
    const sub = await page.evaluate(`start(${JSON.stringify(`${server.url}/ws`)}, ${JSON.stringify(token)})`);
    assert.equal(sub, 'alice');
    await page.evaluate(`client.publish('news', 'before')`);
    await waitFor(page, `told.some(({ data }) => data === 'before')`);

    const port = Number(new URL(server.httpUrl).port);
    const closing = server.close();
    await waitFor(page, `told.some(({ name }) => name === 'drain')`);
    // Published while there is nobody to publish to: it is sent to the next server, once.
    await page.evaluate(
      `void client.publish('news', 'during', { id: 'during' }).then((done) => (globalThis.published = done))`,
    );
    await closing;
    const next = await serving({ port });
    await waitFor(
      page,
      `globalThis.published !== undefined && told.filter(({ name }) => name === 'open').length === 2`,
    );
    const again = await page.evaluate<{ duplicate: boolean }>(
      `client.publish('news', 'during', { id: 'during' })`,
    );
    assert.equal(again.duplicate, true, 'the id had its effect');
    await page.evaluate(`client.publish('news', 'after')`);
    await waitFor(page, `told.some(({ data }) => data === 'after')`);

    const events = await told(page);
    const heard = events.filter(({ name }) => name === 'message').map(({ data }) => data);
    assert.deepEqual(heard, ['before', 'during', 'after']);
    const drain = events.find(({ name }) => name === 'drain');
    const attempts = events.filter(({ name }) => name === 'attempt');
    assert.ok(drain?.delayMs !== undefined && drain.minMs !== undefined && drain.maxMs !== undefined);
    assert.ok(drain.delayMs >= drain.minMs && drain.delayMs <= drain.maxMs);
    const waitedMs = (attempts[1]?.atMs ?? 0) - drain.atMs;
    t.diagnostic(
      `window ${drain.minMs} to ${drain.maxMs} ms, picked ${drain.delayMs.toFixed(0)}, came after ${waitedMs.toFixed(0)}`,
    );
    // Timers of a busy machine are late, and never early by more than their resolution.
    assert.ok(waitedMs >= drain.delayMs - 5, `${waitedMs}`);
    const { code } = events.find(({ name }) => name === 'disconnected') ?? {};
    assert.equal(code, 1001);
    await page.evaluate('client.close()');
    assert.equal(await page.evaluate('client.state'), 'closed');
    assert.deepEqual(complaints, []);
    await next.close();
  });

  test('after a connection that is cut, what was published comes once', {
    timeout,
  }, async () => {
    const server = await serving();
    const token = await server.mint({ sub: 'alice', roles: ['dashboard'], expiresInS: 3600 });
    const { page, complaints } = await opened();
    await page.evaluate(`start(${JSON.stringify(`${server.url}/ws`)}, ${JSON.stringify(token)})`);
    for (const { socket } of server.app.connections.open) socket.terminate();
    const done = await page.evaluate<{ receivers: number }>(`client.publish('news', 'once')`);
    assert.equal(done.receivers, 1);
    await waitFor(page, `told.some(({ data }) => data === 'once')`);
    const events = await told(page);
    assert.deepEqual(
      events.filter(({ name }) => name === 'message').map(({ data }) => data),
      ['once'],
    );
    assert.equal(events.find(({ name }) => name === 'disconnected')?.code, 1006);
    await page.evaluate('client.close()');
    assert.deepEqual(complaints, []);
  });

  test('offline it waits for the network, and online it comes back', { timeout }, async () => {
    const server = await serving();
    const token = await server.mint({ sub: 'alice', roles: ['dashboard'], expiresInS: 3600 });
    const { page } = await opened();
    await page.evaluate(`start(${JSON.stringify(`${server.url}/ws`)}, ${JSON.stringify(token)})`);
    await page.context().setOffline(true);
    await waitFor(page, 'navigator.onLine === false');
    for (const { socket } of server.app.connections.open) socket.terminate();
    await waitFor(page, `told.some(({ why }) => why === 'offline')`);
    assert.equal(await page.evaluate('client.state'), 'waiting');
    await page.context().setOffline(false);
    await waitFor(page, `told.filter(({ name }) => name === 'open').length >= 2 && client.state === 'open'`);
    assert.ok((await page.evaluate<number>('client.ping()')) > 0);
    await page.evaluate('client.close()');
  });

  test('another origin is refused, and the page hears no more than that', { timeout }, async () => {
    const server = await serving({ allowedOrigins: ['https://service.example'] });
    const token = await server.mint({ sub: 'alice', roles: ['dashboard'] });
    const { page } = await opened();
    void page
      .evaluate(`start(${JSON.stringify(`${server.url}/ws`)}, ${JSON.stringify(token)}).catch(() => {})`)
      .catch(() => {});
    await waitFor(page, `told.some(({ name }) => name === 'disconnected')`);
    const [{ code } = {}] = (await told(page)).filter(({ name }) => name === 'disconnected');
    assert.equal(code, 1006);
    await page.evaluate('client.close()');
  });

  test('a pool serves a page', { timeout }, async () => {
    const server = await serving();
    const token = await server.mint({ sub: 'alice', roles: ['dashboard'], expiresInS: 3600 });
    const { page, complaints } = await opened();
    const echoes = await page.evaluate(
      `pooled(${JSON.stringify(`${server.url}/ws`)}, ${JSON.stringify(token)})`,
    );
    assert.deepEqual(echoes, [1, 2, 3, 4]);
    assert.equal(server.app.connections.open.size, 0);
    assert.deepEqual(complaints, []);
  });
});
