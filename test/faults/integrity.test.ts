// Every echo is verified: what a server does to one message in 10,000 is in the result, no more and no less.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { StressResult } from '../../lib/index.ts';
import type { DriverName } from '../../lib/load/plan.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { emptyFolder, run } from '../cli/spawn.ts';
import { echoLoad } from '../fixtures/echo-load.ts';
import { ended } from '../fixtures/ended.ts';
import { startScriptedServer, startWitness } from '../fixtures/server-process.ts';
import { stress, stressPlan } from '../fixtures/stress-plan.ts';
import { isLong } from '../require.ts';

const every = 10_000;
const at = { delay: 500, corrupt: 2500, reorder: 4500, duplicate: 6500, drop: 9500 };
const timeoutMs = 3000;
const seconds = 5;
const times = (20_000 * seconds) / every;
// A run listens until its last message is given up, which is one that was dropped. The last delayed echo comes well before
// that on a machine that is busy, too: there is none in the last half second.
const delayUntil = (times - 1) * every;
const delayed = times - 1;

// biome-ignore format: a table
const carried: [driver: DriverName, workers: number, long: boolean][] = [
  ['native', 1, false],
  ['native', 2, false],
  ['ws', 1, true],
  ['ws', 2, true],
];

const wanted = {
  'messages.scheduled': 20_000 * seconds,
  'messages.sent': 20_000 * seconds,
  'messages.unsent': 0,
  'messages.matched': 20_000 * seconds - times - delayed,
  'messages.lost': times + delayed,
  'messages.late': delayed,
  'messages.duplicate': times,
  'messages.reordered': times,
  'messages.corrupt': times,
  'messages.unexpected': 0,
  // One more for each that came twice, one less for each that was dropped.
  'messages.received': 20_000 * seconds,
  protocol_errors: 0,
};
type Name = keyof typeof wanted;

async function counted(t: TestContext, driver: DriverName, workers: number): Promise<StressResult> {
  const server = await startScriptedServer(t, { every, at, delayMs: timeoutMs + 50, delayUntil });
  const load = ['-c', '200', '-r', '20k/s', '-d', `${seconds}s`, '-t', `${timeoutMs}ms`];
  const how = [...echoLoad, '--driver', driver, '-w', String(workers), '--json'];
  const finished = await run(['stress', server.url, ...load, ...how], { cwd: emptyFolder(t) });
  // Corrupt echoes cross a default threshold.
  const result = ended(finished, 99);
  const { corrupt, reorder, duplicate, drop, delay } = await server.tally();
  assert.deepEqual([corrupt, reorder, duplicate, drop, delay], [times, times, times, times, delayed]);
  await server.kill();
  return result;
}

for (const [driver, workers, long] of carried) {
  test(`one in 10,000, ${driver} driver, ${workers} ${workers === 1 ? 'worker' : 'workers'}: exactly these counts`, {
    timeout: 90_000,
    skip: long && !isLong && 'npm run test:long runs it',
  }, async (t) => {
    const witness = await startWitness(t);
    for (let attempt = 1; ; attempt++) {
      await witness();
      const { counters, metrics, warnings } = await counted(t, driver, workers);
      const { worst } = await witness();
      const got = Object.fromEntries(Object.keys(wanted).map((name) => [name, counters[name as Name]]));
      // A machine that holds the server up for longer than the time-out makes losses of its own.
      const isHeldUp = worst > 15 && (got['messages.late'] ?? 0) > delayed;
      if (isHeldUp && attempt < 4) continue;
      assert.deepEqual(got, wanted);
      assert.equal(metrics.rtt.censored, times + delayed);
      const said = warnings.map(({ code }) => code);
      for (const code of ['duplicate', 'reordered'])
        assert.ok(said.includes(code), `${code} in ${said.join(' ')}`);
      return;
    }
  });
}

describe('one altered bit', { concurrency: 3 }, () => {
  for (const [driver, sizeBytes, binary] of [
    ['native', 33, false],
    ['native', 201, true],
    ['ws', 33, false],
  ] as const) {
    test(`wherever it is in ${sizeBytes} bytes, no echo passes for a good one, ${driver} driver`, {
      timeout: 30_000,
    }, async (t) => {
      // Every second echo, and sizes that are odd: each place has its turn.
      const server = await startScriptedServer(t, { every: 2, at: { corrupt: 1 }, byte: 'any' });
      const changes = { driver, sizeBytes, binary, connections: 2, ratePerSecond: 400, durationMs: 1000 };
      const plan = stressPlan(server.url, { ...changes, warmupMs: 0, timeoutMs: 500, targetKnown: true });
      const { counters, openAtEnd } = await stress(plan);
      assert.deepEqual(brokenIdentities(counters, openAtEnd), []);
      const { corrupt: altered } = await server.tally();
      assert.ok(altered >= 200);
      // An altered number is a message that answers nothing.
      const seen = counters['messages.corrupt'] + counters['messages.lost'];
      // The probe is the first message, and counts nowhere.
      assert.equal(seen, altered - 1);
      assert.equal(counters['messages.unexpected'], counters['messages.lost']);
    });
  }
});
