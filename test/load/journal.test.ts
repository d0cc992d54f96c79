// What a killed run leaves: whatever bytes there are, they make a result whose books balance, and a book is restored as it was.
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { Journal } from '../../lib/load/journal/journal.ts';
import { recoverRun } from '../../lib/load/journal/recover.ts';
import { planFacts } from '../../lib/load/plan-facts.ts';
import { SeriesBook } from '../../lib/load/series-book.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { Histogram } from '../../lib/metrics/histogram.ts';
import { hostRecord } from '../../lib/result/host.ts';
import { parseResult } from '../../lib/result/parse.ts';
import { keepSecret } from '../../lib/result/redact.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { fileReport, json } from '../../reports/index.ts';
import { echoDriver } from '../fixtures/driver-echo.ts';
import { type PlanChanges, runEvents, stressPlan } from '../fixtures/stress-plan.ts';

const secret = 'correct-horse-battery';

/** Runs a load to its end, and keeps all that its journal was. */
async function journalOf(
  changes: PlanChanges,
): Promise<{ result: StressResult; journal: Buffer; ids: string[] }> {
  const chunks: Buffer[] = [];
  const ids: string[] = [];
  const open = (id: string): Writable => {
    ids.push(id);
    return new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk);
        done();
      },
    });
  };
  const plan = stressPlan('ws://echo/', { durationMs: 3500, connections: 6, ratePerSecond: 200, ...changes });
  const result = await runEvents(plan, { driver: echoDriver, openJournal: open });
  return { result, journal: Buffer.concat(chunks), ids };
}

const words = ({ reasons }: StressResult): string[] =>
  reasons.map(({ code, message }) => `${code}: ${message}`);

for (const workers of [1, 2]) {
  test(`cut off anywhere, ${workers} workers: what it had counted, in books that balance`, {
    timeout: 60_000,
  }, async () => {
    const { result, journal, ids } = await journalOf({ workers, tokens: [secret] });
    assert.deepEqual(ids, [result.run.id]);
    assert.equal(journal.indexOf(secret), -1, 'no secret in the file');
    const headBytes = 4 + journal.readUInt32LE();
    assert.throws(() => recoverRun(journal.subarray(0, headBytes - 1), 'cut'), /cut: not a journal/);
    const cuts = Array.from({ length: 60 }, (_, n) =>
      Math.round(headBytes + ((journal.length - headBytes) * n) / 59),
    );
    let before = 0;
    let pages = 0;
    for (const bytes of cuts) {
      const left = recoverRun(journal.subarray(0, bytes), 'cut');
      assert.deepEqual(parseResult(json([left], fileReport), 'json').kind, 'stress');
      assert.deepEqual(brokenIdentities(left.counters, left.openAtEnd), []);
      const outcome = left.generator.limited ? 'inconclusive' : 'interrupted';
      assert.equal(left.outcome, outcome, words(left).join('\n'));
      assert.ok(left.reasons.some(({ code }) => code === 'killed'));
      assert.ok(left.reasons.every(({ code }) => code !== 'bug'));
      assert.deepEqual(
        [left.run.id, left.run.complete, left.plan, left.target, left.run.seed],
        [result.run.id, false, result.plan, result.target, result.run.seed],
      );
      const { 'messages.matched': matched } = left.counters;
      assert.ok(matched >= before, 'more bytes tell no less');
      if (matched > before) pages++;
      before = matched;
      assert.equal(left.metrics.rtt.count, matched);
      const bySecond = left.series.due.reduce((sum, row) => sum + row.matched, 0);
      assert.equal(bySecond, matched);
      const { throughput } = left.derived;
      // As long as it was measured, not as long as it was meant to be.
      if (matched > 100) assert.ok(throughput !== null && Math.abs(throughput - 200) < 60, `${throughput}/s`);
    }
    assert.ok(pages >= 2, `${pages} pages with messages`);
    assert.ok(before > 200, `${before} of ${result.counters['messages.matched']} messages`);
  });
}

test('a journal that cannot be written costs the journal, and a warning says so', {
  timeout: 60_000,
}, async () => {
  const plan = stressPlan('ws://echo/', { durationMs: 1500, connections: 2 });
  const openJournal = (): Writable =>
    new Writable({ write: (_chunk, _encoding, done) => done(new Error('no space left on device')) });
  const { outcome, warnings } = await runEvents(plan, { driver: echoDriver, openJournal });
  assert.equal(outcome === 'inconclusive' ? 'passed' : outcome, 'passed');
  const said = warnings.filter(({ code }) => code === 'journal').map(({ message }) => message);
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /no space left on device/);
});

