import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Alarm, Alarms } from '../../reference-server/alarms.ts';
import { FakeClock } from './fake-clock.ts';

class Noted extends Alarm {
  readonly name: number;
  readonly #onRing: (alarm: Noted) => void;

  constructor(name: number, onRing: (alarm: Noted) => void) {
    super();
    this.name = name;
    this.#onRing = onRing;
  }

  override ring(): void {
    this.#onRing(this);
  }
}

const step = fc.record({
  what: fc.constantFrom('set', 'set', 'set', 'cancel', 'advance', 'stall'),
  which: fc.nat(9),
  ms: fc.nat(50),
});

test('whatever is set, set anew and cancelled, each alarm rings once, at its time, on one timer', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const clock = new FakeClock();
      const alarms = new Alarms(clock);
      const due = new Map<number, number>();
      let stalled = false;
      const all = Array.from({ length: 10 }, (_, name) => {
        return new Noted(name, () => {
          const dueMs = due.get(name);
          assert.ok(dueMs !== undefined && dueMs <= clock.nowMs(), 'rang unasked or too early');
          if (!stalled) assert.equal(dueMs, clock.nowMs());
          due.delete(name);
        });
      });
      for (const { what, which, ms } of steps) {
        const alarm = all[which];
        assert.ok(alarm);
        stalled = what === 'stall';
        if (what === 'set') {
          due.set(which, clock.nowMs() + ms);
          alarms.set(alarm, clock.nowMs() + ms);
        } else if (what === 'cancel') {
          due.delete(which);
          alarms.cancel(alarm);
        } else if (what === 'advance') clock.advance(ms);
        else clock.stall(ms);
        if (what === 'advance' || what === 'stall') {
          for (const [name, dueMs] of due) assert.ok(dueMs > clock.nowMs(), `${name} did not ring`);
        }
        assert.equal(alarms.size, due.size);
        assert.ok(clock.pending <= 1);
        if (alarms.size === 0) assert.equal(clock.pending, 0);
      }
    }),
    { seed: 9 },
  );
});

test('an alarm that is set to now while others ring waits for the next turn, and a cancelled one does not ring', () => {
  const clock = new FakeClock();
  const alarms = new Alarms(clock);
  const rung: string[] = [];
  const victim = new Noted(2, () => rung.push('victim'));
  let turns = 0;
  const again = new Noted(1, (self) => {
    rung.push('again');
    alarms.cancel(victim);
    turns = 0;
    if (rung.length === 1) alarms.set(self, clock.nowMs());
  });
  const last = new Noted(3, () => {
    rung.push('last');
    turns++;
  });
  alarms.set(again, 10);
  alarms.set(victim, 10);
  alarms.set(last, 10);
  clock.advance(10);
  assert.deepEqual(rung, ['again', 'last', 'again']);
  assert.equal(turns, 0);
  assert.equal(alarms.size, 0);
});

test('an alarm that throws does not silence the others', () => {
  const clock = new FakeClock();
  const alarms = new Alarms(clock);
  const rung: number[] = [];
  for (const name of [1, 2, 3, 4]) {
    const alarm = new Noted(name, () => {
      rung.push(name);
      if (name === 2) throw new Error('on purpose');
    });
    alarms.set(alarm, name === 4 ? 20 : 10);
  }
  assert.throws(() => clock.advance(10), /on purpose/);
  clock.advance(10);
  assert.deepEqual([...rung].sort(), [1, 2, 3, 4]);
  assert.equal(alarms.size, 0);
});
