// The generator's judgement of itself: as a table, when it is really held up, and when it is not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HealthSample, judgeHealth, sendLagTail, type Tail } from '../../lib/load/health.ts';
import { type Cause, type GeneratorMeans, healthAdvice } from '../../lib/load/health-advice.ts';
import { QuotaWatch } from '../../lib/load/quota-watch.ts';
import type { MachineFiles } from '../../lib/machine/files.ts';
import { Histogram } from '../../lib/metrics/histogram.ts';
import { exitCode } from '../../lib/result/exit-code.ts';
import { startLoadServer } from '../fixtures/server-process.ts';
import { stress, stressPlan } from '../fixtures/stress-plan.ts';

const p99 = (ms: number): Tail => ({ ms, name: 'p99' });

const quiet: HealthSample = {
  model: 'open',
  loopDelay: { mean: 0.1, p50: 0.1, p99: 1, max: 4 },
  cpu: 0.2,
  gc: { count: 3, totalMs: 4, maxMs: 2 },
  loopDelayTail: p99(1),
  sendLagTail: p99(1.5),
  rttP99: 3,
  waitedLong: 0,
};
const means: GeneratorMeans = { workers: 1, cores: 2, mostWorkers: 100, spin: false, throttled: null };
const slowLoop = { loopDelay: { mean: 9, p50: 8, p99: 20, max: 90 }, loopDelayTail: p99(20) };

// biome-ignore format: a table
const cases: [string, Partial<HealthSample>, { limited: boolean; lowerBound?: boolean; advice?: RegExp }][] = [
  ['quiet', {}, { limited: false }],
  ['send lag at the limit', { sendLagTail: p99(5) }, { limited: false }],
  ['send lag above 5 ms', { sendLagTail: p99(5.1) }, { limited: true, advice: /something else/ }],
  ['send lag below 10 % of a slow round trip', { sendLagTail: p99(20), rttP99: 250 }, { limited: false }],
  ['send lag above 10 % of a slow round trip', { sendLagTail: p99(30), rttP99: 250 }, { limited: true }],
  ['nothing came back, little lag', { rttP99: null }, { limited: false }],
  ['nothing came back, much lag', { rttP99: null, sendLagTail: p99(6) }, { limited: true }],
  ['nothing was sent', { rttP99: null, sendLagTail: null }, { limited: false }],
  ['1 % waited long', { waitedLong: 0.01 }, { limited: false }],
  ['more than 1 % waited long', { waitedLong: 0.011, rttP99: 5000 }, { limited: true }],
  ['a slow loop that sends in time', slowLoop, { limited: false }],
  ['a full core that sends in time', { cpu: 1 }, { limited: false, lowerBound: false }],
  ['a full core that lags', { cpu: 1, sendLagTail: p99(50) }, { limited: true, lowerBound: false, advice: /core is full: share the load among workers \(-w 2\), or ask for a lower rate/ }],
  ['collecting garbage', { sendLagTail: p99(50), gc: { count: 9, totalMs: 900, maxMs: 300 } }, { limited: true, advice: /garbage/ }],
  ['closed: quiet', { model: 'closed', sendLagTail: null }, { limited: false, lowerBound: false }],
  ['closed: a full core alone', { model: 'closed', sendLagTail: null, cpu: 1 }, { limited: false, lowerBound: true }],
  ['closed: a slow loop', { model: 'closed', sendLagTail: null, ...slowLoop, cpu: 1 }, { limited: true, advice: /smaller depth/ }],
  ['closed: a slow loop, a slower target', { model: 'closed', sendLagTail: null, ...slowLoop, rttP99: 400 }, { limited: false }],
];

for (const [name, changes, wanted] of cases) {
  test(name, () => {
    const record = judgeHealth({ ...quiet, ...changes }, means);
    assert.equal(record.limited, wanted.limited);
    assert.equal(record.reasons.length > 0, wanted.limited);
    assert.equal(record.advice.length > 0, wanted.limited);
    if (wanted.lowerBound !== undefined) assert.equal(record.throughputIsLowerBound, wanted.lowerBound);
    if (wanted.advice) assert.match(record.advice.join('\n'), wanted.advice);
  });
}

// biome-ignore format: a table
const tails: [string, number, number, Tail['name'] | null, number][] = [
  // messages in time (1 ms), late ones (8 ms): what is judged
  ['two messages', 0, 2, null, 0],
  ['two late of 100: an accident', 98, 2, 'third-largest', 1],
  ['three late of 100', 97, 3, 'third-largest', 8],
  ['two late of 199', 197, 2, 'third-largest', 1],
  ['two late of 200', 198, 2, 'p99', 1],
  ['three late of 200', 197, 3, 'p99', 8],
  ['ten late of 1000', 990, 10, 'p99', 1],
  ['eleven late of 1000', 989, 11, 'p99', 8],
];
for (const [name, inTime, late, kind, ms] of tails) {
  test(`send lag: ${name}`, () => {
    const lag = new Histogram();
    for (let i = 0; i < inTime; i++) lag.record(1000);
    for (let i = 0; i < late; i++) lag.record(8000);
    const tail = sendLagTail(lag);
    assert.equal(tail?.name ?? null, kind);
    assert.equal(Math.round(tail?.ms ?? 0), ms);
  });
}