test('a file that is something else', { timeout: 10_000 }, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      assert.throws(() => recoverRun(bytes, 'x.journal'), { message: /^x\.journal: not a journal/ });
    }),
  );
});

test('pages come each second at first, then for each fiftieth of the run, and a slow disk gets none', {
  timeout: 20_000,
}, () => {
  let isSlow = false;
  let written = 0;
  const sink = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      written += chunk.length;
      if (!isSlow) done();
    },
  });
  const plan = planFacts(stressPlan('ws://echo/'));
  const means = { workers: 1, cores: 1, mostWorkers: 1, spin: false, throttled: null };
  const head = {
    format: 'wsbench journal 1',
    startedAt: new Date(),
    plan,
    host: hostRecord(),
    means,
  } as const;
  const journal = new Journal(sink, head, assert.ifError);
  const phases = { connectMs: 0, settleMs: 0, warmupMs: 0, measureMs: 0, drainMs: 0 };
  const series = new SeriesBook(1e6, 1).page();
  const due: number[] = [];
  for (let second = 1; second <= 86_400; second++) {
    if (!journal.isDue(second * 1000)) continue;
    due.push(second);
    journal.add({ elapsedMs: second * 1000, phases, reasons: [], warnings: [], shares: [], series });
  }
  assert.deepEqual(
    due.slice(0, 50),
    Array.from({ length: 50 }, (_, n) => n + 1),
  );
  const gaps = due.map((at, index) => at - (due[index - 1] ?? 0));
  for (const [index, gap] of gaps.entries()) {
    assert.ok(gap <= Math.min(30, 1 + 0.02 * (due[index] ?? 0)), `${gap} s before ${due[index]} s`);
  }
  assert.ok(due.length < 3300, `${due.length} pages a day`);
  // Large pages come less often instead: 16 MiB, then 4 bytes a millisecond, and the page that fills it up.
  const before = written;
  const warnings = [{ code: 'large', message: 'x'.repeat(1_000_000) }];
  const large = new Journal(sink, head, assert.ifError);
  for (let second = 1; second <= 7200; second++) {
    if (large.isDue(second * 1000))
      large.add({ elapsedMs: second * 1000, phases, reasons: [], warnings, shares: [], series });
    assert.ok(written - before <= 16 * 1024 ** 2 + 4000 * second + 1_100_000, `${written - before} bytes`);
  }
  assert.ok(written - before > 16 * 1024 ** 2, 'they do come');
  isSlow = true;
  journal.add({ elapsedMs: 86_400_000, phases, reasons: [], warnings: [], shares: [], series });
  const soFar = written;
  assert.equal(journal.isDue(1e9), false);
  assert.equal(written, soFar);
});

/** What happens to a book: news of an engine, its loss, or a page that is taken. */
const event = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      engine: fc.nat(2),
      rows: fc.array(fc.nat(3), { maxLength: 3 }),
      decides: fc.nat(2),
      seconds: fc.nat(2),
      open: fc.nat(5),
    }),
  },
  { weight: 1, arbitrary: fc.record({ lost: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.constant('page' as const) },
);

test('the pages of a book make the same book', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const seconds = 12;
      const [book, copy] = [new SeriesBook(seconds * 1e6, 3), new SeriesBook(seconds * 1e6, 3)];
      const tellers = [0, 1, 2].map(() => ({ decided: 0, wall: 0, isLost: false }));
      for (const one of [...events, 'page' as const]) {
        if (one === 'page') {
          copy.restore(structuredClone(book.page()));
          continue;
        }
        const teller = tellers['lost' in one ? one.lost : one.engine];
        if (!teller || teller.isLost) continue;
        if ('lost' in one) {
          teller.isLost = true;
          book.drop(one.lost);
          continue;
        }
        const due = one.rows.map((ahead) => {
          const rtt = new Histogram();
          rtt.record(1000 * (ahead + 1));
          const row = Math.min(seconds - 1, teller.decided + ahead);
          return { row, matched: 1, rejected: ahead, lost: 0, unsent: 0, rtt: rtt.data() };
        });
        teller.decided = Math.min(seconds, teller.decided + one.decides);
        const wall = Array.from({ length: one.seconds }, () => ({
          ...{ row: teller.wall++, sent: 1, received: 2, open: one.open },
        }));
        book.add(one.engine, { due, wall, decided: teller.decided });
      }
      assert.deepEqual(copy.finish(seconds * 1e6), book.finish(seconds * 1e6));
    }),
    { numRuns: 400 },
  );
});

keepSecret(secret);
