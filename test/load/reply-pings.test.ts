// Pings behind messages: one a write, few outstanding, and none forgotten.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lane } from '../../lib/load/lane.ts';
import { ReplyPings } from '../../lib/load/reply-pings.ts';

/** A connection that writes down what it is asked for. */
function notes(): { lane: Lane; sent: number[]; flushes: () => number } {
  const sent: number[] = [];
  let flushes = 0;
  const lane = {
    index: 3,
    isDirty: false,
    queuePing: (seq: number) => sent.push(seq),
    flush: () => flushes++,
  };
  return { lane: lane as unknown as Lane, sent, flushes: () => flushes };
}

test('one ping stands for all messages of a write', () => {
  const { lane, sent, flushes } = notes();
  const pings = new ReplyPings();
  assert.equal(pings.follow(lane), false, 'nothing was queued');
  for (let seq = 0; seq < 100; seq++) pings.want(3, seq);
  pings.follow(lane);
  pings.follow(lane);
  assert.deepEqual(sent, [99]);
  assert.equal(flushes(), 0, 'it leaves with the messages');
});

test('32 are outstanding at most; the next leaves with a pong, for all messages since', () => {
  const { lane, sent, flushes } = notes();
  const pings = new ReplyPings();
  for (let seq = 0; seq < 50; seq++) {
    pings.want(3, seq);
    pings.follow(lane);
  }
  assert.equal(sent.length, 32);
  pings.answered(lane, 77);
  assert.equal(sent.length, 32, 'a pong that nobody asked for changes nothing');
  pings.answered(lane, 4);
  assert.deepEqual([sent.at(-1), sent.length, flushes()], [49, 33, 1]);
  pings.answered(lane, 49);
  assert.equal(sent.length, 33, 'all are covered');
  for (let seq = 50; seq < 100; seq++) {
    pings.want(3, seq);
    pings.follow(lane);
  }
  assert.equal(sent.length, 33 + 32, 'a pong answers all pings before it');
});

test('messages that are queued and not written yet get their ping with the write', () => {
  const { lane, sent, flushes } = notes();
  const pings = new ReplyPings();
  pings.want(3, 0);
  pings.follow(lane);
  pings.want(3, 1);
  lane.isDirty = true;
  pings.answered(lane, 0);
  assert.deepEqual([sent.length, flushes()], [1, 0]);
});
