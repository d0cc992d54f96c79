// How many workers `-w auto` means.
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { autoWorkers, isOnThisMachine, type WorkerNeed } from '../lib/auto-workers.ts';

const small: WorkerNeed = { model: 'open', ratePerSecond: 100, connections: 10 };

// biome-ignore format: a table
const cases: [string, Partial<WorkerNeed>, number, boolean, number][] = [
  // what is asked, cores, on this machine: workers
  ['a small load needs one', {}, 8, false, 1],
  ['one for every 50,000 messages a second', { ratePerSecond: 120_000 }, 8, false, 3],
  ['one for every 5,000 connections', { connections: 18_000 }, 8, false, 4],
  ['no more than cores', { ratePerSecond: 1e6 }, 4, false, 4],
  ['a target on this machine has a core of its own', { ratePerSecond: 1e6 }, 4, true, 3],
  ['but one worker there is', { ratePerSecond: 1e6 }, 1, true, 1],
  ['no more than connections', { ratePerSecond: 1e6, connections: 2 }, 8, false, 2],
  ['the closed model takes what there is', { model: 'closed' }, 8, false, 8],
  ['and leaves a core to a target on this machine', { model: 'closed' }, 8, true, 7],
  ['at most one a connection', { model: 'closed', connections: 3 }, 8, false, 3],
];
for (const [name, need, cores, isLocal, wanted] of cases) {
  test(name, () => assert.equal(autoWorkers({ ...small, ...need }, cores, isLocal), wanted));
}

test('what is on this machine', () => {
  const own = Object.values(networkInterfaces())
    .flat()
    .map((each) => each?.address);
  const address = own.find((each) => each?.includes('.')) ?? '127.0.0.1';
  for (const url of [
    'ws://localhost:1/',
    'ws://127.0.0.9/ws',
    'ws://[::1]:80',
    'wss://a.localhost/',
    `ws://${address}:8080/`,
  ]) {
    assert.equal(isOnThisMachine(url), true, url);
  }
  for (const url of ['wss://ws.example/', 'ws://192.0.2.1/', 'ws://127.example/', 'no url']) {
    assert.equal(isOnThisMachine(url), false, url);
  }
});
