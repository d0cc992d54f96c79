// Whether the server's memory grows with what passes through it. A harness that could not find a leak would say nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { hook } from '../fixtures/hook.ts';
import type { Holdings, InspectRequest } from '../fixtures/hook-inspect.ts';
import { type ServeProcess, startServe } from '../fixtures/serve-process.ts';
import { isLong } from '../require.ts';
import { type ChurnRun, startChurn } from './churn.ts';
import { settled, slopePerMinute } from './theil-sen.ts';

const secret = 'a secret of the soak test, 32 bytes and more';
const messagesPerSecond = 2000;
const measureMs = isLong ? 80_000 : 8000;
const everyMs = isLong ? 2000 : 500;
const warmUpMs = isLong ? 20_000 : 3000;
/**
 * V8 compiles and discards code for minutes, which lies in the heap: with it the same server grows by 130 KiB in a minute, of which
 * heap snapshots show nothing but code. So here it interprets; what the server keeps is the same.
 */
const noCompiling = ['--no-opt', '--no-sparkplug'];
const timeout = isLong ? 300_000 : 90_000;
const kib = 1024;
/** What the heap may grow by in a minute. */
const boundBytes = 64 * kib;
/** In some seconds code is still being compiled and tables find their size. */
const shortBoundBytes = 2048 * kib;
/** What a leak of 64 B a message is in a minute. */
const leakBytes = 64 * messagesPerSecond * 60;

interface Slopes {
  heap: number;
  perSecond: number;
  before: Holdings;
  after: Holdings;
  files: [before: number, after: number];
  server: ServeProcess;
}

async function inspect({ child }: ServeProcess, countObjects = false): Promise<Holdings> {
  const answer = once(child, 'message');
  const request: InspectRequest = { countObjects };
  child.send(request);
  return ((await answer) as [Holdings])[0];
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function soak(t: TestContext, hooks: readonly string[] = []): Promise<Slopes> {
  const server = await startServe(t, {
    node: ['--expose-gc', ...noCompiling, ...hook('inspect'), ...hooks],
    env: { JWT_SECRET: secret },
    ipc: true,
  });
  const load = { url: server.url, secret, connections: 40, messagesPerSecond, replacedPerSecond: 10 };
  const before = await inspect(server, true);
  const filesBefore = server.files();
  const churn = await startChurn(load);
  await sleep(warmUpMs);
  const points: Holdings[] = [];
  const startMs = performance.now();
  const sentBefore = churn.sent;
  while (performance.now() - startMs < measureMs) {
    await sleep(everyMs);
    points.push(await inspect(server));
  }
  const perSecond = ((churn.sent - sentBefore) * 1000) / (performance.now() - startMs);
  await churn.stop();
  const after = await emptied(server);
  const slopeOf = (key: 'heapBytes' | 'rssBytes'): number =>
    slopePerMinute(settled(points.map((point) => ({ atMs: point.atMs, value: point[key] }))));
  // Told, not judged: V8 takes and gives back whole pages as it likes.
  const [heap, rss] = [slopeOf('heapBytes'), slopeOf('rssBytes')];
  t.diagnostic(
    `heap in KiB: ${points
      .filter((_, n) => n % 5 === 0)
      .map(({ heapBytes }) => Math.round(heapBytes / kib))
      .join(' ')}`,
  );
  t.diagnostic(
    `${Math.round(perSecond)} messages/s, ${points.length} points: heap ${Math.round(heap / kib)} KiB/min, RSS ${Math.round(rss / kib)} KiB/min; ${churn.lost.length} of ${churn.opened} lost (${[...new Set(churn.lost)]})`,
  );
  assertFewLost(churn);
  return { heap, perSecond, before, after, files: [filesBefore, server.files()], server };
}

/** Where the machine holds the clients up for a second, they miss a beat (1 s + 1 s), and are closed for it. Nothing else may end one. */
function assertFewLost({ lost, opened }: ChurnRun): void {
  assert.ok(
    lost.length <= opened / 10 && lost.every((code) => code === 4408 || code === 1006),
    `lost ${lost.length} of ${opened}: ${[...new Set(lost)]}`,
  );
}

/** What it holds once it has noticed that all are gone. */
async function emptied(server: ServeProcess): Promise<Holdings> {
  for (let waits = 0; waits < 100; waits++) {
    const { TCPSocketWrap: sockets = 0 } = (await inspect(server)).resources;
    if (sockets === 0) break;
    await sleep(100);
  }
  return inspect(server, true);
}

describe('memory over time', { concurrency: true }, () => {
  test(`the heap does not grow in ${measureMs / 1000} s of messages and churn, and everything is given back`, {
    timeout,
  }, async (t) => {
    const { heap, perSecond, before, after, files } = await soak(t);
    assert.ok(perSecond > 0.8 * messagesPerSecond, `${perSecond} messages/s only`);
    assert.ok(heap <= (isLong ? boundBytes : shortBoundBytes), `${Math.round(heap / kib)} KiB/min`);
    const { objects } = after;
    t.diagnostic(`left: ${JSON.stringify(objects)}, ${JSON.stringify(after.resources)}`);
    if (objects) assert.deepEqual(objects, before.objects);
    assert.deepEqual(after.resources, before.resources);
    assert.equal(files[1], files[0]);
  });

  test('a leak of 64 B a message is found', { timeout }, async (t) => {
    const { heap, perSecond } = await soak(t, hook('leak'));
    const expected = (leakBytes * perSecond) / messagesPerSecond;
    assert.ok(
      heap > 0.75 * expected,
      `${Math.round(heap / kib)} KiB/min, ${Math.round(expected / kib)} are leaked`,
    );
    assert.ok(heap > (isLong ? boundBytes : shortBoundBytes));
  });
});
