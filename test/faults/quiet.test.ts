// Runs on a quiet machine are conclusive, one after the other: a generator that condemns itself for nothing is no use.
import assert from 'node:assert/strict';
import { cpus } from 'node:os';
import { test } from 'node:test';
import { startScriptedServer, startWitness } from '../fixtures/server-process.ts';
import { stress, stressPlan } from '../fixtures/stress-plan.ts';
import { isLong } from '../require.ts';

const wanted = isLong ? 50 : 20;
// Together with what a run takes beside its schedule about 1.4 s each.
const durationMs = isLong ? 4000 : 1000;
const mostMs = isLong ? 400_000 : 45_000;

test(`${wanted} quiet runs in a row are not inconclusive`, { timeout: mostMs + 30_000 }, async (t) => {
  // Not so fast that a closed run takes the machine for itself.
  const server = await startScriptedServer(t, { every: 1, at: {}, sleepMs: 10 });
  // Whether it is quiet is not for the generator to say: an idle process beside it looks at its own timers.
  // One on each core: the host may hold up one and leave the other alone.
  const witnesses = await Promise.all(cpus().map(() => startWitness(t)));
  const witness = async (): Promise<{ worst: number; long: number }> => {
    const all = await Promise.all(witnesses.map((ask) => ask()));
    return {
      worst: Math.max(...all.map(({ worst }) => worst)),
      long: all.reduce((sum, { long }) => sum + long, 0),
    };
  };
  const startedMs = performance.now();
  let quiet = 0;
  let noisy = 0;
  for (let run = 0; quiet < wanted && performance.now() - startedMs < mostMs; run++) {
    await witness();
    const workers = 1 + (run % 2);
    const model = run % 4 < 2 ? 'open' : 'closed';
    const changes = { model, workers, durationMs, ratePerSecond: 250, settleMs: 20, warmupMs: 50 } as const;
    const { generator, metrics, outcome, reasons } = await stress(stressPlan(server.url, changes));
    const { worst, long } = await witness();
    if (long > 0 || worst > 5) {
      noisy++;
      continue;
    }
    quiet++;
    const what = `run ${run}, ${model} model, ${workers} workers, send lag p99 ${metrics.send_lag.p99} ms, worst of the witness ${worst} ms`;
    assert.deepEqual(generator.reasons, [], what);
    assert.equal(outcome, 'passed', `${what}: ${JSON.stringify(reasons)}`);
  }
  t.diagnostic(`${quiet} quiet runs, ${noisy} on a machine that was busy with something else`);
  if (quiet < wanted) t.skip(`this machine was quiet in ${quiet} of ${quiet + noisy} runs only`);
});
