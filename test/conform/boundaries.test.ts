// Which bytes of a case leave with one write, and which come apart: some verdicts depend on it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { allCases } from '../../lib/conform/cases.ts';
import { Machine } from '../../lib/conform/session/machine.ts';
import { Player } from '../../lib/conform/session/player.ts';
import { Sender } from '../../lib/conform/session/sender.ts';
import { Wire } from '../../lib/conform/session/wire.ts';

/** Plays a case to a peer that says nothing. Sizes of the writes; one list for what comes before and after each wait. */
async function writesOf(id: string): Promise<number[][]> {
  const testCase = allCases.find((one) => one.id === id);
  assert.ok(testCase);
  const turns: number[][] = [[]];
  const sender = new Sender({ write: (bytes) => (turns.at(-1)?.push(bytes.length) ?? 0) > 0 });
  let next: (() => void) | undefined;
  const nothing = (): void => {};
  const after = (): void => {};
  const machine = new Machine(
    {
      send: (opcode, payload) => player.frame({ opcode, payload }),
      drop: nothing,
      message: nothing,
      pong: nothing,
      frame: nothing,
      note: nothing,
      after,
    },
    'autobahn',
    null,
  );
  const player = new Player(testCase, {
    machine,
    sender,
    wire: new Wire(),
    after: (_ms, callback) => {
      next = callback;
    },
    stillOpen: nothing,
    done: nothing,
  });
  player.play();
  for (;;) {
    sender.flush();
    while (!sender.isIdle) await nextTurn();
    const callback = next;
    if (!callback) return turns;
    next = undefined;
    turns.push([]);
    callback();
  }
}

const ones = (count: number): number[] => Array.from({ length: count }, () => 1);

// As they were measured of Autobahn|Testsuite.
const examples: [id: string, writes: number[][]][] = [
  ['2.10', [[150]]],
  ['3.2', [[44]]],
  ['3.3', [[38, 6]]],
  ['3.4', [[2, ...ones(42)]]],
  ['5.4', [[30]]],
  ['5.7', [[33, 15]]],
  ['5.19', [[45], [60]]],
  [
    '5.20',
    [
      [30, 15],
      [15, 15, 15, 15],
    ],
  ],
  ['6.4.1', [[17], [10], [12]]],
  ['6.4.3', [[17], [4], [12]]],
  ['7.1.3', [[14]]],
  ['7.3.2', [[7]]],
  ['7.3.6', [[134]]],
  // 29 fragments of a byte and an empty one, with headers of 6 bytes.
  ['6.2.3', [[29 + 30 * 6]]],
  ['9.3.2', [[4 * 1024 * 1024 + 16_384 * 8 + 6]]],
  ['9.3.9', [[4 * 1024 * 1024 + 14]]],
  ['10.1.1', [[65_536 + 51 * 8]]],
  ['9.5.6', [[4096, ...Array.from({ length: 510 }, () => 2048), 14]]],
];

for (const [id, writes] of examples) {
  test(`${id} is written in these pieces`, { timeout: 20_000 }, async () => {
    assert.deepEqual(await writesOf(id), writes);
  });
}
