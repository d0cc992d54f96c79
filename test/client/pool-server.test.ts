// The pool against the reference server.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type ClientError, createPool, type Pool, type PoolOptions } from '../../lib/client/index.ts';
import { createServer, type ReferenceServer } from '../../reference-server/index.ts';
import { listening } from '../reference-server/servers.ts';
import { clientOf } from './clients.ts';

const timeout = 60_000;
const secret = 'a secret for tests, and for nothing else';

function poolOf(t: TestContext, server: ReferenceServer, options: PoolOptions = {}): Pool {
  const pool = createPool(`${server.url}/ws`, {
    ...options,
    client: {
      token: () => server.mint({ sub: 'alice', roles: ['dashboard'] }),
      reconnect: { minMs: 20, maxMs: 200 },
      ...options.client,
    },
  });
  t.after(() => pool.close({ timeoutMs: 0 }));
  return pool;
}

/** Ends the connections that `which` picks, without a word. */
function cut(server: ReferenceServer, which: (at: number) => boolean = () => true): void {
  [...server.app.connections.open].forEach(({ socket }, at) => {
    if (which(at)) socket.terminate();
  });
}

test('work goes through every member, up to `max` of them', { timeout }, async (t) => {
  const server = await listening(t);
  const pool = poolOf(t, server, { min: 2, max: 4, maxPerMember: 5 });
  await pool.connect();
  assert.equal(server.app.connections.open.size, 2);
  const members = new Set<number>();
  let isFull = (): void => {};
  const full = new Promise<void>((resolve) => {
    isFull = resolve;
  });
  const echoes = await Promise.all(
    Array.from({ length: 60 }, async (_, n) => {
      const lease = await pool.acquire();
      members.add(lease.member);
      // Nobody is done before there are as many as there may be.
      if (members.size === 4) isFull();
      await full;
      const { payload } = await lease.client.request('ECHO', n);
      lease.release();
      return payload;
    }),
  );
  assert.deepEqual(
    echoes,
    Array.from({ length: 60 }, (_, n) => n),
  );
  assert.deepEqual([members.size, server.app.connections.open.size], [4, 4]);
  await pool.close();
  assert.equal(pool.statistics.members, 0);
});

test('CL-09 an exhausted pool says POOL_TIMEOUT, and serves on when there is room', {
  timeout,
}, async (t) => {
  const server = await listening(t);
  const pool = poolOf(t, server, { max: 1, maxPerMember: 1 });
  const held = await pool.acquire();
  await assert.rejects(
    pool.use((client) => client.ping(), { timeoutMs: 50 }),
    { code: 'POOL_TIMEOUT' },
  );
  const next = pool.use((client) => client.request('ECHO', 'next'));
  held.release();
  assert.equal((await next).payload, 'next');
});

test('CL-08 a member whose connection is cut again and again is out, and no work is lost', {
  timeout,
}, async (t) => {
  const server = await listening(t);
  const pool = poolOf(t, server, { min: 3, max: 3, circuit: { minMs: 300, maxMs: 2000 } });
  const reader = clientOf(t, `${server.url}/ws`, {
    token: () => server.mint({ sub: 'alice', roles: ['dashboard'] }),
  });
  await reader.connect();
  const heard: unknown[] = [];
  (await reader.subscribe('news')).on('message', ({ data }) => heard.push(data));
  await pool.connect();
  const outs: number[] = [];
  const members = new Set<number>();
  pool.on('ejected', ({ member, outMs }) => {
    outs.push(outMs);
    members.add(member);
  });
  // The newest of four connections, which is the member that has just come back; the reader's is older.
  const flapping = setInterval(() => {
    if (server.app.connections.open.size === 4) cut(server, (at) => at === 3);
  }, 150);
  t.after(() => clearInterval(flapping));
  const until = performance.now() + 2500;
  let done = 0;
  while (performance.now() < until) {
    await pool.use((client) => client.publish('news', done));
    done += 1;
  }
  clearInterval(flapping);
  assert.equal(members.size, 1, `${[...members]} were ejected`);
  assert.ok(
    outs.length >= 2 && outs.every((outMs, at) => at === 0 || outMs >= (outs[at - 1] ?? 0)),
    `${outs}`,
  );
  t.diagnostic(`${done} publishes, out for ${outs.join(', ')} ms`);
  await reader.ping();
  assert.deepEqual(
    heard,
    Array.from({ length: done }, (_, n) => n),
  );
});

test('a restart: what is under way is done once, and the members come back', { timeout }, async (t) => {
  const first = await listening(t, { secret });
  const pool = poolOf(t, first, { min: 4, max: 4 });
  await pool.connect();
  const work = (n: number): Promise<string> =>
    pool
      .use((client) => client.publish('news', n), { key: `key-${n % 16}`, timeoutMs: 20_000 })
      .then(
        () => 'done',
        (error: ClientError) => error.code,
      );
  const outcomes: Promise<string>[] = [];
  let n = 0;
  const working = setInterval(() => outcomes.push(work(n++)), 5);
  t.after(() => clearInterval(working));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const port = Number(new URL(first.httpUrl).port);
  await first.close();
  const before = n;
  const second = await createServer({ limits: 'off', drainTimeoutMs: 1000, secret, port });
  t.after(() => second.close());
  await second.listen();
  const back = performance.now();
  while (pool.statistics.serving < 4) await new Promise((resolve) => setTimeout(resolve, 20));
  t.diagnostic(`4 members back ${Math.round(performance.now() - back)} ms after the server`);
  clearInterval(working);
  assert.ok(before > 0);
  const ends = new Set(await Promise.all(outcomes));
  assert.deepEqual([...ends], ['done']);
  assert.equal(pool.statistics.ejections, 0);
  await pool.close();
  assert.equal(pool.statistics.leases, 0);
});
