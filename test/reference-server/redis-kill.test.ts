// A server is killed amid its work; its client goes on with another one: what was acknowledged is there, and nothing is there twice.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { mintToken } from '../../lib/token.ts';
import { Client } from './client.ts';
import { eventually } from './redis-buses.ts';
import { type RedisServer, skipRedis, startRedis } from './redis-server.ts';

const command = fileURLToPath(new URL('../../../cli/wsbench.js', import.meta.url));
const secret = 'shared by all of them, and long enough for HS256';

interface Process {
  child: ChildProcess;
  url: string;
}

async function serve(t: TestContext, redis: RedisServer): Promise<Process> {
  const child = spawn(process.execPath, [command, 'serve', '--port', '0', '--json', '--limits', 'off'], {
    cwd: redis.folder,
    env: { PATH: process.env.PATH, JWT_SECRET: secret, REDIS_URL: redis.url },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { child, url: (JSON.parse(line.toString()) as { url: string }).url };
}

test('servers killed in turn: 0 acknowledged messages missing, 0 twice, in order', {
  timeout: 90_000,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const token = await mintToken({ secret }, { sub: 'alice', roles: ['dashboard'] });
  const watched = await serve(t, redis);
  const subscriber = await Client.open(watched.url, token);
  await subscriber.ack('SUBSCRIBE', { channel: 'c' });
  const acknowledged = new Set<number>();
  let unanswered: number[] = [];
  let repeated = 0;
  let n = 0;
  for (let round = 0; round < 4; round++) {
    const { child, url } = await serve(t, redis);
    const client = await Client.open(url, token);
    const send = (each: number): void =>
      client.send({ type: 'PUBLISH', id: `m${each}`, payload: { channel: 'c', data: each } });
    // The same ids again: nobody knows which of them were appended.
    for (const each of unanswered) send(each);
    const sent = new Set(unanswered);
    const untilMs = performance.now() + 300 + 37 * round;
    while (performance.now() < untilMs) {
      for (let each = 0; each < 5; each++) {
        n += 1;
        sent.add(n);
        send(n);
      }
      await sleep(2);
    }
    child.kill('SIGKILL');
    await client.closed;
    for (const message of client.inbox) {
      if (message.type !== 'ACK') continue;
      const each = Number(message.id?.slice(1));
      acknowledged.add(each);
      sent.delete(each);
      if ((message.payload as { duplicate?: boolean }).duplicate) repeated += 1;
    }
    unanswered = [...sent];
  }
  // The claim of one that was under way when its server died ends after 2 s.
  await sleep(2200);
  const last = await Client.open(watched.url, token);
  for (const each of unanswered) {
    await last.ack('PUBLISH', { channel: 'c', data: each }, `m${each}`);
    acknowledged.add(each);
  }
  const seen = (): number[] =>
    subscriber.inbox.flatMap((each) => (each.type === 'MESSAGE' ? [each.payload.data as number] : []));
  await eventually(() => seen().length >= n, 'all');
  await sleep(100);
  t.diagnostic(`${n} messages over 4 kills, ${repeated} answered again from memory`);
  assert.equal(acknowledged.size, n);
  assert.deepEqual(
    seen().sort((a, b) => a - b),
    Array.from({ length: n }, (_, index) => index + 1),
  );
  const offsets = subscriber.inbox.flatMap((each) => (each.type === 'MESSAGE' ? [each.payload.offset] : []));
  assert.deepEqual(
    offsets,
    offsets.map((_, index) => index + 1),
  );
  assert.ok(!subscriber.inbox.some(({ type }) => type === 'GAP'));
});
