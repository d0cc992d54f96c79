// The honesty test: a server that is busy for the first second of each five, in every model and with every driver.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { StressResult } from '../../lib/index.ts';
import type { DriverName } from '../../lib/load/plan.ts';
import { emptyFolder, run } from '../cli/spawn.ts';
import { ended } from '../fixtures/ended.ts';
import { type ServerProcess, startLoadServer, startWitness } from '../fixtures/server-process.ts';
import { slowerThan } from '../fixtures/slower-than.ts';
import { isLong } from '../require.ts';

type Names = 'p90' | 'p99' | 'max';
const percentiles = ['p90', 'p99', 'max'] as const;

/** A run of the command in a process of its own; its result, and what a person reads. */
async function measured(
  t: TestContext,
  server: ServerProcess,
  args: readonly string[],
): Promise<{ result: StressResult; text: string }> {
  const cwd = emptyFolder(t);
  const load = ['stress', server.url, '--preset', 'echo', '-c', '10', '-o', 'result.json', '--json', '-q'];
  const result = ended(await run([...load, ...args], { cwd }), 0);
  const { stdout: text } = await run(['report', 'result.json'], { cwd });
  return { result, text };
}

/** How far figures may exceed the arithmetic: by 5 % on a machine that has time, or by what else it does. */
interface Slack {
  most: number;
}

/** Never less than was to be: that would flatter the target. */
function assertNear(got: number | null, wanted: number, what: string, { most }: Slack): void {
  const ok = got !== null && got >= 0.95 * wanted && got <= most * wanted;
  assert.ok(ok, `${what} ${got} ms, wanted ${wanted} ms, at most ${most} times`);
}

/** Runs something beside an idle process that watches the machine. */
async function watched<T>(t: TestContext, work: () => Promise<T>): Promise<{ done: T; slack: Slack }> {
  const witness = await startWitness(t);
  await witness();
  const done = await work();
  const { worst } = await witness();
  t.diagnostic(`the timers of an idle process were late by ${worst.toFixed(1)} ms at most`);
  return { done, slack: { most: worst < 15 ? 1.05 : 2 } };
}

/** A fifth of the messages waits for between 0 and 1 s, evenly: arithmetic, not a measurement. */
function assertArithmetic(
  { counters, metrics, warnings }: StressResult,
  messages: number,
  slack: Slack,
): void {
  for (const name of ['scheduled', 'sent', 'matched'] as const) {
    assert.equal(counters[`messages.${name}`], messages, name);
  }
  const wanted: Record<Names, number> = { p90: 500, p99: 950, max: 1000 };
  for (const name of percentiles) assertNear(metrics.rtt[name], wanted[name], `rtt.${name}`, slack);
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
  const all = carriers.map(([driver, workers]) => {
    const args = ['-r', `${rate}/s`, '-d', '20s', '--driver', driver, '-w', workers];
    return {
      name: `${driver} driver, -w ${workers}`,
      run: () => watched(t, () => measured(t, server, args)),
    };
  });
  const together = isLong ? undefined : await Promise.all(all.map(({ run }) => run()));
  for (const [at, { name, run }] of all.entries()) {
    await t.test(name, { timeout: 60_000 }, async (t) => {
      const { done, slack } = together?.[at] ?? (await run());
      const { result, text } = done;
      assertArithmetic(result, 20 * rate, slack);
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
  const { done, slack } = await watched(t, () => measured(t, server, ['--closed', '-d', '6s']));
  const { result, text } = done;
  const { rtt } = result.metrics;
  assertNear(rtt.max, 1000, 'max', slack);
  // One stall in six seconds holds ten messages: one on each connection. All that a user would have sent is missing.
  assert.ok((rtt.p99 ?? Number.NaN) < 50, `p99 ${rtt.p99} ms`);
  const waited = slowerThan(rtt, 500);
  assert.ok(waited >= 10 && waited <= 40, `${waited} waited`);
  t.diagnostic(`${waited} of ${rtt.count} messages waited, p99 ${rtt.p99} ms, max ${rtt.max} ms`);
  assert.match(text.replace(/\s+/g, ' '), /Closed model: .*stall/);
});

test('a stall of 2 s at 1,000/s is 2,000 messages that waited, not one', { timeout: 60_000 }, async (t) => {
  const server = await startLoadServer(t, {
    mode: 'stall',
    busyMs: 2000,
    periodMs: 60_000,
    firstStallMs: 2500,
  });
  const args = ['-r', '1000/s', '-d', '6s', '--warmup', '0s'];
  const { done, slack } = await watched(t, () => measured(t, server, args));
  const { rtt } = done.result.metrics;
  assertNear(rtt.max, 2000, 'max', slack);
  for (const ms of [100, 1000]) assertNear(slowerThan(rtt, ms), 2000 - ms, `longer than ${ms}`, slack);
});
