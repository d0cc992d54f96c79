// Crowds that connect at once: their heartbeats must not come at once for ever.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '../reference-server/client.ts';
import { FakeClock } from '../reference-server/fake-clock.ts';
import { listening } from '../reference-server/servers.ts';

const timeout = 60_000;

test('HB-08 a thousand connections of one second do not beat in step', { timeout }, async (t) => {
  const clock = new FakeClock();
  const intervalMs = 25_000;
  const server = await listening(t, { clock, heartbeat: { intervalMs, timeoutMs: 60_000 } });
  const count = 1000;
  const clients: Client[] = [];
  for (let n = 0; n < count; n += 20) {
    clients.push(...(await Promise.all(Array.from({ length: 20 }, () => Client.open(`${server.url}/ws`)))));
    clock.advance(20);
  }
  const pings = (): number =>
    Number(/wsbench_messages_sent_total\{type="PING"\} (\d+)/.exec(server.app.metrics.text())?.[1] ?? 0);
  const perTenth: number[] = [];
  // Whoever came first has beaten within the first of these seconds already; all have beaten once at its end.
  let before = pings();
  while (perTenth.length < intervalMs / 100) {
    clock.advance(100);
    perTenth.push(pings() - before);
    before = pings();
  }
  // Leaving takes time as well.
  setInterval(() => clock.advance(100), 5).unref();
  for (const { socket } of clients) socket.terminate();
  const beaten = perTenth.reduce((sum, each) => sum + each, 0);
  const mean = count / perTenth.length;
  const most = Math.max(...perTenth);
  t.diagnostic(`${most} PINGs in the fullest 100 ms of ${perTenth.length}, ${mean} on average`);
  assert.ok(beaten > 0.95 * count, `${beaten} have beaten`);
  assert.ok(most <= 2 * mean, `${most} PINGs in 100 ms, ${mean} on average`);
});
