// The books that tests of restarts are judged by: do they notice what must not happen?
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BusMessage } from '../../reference-server/bus/bus.ts';
import type { FleetReport } from '../fixtures/client-fleet.ts';
import { checkLedger, type Ledger } from '../fixtures/publish-ledger.ts';

const publishers = 2;

/** Messages by channel, as data in the order of the log. */
function ledgerOf(channels: Record<string, number[]>): Ledger {
  return new Map(
    Object.entries(channels).map(([channel, log]) => [
      channel,
      log.map((data, index): BusMessage => ({ channel, epoch: 'e', offset: index + 1, data })),
    ]),
  );
}

function reportOf(acknowledged: [n: number, channel: string, offset: number][]): FleetReport {
  return {
    acknowledged: acknowledged.map(([n, channel, offset]) => ({ n, channel, epoch: 'e', offset, tookMs: 1 })),
    ...{ published: acknowledged.length, failed: {}, losses: [], chosenMs: [], attemptedMs: [], gaps: [] },
    ...{ silences: [], gapsTold: 0, heard: {}, deliveries: 0, wrong: [], heldUpMs: 0 },
  };
}

test('the ledger: what was acknowledged is there, once, and in the order of its publisher', async () => {
  const good = reportOf([
    [0, 'c0', 1],
    [2, 'c0', 2],
    [1, 'c1', 1],
  ]);
  const logs = { c0: [0, 2], c1: [1] };
  assert.deepEqual(await checkLedger(ledgerOf(logs), good, publishers), { appended: 3, overtaken: 0 });
  const wrong: [string, Record<string, number[]>, FleetReport][] = [
    ['another one is in its place', { c0: [0, 3], c1: [1] }, good],
    ['twice in a channel', { c0: [0, 2, 2], c1: [1] }, good],
    ['once in each of two channels', { c0: [0, 2], c1: [1, 2] }, good],
    ['heard otherwise', logs, { ...good, heard: { c0: { 'e 1': 0, 'e 2': 1 } } }],
    ['not heard', logs, { ...good, heard: { c0: { 'e 1': 0 } } }],
  ];
  for (const [what, log, report] of wrong)
    await assert.rejects(checkLedger(ledgerOf(log), report, publishers), assert.AssertionError, what);
  // Both are of the first publisher: 0, and 4 in the third round over two channels.
  const swapped = reportOf([
    [4, 'c0', 1],
    [0, 'c0', 2],
  ]);
  const { overtaken } = await checkLedger(ledgerOf({ c0: [4, 0], c1: [] }), swapped, publishers);
  assert.equal(overtaken, 1);
});
