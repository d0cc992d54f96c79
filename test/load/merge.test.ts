// Shares add up: however the events of a run are split, the sum is what one engine would have recorded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Backlog, backlogGrowth } from '../../lib/load/backlog.ts';
import { EndLog } from '../../lib/load/ends.ts';
import { FailureLog } from '../../lib/load/failures.ts';
import type { Load } from '../../lib/load/load.ts';
import { emptyShare, mergeShares } from '../../lib/load/merge.ts';
import { Recorder } from '../../lib/load/recorder.ts';
import type { Rig } from '../../lib/load/rig.ts';
import { SeriesBook } from '../../lib/load/series-book.ts';
import type { SeriesNews, Share } from '../../lib/load/share.ts';
import { takeShare } from '../../lib/load/take-share.ts';
import { Histogram } from '../../lib/metrics/histogram.ts';
import { failureRecords } from '../../lib/result/failure-groups.ts';

const seconds = 4;
const startUs = 1e6;
const endUs = startUs + seconds * 1e6;

/** One thing that happens to one message or connection. */
interface Happening {
  what: 'matched' | 'lost' | 'rejected' | 'unsent' | 'opened' | 'failed' | 'ended' | 'push' | 'warmup';
  atUs: number;
  tookUs: number;
  pick: number;
  worker: number;
}

const happening = fc.record({
  what: fc.constantFrom(
    'matched',
    'matched',
    'matched',
    'lost',
    'rejected',
    'unsent',
    'opened',
    'failed',
    'ended',
    'push',
    'warmup',
  ),
  atUs: fc.integer({ min: 0, max: seconds * 1e6 - 1 }),
  tookUs: fc.integer({ min: 0, max: 5_000_000 }),
  pick: fc.nat(6),
  worker: fc.nat(4),
}) as fc.Arbitrary<Happening>;

/** The parts of an engine that count. */
class Counted {
  readonly recorder = new Recorder(seconds * 1e6);
  readonly rehearsal = new Recorder(seconds * 1e6);
  readonly failures = new FailureLog();
  readonly violations = new FailureLog();
  readonly ends = new EndLog();

  constructor() {
    Object.assign(this.recorder, { startUs, endUs });
  }

  happens({ what, atUs, tookUs, pick }: Happening): void {
    const { recorder } = this;
    const nowUs = startUs + atUs;
    const dueUs = Math.max(startUs, nowUs - tookUs);
    if (what === 'matched' || what === 'lost' || what === 'rejected') {
      recorder.sent(32 + pick, nowUs, pick);
      recorder.totalSent++;
      if (what === 'lost') recorder.lost(dueUs);
      else {
        recorder.received(32, nowUs);
        recorder.totalReceived++;
        if (what === 'matched') recorder.matched(dueUs, Math.min(nowUs, dueUs + pick), nowUs);
        else recorder.rejected(dueUs, `CODE_${pick}`);
        recorder.reply(nowUs);
      }
    } else if (what === 'unsent') recorder.unsent(dueUs, `reason ${pick}`);
    else if (what === 'opened') {
      recorder.counters['connections.attempted']++;
      recorder.counters['connections.opened']++;
      const split = { dnsUs: null, tcpUs: pick, tlsUs: pick > 3 ? tookUs : null, upgradeUs: pick + 1 };
      recorder.opened({ ...split, totalUs: tookUs, subprotocol: '' });
    } else if (what === 'failed') {
      recorder.counters['connections.attempted']++;
      recorder.counters['connections.failed']++;
      this.failures.add('refused', `port ${tookUs} of group ${'abcdefg'[pick]}`, nowUs);
    } else if (what === 'ended') {
      const lane = { openedUs: 1, flushedUs: nowUs - tookUs, receivedUs: 0, pongedUs: 0 };
      this.ends.add(lane, 1000 + pick, pick > 3 ? 'us' : 'peer', nowUs);
      this.violations.add('protocol', `rule ${'abcdefg'[pick]}`, nowUs);
    } else if (what === 'push') {
      recorder.counters['messages.push']++;
      recorder.received(pick, nowUs);
    } else this.rehearsal.counters[pick > 3 ? 'messages.matched' : 'messages.lost']++;
  }

  share(worker: number): Share {
    const { recorder, rehearsal, failures, violations, ends } = this;
    const rig = {
      part: { worker, workers: 5 },
      recorder,
      rehearsal,
      ledger: { outstandingOf: () => worker },
      traffic: { probe: worker === 0 ? 'answered' : 'none', crossed: worker },
      fleet: {
        open: 0,
        connecting: 0,
        closes: [{ code: 1000, by: 'us', clean: true, count: 1 }],
        failures,
        violations,
        ends,
        places: { uptime: () => ({ openUs: 7, askedUs: 9 }) },
      },
      renewal: undefined,
    } as unknown as Rig;
    const load = {
      measured: true,
      health: {},
      backlog: emptyShare().backlog,
      backlogEnd: 3,
    } as unknown as Load;
    return { ...takeShare(rig, load, 5), health: [] };
  }
}

/** Without what is a matter of how many engines there were. */
function events(share: Share): Partial<Share> {
  const { closes, backlogEnd, openUs, askedUs, crossed, outstanding, probe, ...rest } = share;
  return rest;
}

