// Upgrades that are too much: too many headers, too large ones, headers made to keep a parser busy, too many upgrades.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGuardedServer } from '../fixtures/server-process.ts';
import { listening, unguarded } from '../reference-server/servers.ts';
import { calm, exchange, isServed, upgradeRequest, WireClient } from './wire-client.ts';

const timeout = 60_000;
const mib = 1024 ** 2;

const statusOf = (answer: string): string => /^HTTP\/1\.1 (\d+) /.exec(answer)?.[1] ?? answer.slice(0, 100);

/** So many short headers, no two alike. */
function headers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${index.toString(36)}:1`);
}

/** An upgrade whose flood of headers comes before those that matter. */
function floodFirst(flood: readonly string[]): string {
  const [line, ...rest] = upgradeRequest().split('\r\n');
  return [line, ...flood, ...rest].join('\r\n');
}

test('HS-09 a flood of headers is refused with 431, wherever it stands', { timeout }, async (t) => {
  const server = await listening(t, calm);
  const waits: number[] = [];
  for (const count of [101, 500, 1100, 2100, 20_000]) {
    for (const request of [upgradeRequest('/ws', headers(count)), floodFirst(headers(count))]) {
      assert.equal(statusOf(await exchange(server, request)), '431', `${count} headers`);
      const startedMs = performance.now();
      await isServed(server);
      waits.push(performance.now() - startedMs);
    }
  }
  waits.sort((a, b) => a - b);
  const median = waits[Math.floor(waits.length / 2)] ?? Number.NaN;
  t.diagnostic(`the next client: median ${median.toFixed(1)} ms, at most ${waits.at(-1)?.toFixed(1)} ms`);
  assert.ok(median < 100, `the next client waited for ${median} ms`);
  const usual = new WireClient(server);
  usual.write(upgradeRequest('/ws', headers(90)));
  assert.equal(statusOf(await usual.head()), '101');
  usual.destroy();
});

test('HS-09 without maxHeaders: 1,900 headers are taken', { timeout }, async (t) => {
  const server = await unguarded(t, { maxHeaders: Number.POSITIVE_INFINITY }, calm);
  const client = new WireClient(server);
  client.write(upgradeRequest('/ws', headers(1900)));
  assert.equal(statusOf(await client.head()), '101');
  client.destroy();
});

const large = {
  'one of 70 KiB': [`X: ${'x'.repeat(70 * 1024)}`],
  '1 MiB in pieces of 1 KiB': Array.from({ length: 1024 }, (_, index) => `X-${index}: ${'x'.repeat(1015)}`),
};

test('HS-10 headers beyond 16 KiB are refused with 431, and not kept', { timeout }, async (t) => {
  const server = await startGuardedServer(t);
  await isServed(server);
  const floods = Object.entries(large);
  for (const [, flood] of floods) await exchange(server, upgradeRequest('/ws', flood));
  for (const [name, flood] of floods) {
    const growths: number[] = [];
    for (let round = 0; round < 5; round++) {
      const { rssBytes } = await server.figures();
      const answer = await exchange(server, upgradeRequest('/ws', flood));
      // The server stops reading at the bound: what was not read may make the kernel reset, and the answer is lost with it.
      assert.match(answer, /^(HTTP\/1\.1 431 |$)/, name);
      growths.push((await server.figures()).peakRssBytes - rssBytes);
    }
    const least = Math.min(...growths);
    t.diagnostic(`${name}: RSS +${growths.map((growth) => Math.round(growth / 1024)).join(', +')} KiB`);
    assert.ok(least < 2 * mib, `${name}: ${least} bytes`);
  }
  assert.equal(
    statusOf(await exchange(server, upgradeRequest('/ws', [`X: ${'x'.repeat(17 * 1024)}`]))),
    '431',
  );
  await isServed(server);
});

test('HS-10 without maxHeaderBytes: headers of 70 KiB are taken', { timeout }, async (t) => {
  const server = await unguarded(t, { maxHeaderBytes: 8 * mib }, calm);
  const client = new WireClient(server);
  client.write(upgradeRequest('/ws', large['one of 70 KiB']));
  assert.equal(statusOf(await client.head()), '101');
  client.destroy();
});

test('HS-11 extensions that are called like what every object has', { timeout }, async (t) => {
  const server = await listening(t, calm);
  const values = [
    'constructor',
    '__proto__; toString=1',
    ',;constructor',
    'hasOwnProperty; constructor',
    'permessage-deflate; __proto__',
    'permessage-deflate; constructor=1',
  ];
  for (const path of ['/ws', '/ws/echo']) {
    for (const value of values) {
      const client = new WireClient(server);
      client.write(upgradeRequest(path, [`Sec-WebSocket-Extensions: ${value}`]));
      const head = await client.head();
      assert.match(statusOf(head), /^(101|400)$/, value);
      assert.doesNotMatch(head, /sec-websocket-extensions/i, value);
      client.destroy();
    }
  }
  await isServed(server);
});

test('HS-12 subprotocols of nothing but spaces take no time', { timeout }, async (t) => {
  const server = await startGuardedServer(t);
  await isServed(server);
  const spaces = (count: number): string => `Sec-WebSocket-Protocol: b${' '.repeat(count)}x`;
  const cases: [string, string, RegExp][] = [
    ['14,000 spaces', spaces(14_000), /^400$/],
    ['7,000 commas', `Sec-WebSocket-Protocol: b${', '.repeat(7000)}x`, /^400$/],
    ['1 MB of spaces', spaces(1_000_000), /^(431|)$/],
  ];
  for (const [name, header, status] of cases) {
    const costs: number[] = [];
    for (let round = 0; round < 5; round++) {
      await server.figures();
      const answer = await exchange(server, upgradeRequest('/ws', [header]));
      assert.match(statusOf(answer), status, name);
      costs.push((await server.figures()).cpuMs);
    }
    t.diagnostic(`${name}: ${costs.map((cost) => cost.toFixed(1)).join(', ')} ms of CPU`);
    assert.ok(Math.min(...costs) < 50, `${name}: ${costs.join(', ')} ms`);
  }
  await isServed(server);
});

test('HS-18 tricks with path and query reach no other route and no header', { timeout }, async (t) => {
  const server = await listening(t, calm);
  // biome-ignore format: a table
  const targets: [target: string, status: RegExp][] = [
    ['/ws/../admin',                      /^404$/],
    ['/ws/../ws',                         /^404$/],
    ['/ws/./agent',                       /^404$/],
    ['/ws/%2e%2e/admin',                  /^404$/],
    ['//ws',                              /^404$/],
    ['/ws//agent',                        /^404$/],
    ['/ws%00',                            /^404$/],
    ['/ws%2fagent',                       /^404$/],
    ['/WS',                               /^404$/],
    ['/ws/',                              /^404$/],
    ['\\ws',                              /^4\d\d$/],
    ['ws',                                /^4\d\d$/],
    ['*',                                 /^4\d\d$/],
    ['/ws%zz',                            /^400$/],
    ['/%0d%0aSet-Cookie:a=b',             /^404$/],
    ['/%0d%0aSet-Cookie:a=b%zz',          /^400$/],
    [`/${'x'.repeat(15_000)}`,            /^(404|414)$/],
    [`/ws?${'x'.repeat(16 * 1024)}`,      /^(414|431)$/],
    ['http://evil.example/nope',          /^404$/],
    ['http://evil.example/ws/agent',      /^401$/],
  ];
  for (const [target, status] of targets) {
    const answer = await exchange(server, upgradeRequest(target));
    assert.match(statusOf(answer), status, target.slice(0, 100));
    assert.doesNotMatch(answer, /set-cookie/i, target.slice(0, 100));
  }
  // A query is data of nobody: the route is what it is, and no part of the query comes back.
  const client = new WireClient(server);
  client.write(upgradeRequest('/ws?x=%0d%0aSet-Cookie:a=b'));
  assert.doesNotMatch(await client.head(), /set-cookie/i);
  client.destroy();
  await isServed(server);
});

test('HS-22 no subprotocol is selected that was not offered', { timeout }, async (t) => {
  const server = await listening(t, calm);
  const hundred = Array.from({ length: 100 }, (_, index) => `chat.v${index}`);
  // biome-ignore format: a table
  const offers: [offered: string, status: string, selected?: string][] = [
    ['wsbench.v9',                             '101'],
    ['WSBENCH.V1',                             '101'],
    [hundred.join(', '),                       '101'],
    [[...hundred, 'wsbench.v1'].join(', '),    '101', 'wsbench.v1'],
    ['wsbench.v1, wsbench.v1',                 '400'],
    ['wsbench.v9, wsbench.v9',                 '400'],
    ['wsbench.v1,',                            '400'],
    ['wsbench v1',                             '400'],
  ];
  for (const path of ['/ws', '/ws/echo']) {
    for (const [offered, status, selected] of offers) {
      const client = new WireClient(server);
      client.write(upgradeRequest(path, [`Sec-WebSocket-Protocol: ${offered}`]));
      const head = await client.head();
      assert.equal(statusOf(head), status, offered);
      assert.equal(/^sec-websocket-protocol: (.*)\r$/im.exec(head)?.[1], selected, offered);
      if (status === '101') client.destroy();
      else await client.ended;
    }
  }
  const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
  assert.match(metrics, /^wsbench_upgrades_refused_total\{status="400"\} 8$/m);
  await isServed(server);
});
