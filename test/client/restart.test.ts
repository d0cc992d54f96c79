// One reference server that is restarted under load: what its clients lose, and whether `wsbench storm` measures what they see.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecoveryRecord, StressResult } from '../../lib/result/result.ts';
import { mintToken } from '../../lib/token.ts';
import { emptyFolder, start } from '../cli/spawn.ts';
import { startFleet } from '../fixtures/fleet.ts';
import { percentile } from '../fixtures/percentile.ts';
import { portOf, type Serving, startServe } from '../fixtures/serve.ts';
import { assertGaps, awayOf, underLoad } from '../fixtures/under-load.ts';
import { skipRedis } from '../reference-server/redis-server.ts';
import { isLong } from '../require.ts';

const timeout = isLong ? 600_000 : 120_000;
const secret = 'known to server and clients, and long enough for HS256';
const env = { JWT_SECRET: secret };
const restarts = isLong ? 20 : 2;

/** SIGTERM, exit 0, and another one on its port. */
async function restart(t: TestContext, server: Serving, flags: readonly string[] = []): Promise<Serving> {
  server.child.kill('SIGTERM');
  const { code, stderr } = await server.finished;
  assert.equal(code, 0, stderr);
  return startServe(t, ['--port', `${portOf(server)}`, ...flags], { env });
}

test(`the only server restarted ${restarts} times under 300 messages a second: 0 lost, 0 twice, gap p99 at most 2 s`, {
  timeout,
  skip: skipRedis,
}, async (t) => {
  // The log outlives the server in Redis. The window is as long as a restart, and whoever comes too early tries again soon.
  const plan = {
    ...{ instances: 1, flags: ['--drain-window', '1500ms'], reconnect: { maxMs: 500 } },
    ...{ publishPerSecond: 300, subscribers: 60, idle: 60 },
  };
  const outcome = await underLoad(t, plan, async (instances) => {
    for (let each = 0; each < restarts; each++) {
      const { code, stderr } = await instances.restart(0, 'SIGTERM');
      assert.equal(code, 0, stderr);
      await sleep(1500);
    }
    return `${restarts} restarts`;
  });
  assert.deepEqual(Object.keys(outcome.codes), ['1001']);
  // A drain waits 2 s for what is under way; what is cut off then may come behind what was sent later.
  if (outcome.slowestEndMs < 2000) assert.equal(outcome.overtaken, 0);
  assertGaps(outcome, 2000);
});

test('without Redis the log goes with the server: everything is answered, nothing comes twice, and what is missed is told', {
  timeout,
}, async (t) => {
  const flags = ['--drain-window', '1500ms'];
  const server = await startServe(t, flags, { env });
  const plan = { publishers: 20, subscribers: 60, channels: 12, publishPerSecond: 300, isVolatile: true };
  const fleet = await startFleet(t, { url: server.url, secret, reconnect: { maxMs: 500 }, ...plan });
  await sleep(1000);
  await restart(t, server, flags);
  await sleep(1500);
  const [report] = await fleet.finish();
  assert.ok(report);
  const { acknowledged, published, failed, wrong, gapsTold, losses } = report;
  t.diagnostic(
    `${acknowledged.length} of ${published} acknowledged, ${report.deliveries} deliveries, ${gapsTold} gaps told, ` +
      `${losses.length} connections lost`,
  );
  assert.deepEqual([wrong, failed], [[], {}]);
  assert.equal(acknowledged.length, published);
  // A new server is another epoch: all are told, each once.
  assert.equal(gapsTold, plan.subscribers);
  // No place in a log was acknowledged to two, in no epoch.
  const places = new Set(acknowledged.map(({ channel, epoch, offset }) => `${channel} ${epoch} ${offset}`));
  assert.equal(places.size, published);
});

/** Runs `storm --wait` and clients of the library on one server that is restarted. */
async function stormBeside(
  t: TestContext,
  clients: number,
  policy: 'jitter' | 'immediate',
): Promise<{ storm: RecoveryRecord; away: number[] }> {
  const flags = ['--drain-window', '5s'];
  const server = await startServe(t, flags, { env });
  const token = await mintToken({ secret }, { sub: 'storm', roles: ['dashboard'] });
  const fleet = await startFleet(t, { url: server.url, secret, idle: clients, isVolatile: true });
  // biome-ignore format: a command line
  const args = [
    'storm', server.url, '--preset', 'wsbench', '--token', token, '-c', `${clients}`, '-r', '50/s', '--warmup', '100ms',
    '--after', '300ms', '--wait', '60s', '--reconnect', policy, '--no-save', '--json',
  ];
  const storm = start(args, { cwd: emptyFolder(t) });
  t.after(() => storm.child.kill('SIGKILL'));
  const open = async (): Promise<number> => {
    const text = await (await fetch(`${server.http}/metrics`)).text();
    return Number(/^wsbench_connections (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  while ((await open()) < 2 * clients) await sleep(100);
  // Its settling and its warm-up are over then; what it waits for comes in its measure phase.
  await sleep(2500);
  await restart(t, server, flags);
  const [{ stdout, stderr }, [report]] = [await storm.finished, await fleet.finish()];
  assert.ok(report, stderr);
  assert.deepEqual(report.wrong, []);
  const { recovery } = JSON.parse(stdout) as StressResult;
  assert.ok(recovery, stderr);
  assert.deepEqual([recovery.lost, recovery.missing], [clients, 0]);
  const away = awayOf(report);
  assert.equal(away.length, clients);
  return { storm: recovery, away };
}

test('storm measures the gap that clients of the library see', { timeout }, async (t) => {
  const clients = isLong ? 1000 : 250;
  const { storm, away } = await stormBeside(t, clients, 'jitter');
  const shares = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;
  const wrong: string[] = [];
  for (const [name, share] of Object.entries(shares)) {
    const seen = percentile(away, share);
    const measured = storm.gap[name as keyof typeof shares] ?? Number.NaN;
    const said = `${name}: storm ${Math.round(measured)} ms, the library ${Math.round(seen)} ms`;
    t.diagnostic(said);
    // Both draw for themselves. However their times are distributed: the share of one sample that lies below a percentile of another
    // differs from it by √(2 p (1 − p) / n); four times that is beyond chance. Whatever differs by less than 10 % is alike besides.
    const chance = 4 * Math.sqrt((2 * share * (1 - share)) / clients);
    const below = (ms: number): number => away.filter((each) => each <= ms).length / clients;
    if (!(below(1.1 * measured) >= share - chance && below(0.9 * measured) <= share + chance))
      wrong.push(said);
  }
  const { given, early, late } = storm.windows;
  t.diagnostic(
    `attempts: storm ${storm.attempts.mean}; windows: ${given} given, ${early} early, ${late} late`,
  );
  assert.ok(given >= clients);
  assert.equal(early, 0);
  assert.deepEqual(wrong, []);
});

test('storm calls clients that ignore the window by their peak', { timeout }, async (t) => {
  const clients = 100;
  const { storm, away } = await stormBeside(t, clients, 'immediate');
  const { connects, windows, attempts } = storm;
  // Evenly over the window; what obeys it beside them shows that it was there to be obeyed.
  const obedient = clients / 4.9;
  t.diagnostic(
    `peak ${connects.peakPerSecond}/s, evenly it would be ${obedient.toFixed(0)}/s; ${windows.early} early of ` +
      `${attempts.total} attempts, ${attempts.mean} each`,
  );
  assert.ok(connects.peakPerSecond > 10 * obedient, `${connects.peakPerSecond}/s`);
  assert.ok(percentile(away, 0.95) > 3000, `${percentile(away, 0.95)} ms`);
});
