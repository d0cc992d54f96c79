// The honesty test: a server that is busy for the first second of each five, in every model and with every driver.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StressResult } from '../../lib/index.ts';
import type { DriverName } from '../../lib/load/plan.ts';
import { emptyFolder, run } from '../cli/spawn.ts';
import { ended } from '../fixtures/ended.ts';
import { type ServerProcess, startLoadServer } from '../fixtures/server-process.ts';
import { slowerThan } from '../fixtures/slower-than.ts';
import { isLong } from '../require.ts';

type Names = 'p90' | 'p99' | 'max';
const percentiles = ['p90', 'p99', 'max'] as const;

/** A run of the command in a process of its own; its result, and what a person reads. */
async function measured(
  t: Parameters<typeof emptyFolder>[0],
  server: ServerProcess,
  args: readonly string[],
): Promise<{ result: StressResult; text: string }> {
  const cwd = emptyFolder(t);
  const load = ['stress', server.url, '--preset', 'echo', '-c', '10', '-o', 'result.json', '--json', '-q'];
  const result = ended(await run([...load, ...args], { cwd }), 0);
  const { stdout: text } = await run(['report', 'result.json'], { cwd });
  return { result, text };
}

function assertNear(got: number | null, wanted: number, what: string): void {
  assert.ok(
    got !== null && Math.abs(got - wanted) <= 0.05 * wanted,
    `${what} ${got} ms, wanted ${wanted} ms ± 5 %`,
  );
}

/** A fifth of the messages waits for between 0 and 1 s, evenly: arithmetic, not a measurement. */
function assertArithmetic({ counters, metrics, warnings }: StressResult, messages: number): void {
  for (const name of ['scheduled', 'sent', 'matched'] as const) {
    assert.equal(counters[`messages.${name}`], messages, name);
  }
  const wanted: Record<Names, number> = { p90: 500, p99: 950, max: 1000 };
  for (const name of percentiles) assertNear(metrics.rtt[name], wanted[name], `rtt.${name}`);
  assert.ok(!warnings.some(({ code }) => code === 'backlog'));
}

/** The server stalls, not the generator: messages leave when they are due, so both kinds of time are the same. */
function assertServiceIsRtt({ metrics }: StressResult): void {
  const { rtt, service, send_lag: lag } = metrics;
  assert.equal(service.count, rtt.count);
  for (const name of percentiles) {
    const apart = (rtt[name] ?? Number.NaN) - (service[name] ?? Number.NaN);
    // Three digits of 1000 ms are 1 ms.
    const most = (lag.max ?? Number.NaN) + 1;
    assert.ok(apart >= -1 && apart <= most, `${name}: ${apart} ms apart, send lag at most ${most} ms`);
  }
}

const carriers: [DriverName, workers: string][] = [
  ['native', '1'],
  ['native', '2'],
  ['ws', '1'],
  ['ws', '2'],
];

test('a stall of 1 s every 5 s shows in every percentile that it reaches', {
  timeout: 200_000,
}, async (t) => {
  const server = await startLoadServer(t, { mode: 'stall' });
  // The long tests give each run all of the server; the others share it, so that they take the time of one.
  const rate = isLong ? 1000 : 250;
  const runs = new Map<string, () => ReturnType<typeof measured>>();
  for (const [driver, workers] of carriers) {
    const args = ['-r', `${rate}/s`, '-d', '20s', '--driver', driver, '-w', workers];
    const running = isLong ? undefined : measured(t, server, args);
    running?.catch(() => {});
    runs.set(`${driver} driver, -w ${workers}`, () => running ?? measured(t, server, args));
  }
  for (const [name, finished] of runs) {
    await t.test(name, { timeout: 60_000 }, async (t) => {
      const { result, text } = await finished();
      assertArithmetic(result, 20 * rate);
      assertServiceIsRtt(result);
      assert.match(text.replace(/\s+/g, ' '), /Open model: round trips count from when a message was due/);
      const { p90, p99, max } = result.metrics.rtt;
      t.diagnostic(`p90 ${p90} p99 ${p99} max ${max} ms, send lag p99 ${result.metrics.send_lag.p99} ms`);
    });
  }
});

test('the closed model on the same server shows what others would have reported, and says why', {
  timeout: 60_000,
}, async (t) => {
  const server = await startLoadServer(t, { mode: 'stall' });
  const { result, text } = await measured(t, server, ['--closed', '-d', '6s']);
  const { rtt } = result.metrics;
  assertNear(rtt.max, 1000, 'max');
  // One stall in six seconds holds ten messages: one on each connection. All that a user would have sent is missing.
  assert.ok((rtt.p99 ?? Number.NaN) < 50, `p99 ${rtt.p99} ms`);
  const waited = slowerThan(rtt, 500);
  assert.ok(waited >= 10 && waited <= 20, `${waited} waited`);
  t.diagnostic(`${waited} of ${rtt.count} messages waited, p99 ${rtt.p99} ms, max ${rtt.max} ms`);
  assert.match(text.replace(/\s+/g, ' '), /Closed model: .*stall/);
});

test('a stall of 2 s at 1,000/s is 2,000 messages that waited, not one', { timeout: 60_000 }, async (t) => {
  const server = await startLoadServer(t, {
    mode: 'stall',
    busyMs: 2000,
    periodMs: 60_000,
    firstStallMs: 3500,
  });
  const { result } = await measured(t, server, ['-r', '1000/s', '-d', '6s', '--warmup', '0s']);
  const { rtt } = result.metrics;
  assertNear(rtt.max, 2000, 'max');
  for (const ms of [100, 1000]) {
    const [waited, wanted] = [slowerThan(rtt, ms), 2000 - ms];
    assert.ok(Math.abs(waited - wanted) <= 0.1 * wanted, `${waited} waited ${ms} ms, wanted ${wanted}`);
  }
});
