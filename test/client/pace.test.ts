// The client's bucket beside the server's: whatever the network does within bounds, nothing is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ClientClock } from '../../lib/client/clock.ts';
import { Pace } from '../../lib/client/pace.ts';
import { TokenBucket } from '../../reference-server/limits/bucket.ts';
import { limitsPresets } from '../../reference-server/limits/presets.ts';

const never = (): never => assert.fail('a pace has no timers');

/** Sends as fast as it may, after pauses; how many the server refuses that hears each message so much later. */
function refused(
  limits: { messagesPerMinute: number; burstLimit: number },
  messages: readonly { pauseMs: number; delayMs: number; isHeartbeat: boolean }[],
  skew: number,
): number {
  let nowMs = 1000;
  const clock: ClientClock = { nowMs: () => nowMs * (1 + skew), epochMs: never, schedule: never };
  const pace = new Pace(clock);
  const bucket = new TokenBucket({ ...limits, violationPenaltyMs: 1000 }, 900);
  pace.adopt(limits);
  let arrivedMs = 0;
  let refusals = 0;
  let beats = 0;
  for (const { pauseMs, delayMs, isHeartbeat } of messages) {
    nowMs += pauseMs;
    // A server asks for one a second at most, and no client can wait with the answer.
    const beatsNow = isHeartbeat && nowMs - beats >= 1000;
    if (beatsNow) {
      pace.charge();
      beats = nowMs;
    } else {
      for (let waitMs = pace.take(); waitMs > 0; waitMs = pace.take()) nowMs += waitMs;
    }
    // TCP keeps the order.
    arrivedMs = Math.max(arrivedMs, nowMs + delayMs);
    if (beatsNow) bucket.charge(arrivedMs);
    else if (!bucket.take(arrivedMs).accepted) refusals++;
  }
  return refusals;
}

const message = fc.record({
  pauseMs: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(300), fc.nat(20_000)),
  delayMs: fc.oneof(fc.constant(0), fc.constant(250), fc.nat(250)),
  isHeartbeat: fc.boolean(),
});
const messages = fc.array(message, { maxLength: 300, size: 'max' });
const skew = fc.double({ min: -0.02, max: 0.02, noNaN: true });

for (const name of ['development', 'test', 'production'] as const) {
  test(`limits of ${name}: messages that are up to 250 ms late, and clocks that differ by 2 %`, {
    timeout: 60_000,
  }, () => {
    const limits = limitsPresets[name].messages;
    assert.ok(limits);
    fc.assert(
      fc.property(messages, skew, fc.boolean(), (all, off, isRush) => {
        // Who always has something to say finds out what adds up.
        const said = isRush ? all.map((one) => ({ ...one, pauseMs: 0 })) : all;
        assert.equal(refused(limits, said, off), 0);
      }),
      { numRuns: 500 },
    );
  });
}

test('the burst that is left is worth having, and a limit of one message is a limit', {
  timeout: 10_000,
}, () => {
  const clock: ClientClock = { nowMs: () => 0, epochMs: never, schedule: never };
  const atOnce = (burstLimit: number, messagesPerMinute: number): number => {
    const pace = new Pace(clock);
    pace.adopt({ burstLimit, messagesPerMinute });
    let count = 0;
    while (pace.take() === 0) count++;
    return count;
  };
  assert.deepEqual([atOnce(50, 1000), atOnce(20, 1200), atOnce(10, 100)], [43, 13, 7]);
  assert.deepEqual([atOnce(1, 60), atOnce(2, 60), atOnce(10, 1e6)], [1, 1, 5]);
  const free = new Pace(clock);
  assert.equal(free.take(), 0, 'a server that announces nothing has no limit');
});
