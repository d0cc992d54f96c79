// A start with a Redis that is not there, says nothing, or is not whom it should be.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mintToken } from '../../lib/token.ts';
import { createServer, type ReferenceServer } from '../../reference-server/index.ts';
import { emptyFolder, run } from '../cli/spawn.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { startServe } from '../fixtures/serve.ts';
import { Client } from '../reference-server/client.ts';
import { meddler } from '../reference-server/redis-buses.ts';
import { type RedisServer, skipRedis, startRedis } from '../reference-server/redis-server.ts';
import { listening } from '../reference-server/servers.ts';

const timeout = 120_000;
const secret = 'shared by all of them, and long enough for HS256';
const roles = ['dashboard', 'agent'] as const;

async function joined(t: TestContext, redis: RedisServer): Promise<ReferenceServer> {
  const caFile = redis.url.startsWith('rediss') ? { caFile: redis.caFile } : {};
  return listening(t, {
    ...{ secret, heartbeat: noHeartbeat },
    redis: { url: redis.url, ...caFile },
  });
}

async function open(server: ReferenceServer, sub = 'alice'): Promise<Client> {
  return Client.open(`${server.url}/ws`, await server.mint({ sub, tenant: 'team', roles: [...roles] }));
}

async function readiness(http: string): Promise<{ status?: string; redis?: string }> {
  return (await (await fetch(`${http}/readyz`)).json()) as { status?: string; redis?: string };
}

describe('a start with Redis', { concurrency: 2 }, () => {
  test('LC-07 a start without Redis: exit 2 where it is required, degraded where not, and never a wait without end', {
    timeout,
    skip: skipRedis,
  }, async (t) => {
    const redis = await startRedis(t);
    await redis.kill();
    const env = { JWT_SECRET: secret, REDIS_URL: redis.url };
    const startedMs = performance.now();
    const refused = await run(['serve', '--port', '0'], { cwd: emptyFolder(t), env });
    const refusedMs = performance.now() - startedMs;
    assert.deepEqual([refused.code, refused.stdout], [2, '']);
    assert.match(refused.stderr, /^wsbench: cannot reach Redis at .*ECONNREFUSED.*--redis optional$/m);
    const server = await startServe(t, ['--redis', 'optional'], { env });
    const degradedMs = performance.now() - startedMs - refusedMs;
    t.diagnostic(`exit 2 after ${Math.round(refusedMs)} ms, degraded after ${Math.round(degradedMs)} ms`);
    assert.ok(refusedMs < 5000 + 10_000 && degradedMs < 1000 + 10_000, `${refusedMs} ms, ${degradedMs} ms`);
    assert.deepEqual(await readiness(server.http), { status: 'degraded', redis: 'down' });
    const client = await Client.open(
      server.url,
      await mintToken({ secret }, { sub: 'a', roles: ['dashboard'] }),
    );
    assert.equal((await client.request('ECHO', 'served')).payload, 'served');
    assert.equal((await client.error('PUBLISH', { channel: 'c', data: 1 })).code, 'NOT_DELIVERED');
    await redis.restart();
    const backMs = performance.now();
    while ((await readiness(server.http)).status !== 'ready') {
      assert.ok(performance.now() - backMs < 10_000, 'never ready');
      await sleep(10);
    }
    assert.equal((await client.ack('PUBLISH', { channel: 'c', data: 1 })).offset, 1);
  });

  test('LC-07 a Redis that takes connections and says nothing is none', {
    timeout,
    skip: skipRedis,
  }, async (t) => {
    const redis = await startRedis(t);
    redis.freeze();
    const startedMs = performance.now();
    const env = { JWT_SECRET: secret, REDIS_URL: redis.url };
    const { code, stderr } = await run(['serve', '--port', '0'], { cwd: emptyFolder(t), env });
    const tookMs = performance.now() - startedMs;
    redis.thaw();
    assert.equal(code, 2, stderr);
    t.diagnostic(`exit 2 after ${Math.round(tookMs)} ms`);
    assert.ok(tookMs < 5000 + 10_000, `${tookMs} ms`);
  });

  test('LC-11 rediss:// with the right authority works; anything else is no connection, and never one without TLS', {
    timeout,
    skip: skipRedis,
  }, async (t) => {
    const redis = await startRedis(t, { tls: true });
    const plaintext = await startRedis(t);
    const expired = await startRedis(t, { tls: true });
    // Signed anew with the same key, to end before it begins to be used.
    const { status } = spawnSync(
      'openssl',
      [
        ...['x509', '-req', '-in', 'request.pem', '-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial'],
        ...['-days', '-1', '-extfile', 'san.cnf', '-out', 'cert.pem'],
      ],
      { cwd: expired.folder },
    );
    assert.equal(status, 0);
    await expired.kill();
    await expired.restart();
    // biome-ignore format: a table
    const wrong: [what: string, url: string, caFile: string | undefined, says: RegExp][] = [
    ['an unknown authority', redis.url, undefined, /certificate/],
    ['another authority', redis.url, expired.caFile, /certificate/],
    ['another name', redis.url.replace('127.0.0.1', 'localhost'), redis.caFile, /altnames/],
    ['expired', expired.url, expired.caFile, /expired/],
    ['a port without TLS', plaintext.url.replace('redis:', 'rediss:'), redis.caFile, /Redis/],
  ];
    const eavesdropper = meddler(t, plaintext);
    await eavesdropper.config('RESETSTAT');
    for (const [what, url, caFile, says] of wrong) {
      const startedMs = performance.now();
      const said: string[] = [];
      const server = await createServer({
        ...{ secret, drainTimeoutMs: 100 },
        redis: { url, required: false, ...(caFile === undefined ? {} : { caFile }) },
        logger: ({ message }) => said.push(message),
      });
      await server.close();
      assert.match(said.join('\n'), says, what);
      assert.ok(!said.some((line) => line.startsWith('Redis is up')), what);
      assert.ok(performance.now() - startedMs < 1000 + 4000, what);
    }
    // Nothing that Redis understood came over the port without TLS.
    const stats = (await eavesdropper.info('commandstats')) as string;
    assert.doesNotMatch(stats, /cmdstat_(auth|info|subscribe|time|evalsha)\b/);
    const good = await joined(t, redis);
    const client = await open(good);
    assert.equal((await client.ack('PUBLISH', { channel: 'c', data: 1 })).offset, 1);
  });
});
