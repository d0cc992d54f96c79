// Thousands of clients that lose their server at once: how often they try, and how many in the same moment.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fullJitterMs } from '../../lib/client/back-off.ts';
import { startBalancer } from '../fixtures/balancer.ts';
import type { FleetReport } from '../fixtures/client-fleet.ts';
import { startFleet } from '../fixtures/fleet.ts';
import { percentile } from '../fixtures/percentile.ts';
import { portOf, startServe } from '../fixtures/serve.ts';
import { awayOf } from '../fixtures/under-load.ts';
import { isLong } from '../require.ts';

const timeout = 180_000;
const secret = 'known to servers and clients, and long enough for HS256';
const env = { JWT_SECRET: secret };
/** In processes of 500, so that none of them is what the others wait for. */
const processes = isLong ? 4 : 1;
const clients = processes * (isLong ? 500 : 300);
const binMs = 100;

/** The most that came in one of the bins from `firstMs` on. */
function peakOf(timesMs: readonly number[], firstMs: number): number {
  const bins = new Map<number, number>();
  for (const ms of timesMs) {
    const bin = Math.floor((ms - firstMs) / binMs);
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  return Math.max(...bins.values());
}

interface Herd {
  /** Of attempts: as the clients chose them, and as they were made. */
  chosenPeak: number;
  peak: number;
  attempts: number;
  codes: Set<number>;
  away: number[];
  heldUpMs: number;
}

function herdOf(t: TestContext, reports: readonly FleetReport[]): Herd {
  assert.deepEqual(
    reports.flatMap(({ wrong }) => wrong),
    [],
  );
  const losses = reports.flatMap((report) => report.losses);
  assert.equal(losses.length, clients);
  const firstMs = Math.min(...losses.map(({ lostMs }) => lostMs));
  const lastMs = Math.max(...losses.map(({ lostMs }) => lostMs));
  const herd = {
    chosenPeak: peakOf(
      reports.flatMap(({ chosenMs }) => chosenMs),
      firstMs,
    ),
    peak: peakOf(
      reports.flatMap(({ attemptedMs }) => attemptedMs),
      firstMs,
    ),
    attempts: losses.reduce((sum, each) => sum + each.attempts, 0) / clients,
    codes: new Set(losses.map(({ code }) => code)),
    away: reports.flatMap(awayOf),
    heldUpMs: Math.max(...reports.map((report) => report.heldUpMs)),
  };
  t.diagnostic(
    `${clients} clients lost over ${lastMs - firstMs} ms, ${herd.attempts.toFixed(3)} attempts each, peak in ${binMs} ms ` +
      `${herd.peak} (chosen ${herd.chosenPeak}), away p50/p99/max ` +
      `${[0.5, 0.99, 1].map((share) => percentile(herd.away, share)).join('/')} ms, held up for ${Math.round(herd.heldUpMs)} ms`,
  );
  return herd;
}

/** While a process of clients stood still, what was due waited, and began at once thereafter. */
const heldUp = ({ heldUpMs }: Herd): number => 1 + heldUpMs / binMs;

test(`${clients} clients of a draining server with a window of 5 s: at most 1.1 attempts each, peak at most twice the mean`, {
  timeout,
}, async (t) => {
  const [leaving, next] = [
    await startServe(t, ['--drain-window', '5s'], { env }),
    await startServe(t, [], { env }),
  ];
  const balancer = await startBalancer(t, [portOf(leaving)]);
  const fleet = await startFleet(
    t,
    { url: balancer.url, secret, idle: clients / processes, isVolatile: true },
    processes,
  );
  balancer.instances = [portOf(leaving), portOf(next)];
  leaving.child.kill('SIGTERM');
  const { code, stderr } = await leaving.finished;
  assert.equal(code, 0, stderr);
  await sleep(5000);
  const herd = herdOf(t, await fleet.finish());
  // From the begin of the window to its end.
  const mean = clients / (4900 / binMs);
  t.diagnostic(`mean ${mean.toFixed(1)} in ${binMs} ms: peak ${(herd.peak / mean).toFixed(2)} times that`);
  assert.deepEqual(herd.codes, new Set([1001]));
  assert.ok(herd.attempts <= 1.1, `${herd.attempts} attempts each`);
  // Of few clients in 49 bins the fullest has more than twice the mean by chance alone.
  const most = Math.max(2 * mean, mean + 5 * Math.sqrt(mean));
  assert.ok(herd.chosenPeak <= most, `${herd.chosenPeak} chosen, at most ${most}`);
  assert.ok(herd.peak <= most * heldUp(herd), `${herd.peak} made, at most ${most}`);
});

/** What full jitter makes of as many clients whose server is away for so long: the mean of 1,000 peaks, and the attempts of a client. */
function expected(awayMs: number): { peak: number; attempts: number } {
  const tries = 1000;
  let [peaks, attempts] = [0, 0];
  for (let each = 0; each < tries; each++) {
    const times: number[] = [];
    for (let client = 0; client < clients; client++) {
      let atMs = 0;
      for (let step = 0; step === 0 || atMs < awayMs; step++) {
        atMs += fullJitterMs(step, { minMs: 500, maxMs: 30_000 }, Math.random());
        times.push(atMs);
      }
    }
    peaks += peakOf(times, 0);
    attempts += times.length / clients;
  }
  return { peak: peaks / tries, attempts: attempts / tries };
}

test(`${clients} clients of a killed server: no peak beyond 1.5 times what full jitter makes`, {
  timeout,
}, async (t) => {
  const server = await startServe(t, [], { env });
  const fleet = await startFleet(
    t,
    { url: server.url, secret, idle: clients / processes, isVolatile: true },
    processes,
  );
  server.child.kill('SIGKILL');
  const killedMs = performance.now();
  await server.finished;
  await startServe(t, ['--port', `${portOf(server)}`], { env });
  const awayMs = performance.now() - killedMs;
  const herd = herdOf(t, await fleet.finish());
  const expectation = expected(awayMs);
  t.diagnostic(
    `server away for ${Math.round(awayMs)} ms; expected from 1,000 simulations: peak ${expectation.peak.toFixed(1)}, ` +
      `${expectation.attempts.toFixed(3)} attempts each; peak ${(herd.peak / expectation.peak).toFixed(2)} times that`,
  );
  assert.deepEqual(herd.codes, new Set([1006]));
  assert.ok(herd.chosenPeak <= 1.5 * expectation.peak, `${herd.chosenPeak} chosen`);
  assert.ok(herd.peak <= 1.5 * expectation.peak * heldUp(herd), `${herd.peak} made`);
  assert.ok(herd.attempts <= 1.2 * expectation.attempts, `${herd.attempts} attempts each`);
});