const open: Cause = { model: 'open', isFull: false, longestGcMs: 4 };
const full: Cause = { ...open, isFull: true };
const throttled = { ms: 1234.56, periods: 34 };

// biome-ignore format: a table
const advices: [name: string, cause: Cause, means: Partial<GeneratorMeans>, advice: RegExp[]][] = [
  ['a full core, and another one', full, {}, [/^one core is full: share the load among workers \(-w 2\), or ask for a lower rate/]],
  ['a full core, and a quota for no other one', full, { cores: 1.5 }, [/^one core is full: ask for a lower rate/]],
  ['a full core of two of four', full, { workers: 2, cores: 4 }, [/^a core of one of its 2 workers is full: share .*-w 4/]],
  ['a full core, and one connection', full, { mostWorkers: 1 }, [/^one core is full: ask for a lower rate/]],
  ['all cores full', full, { workers: 4, cores: 4 }, [/^a core of one of its 4 workers is full: ask for a lower rate/]],
  ['closed model, a full core', { ...full, model: 'closed' }, { cores: 1 }, [/^one core is full: use fewer connections or a smaller depth$/]],
  ['no full core', open, {}, [/^no core of it was full, so something else held up .*wsbench doctor/]],
  ['a quota that stopped it', open, { cores: 0.5, throttled }, [/^a CPU quota of 0\.5 cores stopped it 34 times, 1234\.6 ms in all: raise it/]],
  ['a quota that did not', open, { cores: 1.5, throttled: { ms: 0, periods: 0 } }, [/something else/]],
  ['garbage', { ...open, longestGcMs: 300 }, {}, [/^garbage collection paused it for up to 300 ms: give Node more memory \(NODE_OPTIONS/]],
  ['pauses that do not show', { ...open, longestGcMs: 50 }, {}, [/something else/]],
  ['a full core that collects garbage', { ...full, longestGcMs: 80 }, { cores: 1 }, [/garbage/, /core is full/]],
  ['spinning on as many workers as cores', full, { spin: true, workers: 2 }, [/^--spin takes a whole core for each of 2 workers, and there are 2 .*leave it out, or use fewer workers$/]],
  ['spinning on the only core', full, { spin: true, cores: 1 }, [/^--spin takes .*: leave it out$/]],
  ['spinning with cores to spare', full, { spin: true, cores: 4 }, [/something else/]],
];
for (const [name, cause, changes, wanted] of advices) {
  test(`advice: ${name}`, () => {
    const lines = healthAdvice(cause, { ...means, ...changes });
    assert.equal(lines.length, wanted.length, lines.join('\n'));
    for (const [index, pattern] of wanted.entries()) assert.match(lines[index] ?? '', pattern);
  });
}

test('the quota: what it took between start and stop, and nothing where there is none', () => {
  let periods = 3;
  const files: MachineFiles = {
    list: () => undefined,
    read: (path) =>
      ({
        '/proc/self/cgroup': '0::/\n',
        '/proc/self/mountinfo': '41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
        '/sys/fs/cgroup/cpu.max': '50000 100000\n',
        '/sys/fs/cgroup/cpu.stat': `nr_throttled ${periods}\nthrottled_usec ${periods * 25_500}\n`,
      })[path],
  };
  const watch = new QuotaWatch(files);
  assert.equal(watch.cores, 0.5);
  watch.stop();
  assert.equal(watch.taken, null, 'it was not started');
  watch.start();
  periods = 7;
  watch.stop();
  periods = 99;
  watch.stop();
  assert.deepEqual(watch.taken, { periods: 4, ms: 102 });
  const none = new QuotaWatch({ list: () => undefined, read: () => undefined });
  none.start();
  none.stop();
  assert.equal(none.taken, null);
});

function burn(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

for (const model of ['open', 'closed'] as const) {
  test(`${model} model: a generator that is held up says so`, { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const hog = setInterval(() => burn(60), 80);
    t.after(() => clearInterval(hog));
    // The rule of the closed model is about delay against round trip: 10 % of one that contains the delay.
    const result = await stress(stressPlan(server.url, { model, durationMs: 2000 }));
    clearInterval(hog);
    assert.equal(result.generator.limited, true);
    assert.ok(result.generator.loopDelay.p99 > 30, `${result.generator.loopDelay.p99} ms`);
    assert.ok(result.generator.cpu > 0.05);
    assert.equal(result.outcome, 'inconclusive');
    assert.equal(exitCode(result), 4);
    assert.ok(result.reasons.some((reason) => reason.code === 'generator-limited'));
  });
}
