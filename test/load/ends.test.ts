// What the ends of connections have in common.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeEnds, EndLog, type LaneTimes } from '../../lib/load/ends.ts';

const second = 1e6;
const lane = (openedUs: number, lastUs: number): LaneTimes => ({
  openedUs,
  flushedUs: lastUs - 1000,
  receivedUs: lastUs,
  pongedUs: 0,
});

test('after the same silence: an idle timeout', () => {
  const log = new EndLog();
  for (let n = 0; n < 4; n++) log.add(lane(n, (10 + n) * second), 1006, 'none', (70 + n) * second);
  assert.match(
    describeEnds(log.data(), 3),
    /^TCP dropped.*\(1006\), 4 times \(each about 1 m after its last message: an idle/,
  );
});

test('at the same age, at different times: a limit on the age', () => {
  const log = new EndLog();
  for (let n = 0; n < 4; n++) {
    const endUs = (30 + 5 * n) * second;
    log.add(lane(5 * n * second + 1, endUs - 1000), 1001, 'peer', endUs);
  }
  assert.match(
    describeEnds(log.data(), 3),
    /^close code 1001 \(going away\), 4 times \(each about 30 s after it opened/,
  );
});

test('all at once in the midst of traffic: nothing but what the code says', () => {
  const log = new EndLog();
  for (let n = 0; n < 4; n++) log.add(lane(1, 30 * second - 1000 * n), 1001, 'peer', 30 * second);
  log.add(lane(1, 30 * second), 1002, 'us', 30 * second);
  assert.equal(
    describeEnds(log.data(), 3),
    'close code 1001 (going away), 4 times (it is shutting down or restarting); ' +
      'close code 1002 (protocol error) by us, after a protocol violation, 1 time',
  );
});

test('different silences mean nothing', () => {
  const log = new EndLog();
  for (const idle of [2, 9, 30]) log.add(lane(1, 40 * second), 1006, 'none', (40 + idle) * second);
  assert.doesNotMatch(describeEnds(log.data(), 3), /idle timeout/);
});
