// One epoch for all threads.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { nowUs } from '../../lib/load/clock.ts';

const clockUrl = new URL('../../lib/load/clock.js', import.meta.url).href;
// Answers every message with the time.
const source = `
  const { parentPort } = require('node:worker_threads');
  import(${JSON.stringify(clockUrl)}).then(({ nowUs }) => {
    parentPort.on('message', () => parentPort.postMessage(nowUs()));
    parentPort.postMessage(0);
  });`;

test('threads that started at different times tell the same time', { timeout: 30_000 }, async (t) => {
  for (let thread = 0; thread < 3; thread++) {
    const worker = new Worker(source, { eval: true });
    t.after(() => worker.terminate());
    await once(worker, 'message');
    for (let turn = 0; turn < 50; turn++) {
      const before = nowUs();
      worker.postMessage(0);
      const [there] = (await once(worker, 'message')) as [number];
      const after = nowUs();
      // Both offsets are known to a few µs.
      assert.ok(there >= before - 20 && there <= after + 20, `${before} ${there} ${after}`);
    }
  }
});
