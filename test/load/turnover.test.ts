// What decides when connections come, go and are replaced: pure, or told the time, so tested without sockets.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Agenda } from '../../lib/load/agenda.ts';
import { courseOf, type Step, stepsAhead, stepsOf } from '../../lib/load/course.ts';
import type { Lane } from '../../lib/load/lane.ts';
import { numberOf } from '../../lib/load/part.ts';
import { isSlow, SlowReading, slowAmong, slowBytesPerSecond } from '../../lib/load/slow-consumers.ts';
import { thinkTimeOf } from '../../lib/load/think-time.ts';
import { type Places, Turnover, type TurnoverPlan } from '../../lib/load/turnover.ts';
import { shapeNames, shapeStages } from '../../lib/scenario/shapes.ts';

const countAt = (steps: readonly Step[], atUs: number): number =>
  steps.findLast((step) => step.atUs <= atUs)?.count ?? steps[0]?.count ?? 0;

test('steps ahead: at every time the most that is asked for until so much later', () => {
  const stages = fc.array(
    fc.record({ durationMs: fc.integer({ min: 0, max: 9 }), to: fc.integer({ min: 0, max: 9 }) }),
    { minLength: 1, maxLength: 8 },
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 9 }),
      stages,
      fc.integer({ min: 1, max: 12 }),
      (start, legs, aheadMs) => {
        const steps = stepsOf(courseOf(start, legs));
        const ahead = stepsAhead(steps, aheadMs * 1000);
        for (let atUs = -aheadMs * 1000; atUs < 30_000; atUs += 171) {
          const seen = steps.filter((step) => step.atUs > atUs && step.atUs <= atUs + aheadMs * 1000);
          const most = Math.max(countAt(steps, atUs), ...seen.map(({ count }) => count));
          assert.equal(countAt(ahead, atUs), most, `at ${atUs}`);
        }
        for (const [index, { count }] of ahead.entries()) assert.notEqual(count, ahead[index - 1]?.count);
      },
    ),
  );
});

/** What a turnover tells its places to do, in order. */
function record(plan: Partial<TurnoverPlan>, untilUs: number, everyUs = 10_000): string[] {
  const said: string[] = [];
  const steps = plan.steps ?? [{ atUs: 0, count: 3 }];
  const part = plan.part ?? { worker: 0, workers: 1 };
  const say = (what: string) => (place: number) => {
    said.push(`${what} ${numberOf(part, place)}`);
  };
  const places: Places = {
    serving: [],
    ask: (count) => said.push(`ask ${count}`),
    fill: say('fill'),
    prepare: say('prepare'),
    replace: say('replace'),
    vacate: say('vacate'),
    retire: () => {},
  };
  const turnover = new Turnover(
    { churnPerSecond: 0, messagesPerConnection: 0, ratePerConnection: () => 10, ...plan, part, steps },
    places,
  );
  turnover.begin(0, 500_000, untilUs);
  for (let atUs = 0; atUs <= untilUs; atUs += everyUs) turnover.tick(atUs);
  return said;
}

describe('turnover', () => {
  test('churn goes round the connections that are asked for, the one that waited longest first', () => {
    const steps = [
      { atUs: 0, count: 3 },
      { atUs: 300_000, count: 4 },
      { atUs: 800_000, count: 2 },
    ];
    const said = record({ steps, churnPerSecond: 10 }, 1_500_000).filter((what) =>
      what.startsWith('replace'),
    );
    assert.deepEqual(
      said.map((what) => Number(what.split(' ')[1])),
      // 3 comes at 0.8 s and is the youngest then; from 1.3 s on there are only 0 and 1.
      [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 3, 1, 0, 1],
    );
  });

  test('workers replace what one would, each its own', () => {
    const plan = { steps: [{ atUs: 0, count: 5 }], churnPerSecond: 20 };
    const whole = record(plan, 2e6);
    for (const workers of [2, 3]) {
      const parts = Array.from({ length: workers }, (_, worker) =>
        record({ ...plan, part: { worker, workers } }, 2e6),
      );
      assert.deepEqual(parts.flat().sort(), [...whole].sort());
    }
  });

  test('connections begin a second early and leave when they are not asked for', () => {
    const steps = [
      { atUs: 0, count: 1 },
      { atUs: 1_200_000, count: 2 },
      { atUs: 1_500_000, count: 1 },
    ];
    const order = record({ steps }, 2_500_000);
    assert.deepEqual(order, ['fill 1', 'ask 2', 'ask 1', 'vacate 1']);
    // Needed again soon: it stays.
    const again = [...steps, { atUs: 1_900_000, count: 2 }];
    assert.deepEqual(record({ steps: again }, 2_600_000), ['fill 1', 'ask 2', 'ask 1', 'ask 2']);
  });

  test('a connection is followed a second before it is worn out, or half of its life', () => {
    for (const [most, rate, renewAt] of [
      [100, 10, 10],
      [100, 90, 50],
      [7, 2.5, 3],
      [1, 100, 1],
      [50, null, 25],
    ] as const) {
      const asked: number[] = [];
      const places = { serving: [], prepare: (place: number) => asked.push(place) } as unknown as Places;
      const part = { worker: 0, workers: 1 };
      const steps = [{ atUs: 0, count: 1 }];
      const plan = {
        part,
        steps,
        churnPerSecond: 0,
        messagesPerConnection: most,
        ratePerConnection: () => rate,
      };
      const turnover = new Turnover(plan, places);
      turnover.begin(0, 0, 1e6);
      const lane = { place: 0, left: Number.POSITIVE_INFINITY, renewAt: -1 } as Lane;
      turnover.serves(lane, 0);
      assert.equal(lane.left, most);
      assert.equal(lane.renewAt, renewAt, `${most} messages at ${rate}/s`);
      assert.equal(asked.length, most <= renewAt ? 1 : 0);
    }
  });
});

