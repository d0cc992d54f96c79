// Closes are counted by why the server closed: clients that are gone never say.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from './client.ts';
import { eventually } from './redis-buses.ts';
import { listening } from './servers.ts';

test('a close that the client never sees counts under its own code; one that came from the client under that', {
  timeout: 20_000,
}, async (t) => {
  const server = await listening(t, { heartbeat: { intervalMs: 500, timeoutMs: 100 } });
  const counts = (): string[] =>
    server.app.metrics
      .text()
      .split('\n')
      .filter((line) => line.startsWith('wsbench_closes_total{'))
      .sort();
  const [polite, rude, dead] = await Promise.all([1, 2, 3].map(() => Client.open(`${server.url}/ws`)));
  assert.ok(polite && rude && dead);
  dead.socket.pause();
  polite.socket.close(3000);
  rude.socket.terminate();
  await eventually(() => counts().length === 3, 'three closes');
  dead.socket.terminate();
  assert.deepEqual(counts(), [
    'wsbench_closes_total{code="1006"} 1',
    'wsbench_closes_total{code="4408"} 1',
    'wsbench_closes_total{code="other"} 1',
  ]);
});
