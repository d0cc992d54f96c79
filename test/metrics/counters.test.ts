import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addCounters, brokenIdentities, zeroCounters } from '../../lib/metrics/counters.ts';
import { type Counters, counterMetrics } from '../../lib/metrics/names.ts';

const balanced: Partial<Counters> = {
  'connections.attempted': 10,
  'connections.opened': 8,
  'connections.failed': 2,
  'connections.closed': 5,
  'messages.scheduled': 100,
  'messages.sent': 90,
  'messages.unsent': 10,
  'messages.matched': 70,
  'messages.rejected': 5,
  'messages.lost': 12,
  'messages.interrupted': 3,
  'messages.received': 85,
  'messages.late': 4,
  'messages.duplicate': 1,
  'messages.push': 3,
  'messages.unexpected': 2,
};

test('zero balances', () => assert.deepEqual(brokenIdentities(zeroCounters()), []));

test('books that add up balance', () => {
  assert.deepEqual(brokenIdentities({ ...zeroCounters(), ...balanced }, 3), []);
});

// Marks on matched messages and figures outside the books.
const free = new Set([
  'connections.abnormal',
  'messages.reordered',
  'messages.corrupt',
  'bytes.sent',
  'bytes.received',
  'protocol_errors',
]);

for (const name of counterMetrics) {
  test(`one ${name} too many ${free.has(name) ? 'is not the concern of an identity' : 'is found and named'}`, () => {
    const counters: Counters = { ...zeroCounters(), ...balanced };
    counters[name] += 1;
    const broken = brokenIdentities(counters, 3);
    if (free.has(name)) assert.deepEqual(broken, []);
    else assert.ok(broken.length > 0 && broken.every((line) => line.includes(name)), broken.join('\n'));
  });
}

test('a connection nobody counted as closed or open is found', () => {
  assert.match(brokenIdentities({ ...zeroCounters(), ...balanced }, 2).join(), /open at end 2/);
});

test('adding is by name; sums of balanced books balance', () => {
  const amounts = fc.record(
    Object.fromEntries(counterMetrics.map((name) => [name, fc.nat(1000)])) as Record<
      keyof Counters,
      fc.Arbitrary<number>
    >,
  );
  fc.assert(
    fc.property(amounts, amounts, (one, other) => {
      const sum: Counters = { ...one };
      addCounters(sum, other);
      for (const name of counterMetrics) assert.equal(sum[name], one[name] + other[name]);
    }),
  );
  const sum: Counters = { ...zeroCounters(), ...balanced };
  addCounters(sum, { ...zeroCounters(), ...balanced });
  assert.deepEqual(brokenIdentities(sum, 6), []);
});