test('any split of the same events has the same sum, in whatever order and grouping', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 300 }), fc.integer({ min: 1, max: 5 }), (all, workers) => {
      // In time, as they would happen; at different instants, so that one is the first of its kind.
      const inTime = [...all]
        .sort((a, b) => a.atUs - b.atUs)
        .map((one, at) => ({ ...one, atUs: one.atUs + at / 1e3 }));
      const whole = new Counted();
      const parts = Array.from({ length: workers }, () => new Counted());
      for (const one of inTime) {
        whole.happens(one);
        parts[one.worker % workers]?.happens(one);
      }
      const shares = parts.map((part, worker) => part.share(worker));
      const wanted = events(mergeShares([whole.share(0)]));
      const sum = mergeShares(shares);
      assert.deepEqual(events(sum), wanted);
      assert.equal(sum.backlogEnd, 3 * workers);
      assert.equal(sum.closes[0]?.count, workers);
      assert.equal(sum.probe, 'answered');
      assert.deepEqual(mergeShares([...shares].reverse()), sum);
      const [first = emptyShare(), ...others] = shares;
      assert.deepEqual(mergeShares([first, mergeShares(others)]), sum);
      assert.deepEqual(mergeShares([mergeShares(others), emptyShare(), first]), sum);
      // Through the mail of threads it is the same.
      assert.deepEqual(mergeShares(shares.map((share) => structuredClone(share))), sum);
    }),
    { numRuns: 60 },
  );
});

test('series: any split, told in any pieces, is what one engine would have told at once', () => {
  fc.assert(
    fc.property(
      fc.array(happening, { maxLength: 200 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 50 }),
      (all, workers, every) => {
        const inTime = [...all].sort((a, b) => a.atUs - b.atUs);
        const whole = new Counted();
        const parts = Array.from({ length: workers }, () => new Counted());
        const one = new SeriesBook(seconds * 1e6, 1);
        const book = new SeriesBook(seconds * 1e6, workers);
        for (const [at, event] of inTime.entries()) {
          whole.happens(event);
          parts[event.worker % workers]?.happens(event);
          const teller = at % workers;
          if (at % every === 0) book.add(teller, parts[teller]?.recorder.series.news() as SeriesNews);
        }
        one.add(0, whole.recorder.series.news());
        for (const [worker, part] of parts.entries()) {
          part.recorder.series.advance(endUs);
          book.add(worker, part.recorder.series.news());
        }
        const [wanted, got] = [one.finish(seconds * 1e6), book.finish(seconds * 1e6)];
        assert.deepEqual(got.due, wanted.due);
        assert.deepEqual(got.wall, wanted.wall);
      },
    ),
    { numRuns: 60 },
  );
});

test('a second is summed up when the last engine is done with it, or is lost', () => {
  const book = new SeriesBook(3e6, 2);
  const rtt = new Histogram();
  rtt.record(1000);
  const due = { row: 0, matched: 1, rejected: 0, lost: 0, unsent: 0, rtt: rtt.data() };
  const wall = (row: number, open: number) => ({ row, sent: 1, received: 1, open });
  book.add(0, { due: [due], wall: [wall(0, 3), wall(1, 3)], decided: 2 });
  book.add(1, { due: [due, { ...due, lost: 1 }], wall: [wall(0, 2)], decided: 0 });
  book.drop(1);
  // What is told by an engine that is slower than the rows is still in the sums.
  book.add(0, { due: [due], wall: [wall(2, 3)], decided: 2 });
  const series = book.finish(3e6);
  assert.deepEqual(
    series.due.map(({ second, matched, lost }) => [second, matched, lost]),
    [
      [0, 3, 1],
      [1, 0, 0],
      [2, 1, 0],
    ],
  );
  assert.deepEqual(
    series.wall.map(({ open, sent }) => [open, sent]),
    [
      [5, 2],
      [3, 1],
      [3, 1],
    ],
  );
});

test('backlogs add up to no more than they grew', () => {
  const sampled = (at: (share: number) => number, offsetUs: number): Backlog => {
    const backlog = new Backlog(0, 1e6);
    for (let us = offsetUs; us <= 1e6; us += 1000) backlog.sample(us, at(us / 1e6));
    return backlog;
  };
  const growing = [0, 300, 700].map((offset) => ({
    ...emptyShare(),
    backlog: sampled((share) => 1000 * share, offset).data(),
  }));
  const grown = backlogGrowth(mergeShares(growing).backlog, 1000);
  assert.ok(grown > 1000 && grown <= 3 * 510, `${grown}`);
  // One falls behind by what the other catches up: together they do not.
  const even = [(share: number) => 1000 * share, (share: number) => 1000 * (1 - share)].map((at) => ({
    ...emptyShare(),
    backlog: sampled(at, 0).data(),
  }));
  assert.equal(backlogGrowth(mergeShares(even).backlog, 1000), 0);
});

test('causes of several logs are bounded where they are shown', () => {
  const shares = Array.from({ length: 5 }, (_, worker) => {
    const log = new FailureLog();
    for (let i = 0; i < 40; i++) log.add('handshake', `odd ${'abcde'[worker]}${'x'.repeat(i)}`, i);
    return { ...emptyShare(), failures: log.data() };
  });
  const records = failureRecords(mergeShares(shares).failures);
  assert.ok(records.length <= 21, `${records.length}`);
  assert.equal(
    records.reduce((sum, { count }) => sum + count, 0),
    200,
  );
});
