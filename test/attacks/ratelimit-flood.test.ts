// A flood far beyond the limit costs the server little, and the flooder gets less than it sends.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mintToken } from '../../lib/token.ts';
import { Client } from '../reference-server/client.ts';
import { isLong } from '../require.ts';
import { type Serving, serving } from './serving.ts';

const secret = 'long enough for HS256: it has more than 32 bytes';
const message = JSON.stringify({ type: 'PING', id: 'flood', payload: {} });

interface Flood {
  sent: number;
  answers: number;
  closes: number[];
  refused: number;
  cpuShare: number;
}

/** 20,000 messages a second for so long, on one connection at a time: whenever it is closed, on another. */
async function flood(server: Serving, forMs: number, most = 20_000): Promise<Flood> {
  const token = await mintToken({ secret }, { sub: 'mallory' });
  const result: Flood = { sent: 0, answers: 0, closes: [], refused: 0, cpuShare: 0 };
  const startedMs = performance.now();
  const startedCpuMs = server.cpuMs();
  const untilMs = startedMs + forMs;
  while (performance.now() < untilMs) {
    const client = await Client.open(server.url, token).catch(() => undefined);
    if (!client) {
      result.refused += 1;
      await sleep(100);
      continue;
    }
    let isOpen = true;
    void client.closed.then(({ code }) => {
      isOpen = false;
      result.closes.push(code);
    });
    while (isOpen && performance.now() < untilMs) {
      for (let n = 0; n < most / 100 && isOpen; n++) {
        client.send(message);
        result.sent += 1;
      }
      await sleep(10);
    }
    result.answers += client.inbox.filter(({ type }) => type !== 'WELCOME' && type !== 'PING').length;
    client.socket.terminate();
  }
  result.cpuShare = (server.cpuMs() - startedCpuMs) / (performance.now() - startedMs);
  return result;
}

async function honest(t: TestContext, server: Serving): Promise<() => Promise<void>> {
  const client = await Client.open(server.url, await mintToken({ secret }, { sub: 'alice' }));
  const delays: number[] = [];
  let running = true;
  const loop = (async () => {
    while (running) {
      const startedMs = performance.now();
      assert.equal((await client.request('ECHO', 'x')).type, 'ECHO');
      delays.push(performance.now() - startedMs);
      await sleep(650);
    }
  })();
  return async () => {
    running = false;
    await loop;
    t.diagnostic(
      `an honest client: ${delays.length} echoes, the slowest took ${Math.round(Math.max(...delays))} ms`,
    );
  };
}

test('RL-11 a flood is cut off, and costs neither processor nor answers', { timeout: 60_000 }, async (t) => {
  const server = await serving(t, ['--limits', 'production'], { JWT_SECRET: secret });
  // What a new process compiles at first is not the flood's.
  await (await Client.open(server.url, await mintToken({ secret }, { sub: 'first' }))).close();
  const stop = await honest(t, server);
  const seen = await flood(server, isLong ? 10_000 : 4000);
  await stop();
  t.diagnostic(
    `${seen.sent} sent, ${seen.answers} answers, closed ${seen.closes.length} times, ${seen.refused} upgrades refused, ${(seen.cpuShare * 100).toFixed(1)} % of a core`,
  );
  assert.ok(seen.closes.length > 0 && seen.closes.every((code) => code === 4429), seen.closes.join());
  assert.ok(seen.refused > 0, 'it could come back as often as it liked');
  // Whoever is back before the server has seen it go has two connections for a moment, and a budget for each: twenty at most.
  const most = 20 * (10 + 1) + seen.closes.length;
  assert.ok(seen.answers <= Math.min(most, seen.sent / 10), JSON.stringify(seen));
  assert.ok(seen.cpuShare <= 0.1, `${seen.cpuShare} of a core`);
});

test('RL-11 without limits: every message is answered', { timeout: 60_000 }, async (t) => {
  const server = await serving(t, ['--limits', 'off'], { JWT_SECRET: secret });
  const seen = await flood(server, 500, 2000);
  t.diagnostic(`${seen.sent} sent, ${seen.answers} answers, ${(seen.cpuShare * 100).toFixed(1)} % of a core`);
  assert.ok(seen.answers > seen.sent / 2 && seen.closes.length === 0);
});