test('agenda: what is due comes in the order of its time, and nothing comes early', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constant(null)), { maxLength: 200 }),
      (steps) => {
        const agenda = new Agenda<number>();
        let waiting: number[] = [];
        for (const [index, step] of steps.entries()) {
          if (step !== null) {
            agenda.add(step, step);
            waiting.push(step);
            continue;
          }
          const atUs = index % 101;
          const least = Math.min(...waiting);
          assert.equal(agenda.nextUs, least);
          const taken = agenda.take(atUs);
          assert.equal(taken, least <= atUs ? least : undefined);
          if (taken !== undefined) waiting = waiting.toSpliced(waiting.indexOf(taken), 1);
        }
        assert.deepEqual(
          waiting.map(() => agenda.take(1000)),
          waiting.sort((a, b) => a - b),
        );
        assert.equal(agenda.take(1000), undefined);
      },
    ),
  );
});

test('think time: none, one, or evenly from a span, by seed, connection and message', () => {
  assert.equal(thinkTimeOf([0, 0], 1), undefined);
  assert.equal(thinkTimeOf([20, 20], 1)?.(3, 4), 20_000);
  const [think, same, other] = [thinkTimeOf([10, 30], 7), thinkTimeOf([10, 30], 7), thinkTimeOf([10, 30], 8)];
  const draws: number[] = [];
  let differing = 0;
  for (let number = 0; number < 50; number++) {
    for (let count = 0; count < 50; count++) {
      const us = think?.(number, count) ?? 0;
      assert.ok(us >= 10_000 && us < 30_000);
      assert.equal(same?.(number, count), us);
      if (other?.(number, count) !== us) differing++;
      draws.push(us);
    }
  }
  assert.ok(differing > 2400);
  const tenths = new Array<number>(10).fill(0);
  for (const us of draws) {
    const tenth = Math.floor((us - 10_000) / 2000);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  for (const [tenth, n] of tenths.entries()) assert.ok(Math.abs(n - 250) < 90, `tenth ${tenth}: ${n}`);
});

test('slow consumers: as many as the share says, spread, never the first, the same for any number of workers', () => {
  // biome-ignore format: a table
  for (const [connections, share, slow] of [[20, 0.05, 1], [100, 0.29, 29], [100, 0.07, 7], [30, 0.1, 3], [7, 0.5, 3], [10, 0.05, 0]] as const) {
    const numbers = Array.from({ length: connections }, (_, number) => number).filter((n) => isSlow(n, share));
    assert.equal(numbers.length, slow, `${share} of ${connections}`);
    assert.equal(slowAmong(connections, share), slow);
    assert.ok(!numbers.includes(0));
  }
});

test('slow reading: a pause as long as what was read is worth', () => {
  const said: string[] = [];
  const lane = { pause: () => said.push('pause'), resume: () => said.push('resume') } as unknown as Lane;
  const slow = new SlowReading();
  slow.read(lane, slowBytesPerSecond / 2, 0);
  slow.read(lane, slowBytesPerSecond / 2, 100);
  slow.tick(999_999);
  assert.deepEqual(said, ['pause']);
  slow.tick(1_000_000);
  slow.tick(2_000_000);
  assert.deepEqual(said, ['pause', 'resume']);
  slow.read(lane, 10, 3e6);
  slow.forget(lane);
  slow.tick(9e6);
  assert.deepEqual(said, ['pause', 'resume', 'pause']);
});

test('shapes: as long as asked for, and what the page on measurement says', () => {
  for (const shape of shapeNames) {
    for (const model of ['open', 'closed'] as const) {
      const of = { model, connections: 100, rate: 1000, duration: 60_000 };
      const stages = shapeStages(shape, of);
      const total = stages.reduce((sum, { duration }) => sum + duration, 0);
      assert.ok(shape === 'constant' ? total === 0 : Math.abs(total - 60_000) < 1e-6, shape);
      const values = stages.map(({ rate, connections }) => (model === 'open' ? rate : connections) ?? 0);
      const asked = model === 'open' ? 1000 : 100;
      const most = { constant: -Infinity, ramp: 1, soak: 1, spike: 5, step: 1, break: 10 }[shape] * asked;
      assert.equal(Math.max(...values), most, shape);
      assert.ok(
        stages.every(({ rate, connections }) => (rate === undefined) !== (connections === undefined)),
      );
    }
  }
});
