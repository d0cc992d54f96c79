// The ledger against a model: a Map with an object per message, which may take all the memory it likes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { kinds, Ledger } from '../../lib/load/ledger.ts';

const timeoutUs = 100;
const connections = 3;

interface Entry {
  connection: number;
  dueUs: number;
  state: 'waiting' | 'answered' | 'lost' | 'late';
}

type Step =
  | { do: 'send'; connection: number; afterUs: number }
  | { do: 'reply'; back: number; connection: number; afterUs: number }
  | { do: 'sweep'; afterUs: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('send' as const), connection: fc.nat(2), afterUs: fc.nat(9) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('reply' as const),
      back: fc.nat(60),
      connection: fc.nat(2),
      afterUs: fc.nat(9),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sweep' as const), afterUs: fc.nat(150) }) },
);

test('whatever comes in whatever order, every message ends in exactly one state', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), fc.boolean(), (steps, rightConnection) => {
      const ledger = new Ledger({ connections, timeoutUs, entries: 4, maxEntries: 1024 });
      const model: Entry[] = [];
      const count = { sent: 0, received: 0, matched: 0, late: 0, duplicate: 0, unexpected: 0, lost: 0 };
      let atUs = 0;
      const lose = (seq: number): void => {
        const entry = model[seq] as Entry;
        assert.equal(entry.state, 'waiting');
        assert.ok(atUs >= entry.dueUs + timeoutUs);
        ledger.lose(seq);
        entry.state = 'lost';
        count.lost++;
      };
      for (const next of steps) {
        atUs += next.afterUs;
        if (next.do === 'send') {
          assert.ok(ledger.reserve(atUs));
          const seq = ledger.add(next.connection, atUs, kinds.measured);
          assert.equal(seq, model.length);
          model.push({ connection: next.connection, dueUs: atUs, state: 'waiting' });
          count.sent++;
        } else if (next.do === 'sweep') {
          for (let seq = ledger.nextOverdue(atUs); seq >= 0; seq = ledger.nextOverdue(atUs)) lose(seq);
          for (const entry of model) {
            assert.ok(entry.state !== 'waiting' || atUs < entry.dueUs + timeoutUs, 'nothing overdue is left');
          }
        } else {
          const seq = model.length - 1 - next.back;
          const entry = model[seq];
          const connection = rightConnection && entry ? entry.connection : next.connection;
          count.received++;
          if (entry && ledger.connection(seq) === connection && ledger.isOverdue(seq, atUs)) lose(seq);
          const verdict = ledger.answer(seq, connection);
          if (seq >= 0 && !ledger.remembers(seq)) {
            assert.equal(verdict, 'late');
            count.late++;
            continue;
          }
          const wanted =
            !entry || entry.connection !== connection
              ? 'unexpected'
              : { waiting: 'fresh', answered: 'duplicate', late: 'duplicate', lost: 'late' }[entry.state];
          assert.equal(verdict, wanted);
          if (verdict === 'fresh') count.matched++;
          else count[verdict]++;
          if (entry && verdict === 'fresh') entry.state = 'answered';
          if (entry && verdict === 'late') entry.state = 'late';
        }
        assert.equal(ledger.outstanding, model.filter((entry) => entry.state === 'waiting').length);
        assert.equal(count.sent, count.matched + count.lost + ledger.outstanding);
        assert.equal(count.received, count.matched + count.late + count.duplicate + count.unexpected);
      }
    }),
    { numRuns: 200 },
  );
});

test('in order: replies go to the oldest in line, lost ones included', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const ledger = new Ledger({ connections, timeoutUs, inOrder: true, entries: 4, maxEntries: 1024 });
      const lines: number[][] = Array.from({ length: connections }, () => []);
      let atUs = 0;
      for (const next of steps) {
        atUs += next.afterUs;
        if (next.do === 'send') {
          assert.ok(ledger.reserve(atUs));
          lines[next.connection]?.push(ledger.add(next.connection, atUs, kinds.measured));
        } else if (next.do === 'reply') {
          const line = lines[next.connection] as number[];
          // What was forgotten left the line on its own.
          while (line[0] !== undefined && !ledger.remembers(line[0])) line.shift();
          assert.equal(ledger.takeInLine(next.connection), line.shift() ?? -1);
        } else {
          for (let seq = ledger.nextOverdue(atUs); seq >= 0; seq = ledger.nextOverdue(atUs)) ledger.lose(seq);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('memory is bounded: no more than the most may be outstanding, and answered ones make room', () => {
  const ledger = new Ledger({ connections: 1, timeoutUs: 1e6, entries: 4, maxEntries: 16 });
  for (let seq = 0; seq < 16; seq++) {
    assert.ok(ledger.reserve(seq));
    ledger.add(0, seq, kinds.measured);
  }
  assert.equal(ledger.reserve(16), false);
  assert.equal(ledger.entries, 16);
  assert.equal(ledger.answer(0, 0), 'fresh');
  assert.ok(ledger.reserve(16));
  assert.equal(ledger.add(0, 16, kinds.measured), 16);
  assert.equal(ledger.outstanding, 16);
  // What is not remembered any more was answered or lost long ago.
  assert.equal(ledger.answer(0, 0), 'late');
  assert.equal(ledger.answer(17, 0), 'unexpected');
});

test('a steady flow uses a ring of the size of what is remembered', () => {
  const ledger = new Ledger({ connections: 1, timeoutUs: 100, entries: 4, maxEntries: 2 ** 20 });
  for (let atUs = 0; atUs < 100_000; atUs++) {
    assert.ok(ledger.reserve(atUs));
    assert.equal(ledger.answer(ledger.add(0, atUs, kinds.measured), 0), 'fresh');
  }
  assert.ok(ledger.entries <= 256, `${ledger.entries} entries`);
});
