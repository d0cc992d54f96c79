// What follows from each end of a connection: the table, its application, and the page that shows it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { refusalAction } from '../../lib/client/close-policy.ts';
import { closePolicies, stateTransitions } from '../../lib/client/index.ts';
import type { SocketEnd } from '../../lib/client/transport.ts';
import { type Situation, verdictOn } from '../../lib/client/verdict.ts';
import { closes } from '../../reference-server/close-codes.ts';

const page = readFileSync(new URL('../../../docs/client.md', import.meta.url), 'utf8');
const situation: Situation = {
  step: 3,
  backOff: { minMs: 500, maxMs: 30_000 },
  serverCapMs: 60_000,
  drainLeftMs: undefined,
  mayRefresh: true,
  chance: 0.5,
};

function verdict(end: Partial<SocketEnd>, now: Partial<Situation> = {}): unknown {
  const found = verdictOn({ code: 1006, reason: '', by: 'server', ...end }, { ...situation, ...now });
  return found.again ? [found.why, found.delayMs, found.grows] : [found.error.code];
}

test('docs/client.md shows the table of close codes and that of states', () => {
  const section = page.slice(page.indexOf('## Reconnection'), page.indexOf('- **back-off**'));
  const rows = [...section.matchAll(/^\| (\d+) \| (\w+) \| (.+) \|$/gm)].map(([, ...cells]) => cells);
  const table = closePolicies.map(({ code, name, action, minMs }) => [
    String(code),
    name,
    minMs === undefined ? action : `${action}, ${minMs.toLocaleString('en')} ms at least`,
  ]);
  assert.deepEqual(rows, table);
  for (const [state, after] of Object.entries(stateTransitions)) {
    const cell = after.map((name) => `\`${name}\``).join(', ') || '–';
    assert.ok(page.includes(`| \`${state}\` | ${cell} |`), state);
  }
});

test('every close code of the reference server has a row', () => {
  const known = closePolicies.map(({ code }) => code);
  assert.deepEqual(
    Object.values(closes).filter(({ code }) => !known.includes(code)),
    [],
  );
});

/** What each action comes to at step 3 with a chance of one half: full jitter is half of 4 s. */
const expected: Record<(typeof closePolicies)[number]['action'], unknown> = {
  stop: ['STOPPED'],
  window: ['window', 1050, false],
  'back-off': ['back-off', 2000, true],
  'retry-after': ['back-off', 2000, true],
  'refresh-token': ['refresh-token', 2000, true],
};

for (const { code, name, action, minMs = 0 } of closePolicies) {
  test(`${code} ${name}: ${action}`, () => {
    const found = verdict({ code });
    assert.deepEqual(found, minMs ? ['back-off', minMs + 2000, true] : expected[action]);
    // DRAIN was said before: whatever is not final happens in its window, and the back-off does not grow.
    const isFinal = action === 'stop' || action === 'refresh-token';
    assert.deepEqual(
      verdict({ code }, { drainLeftMs: 1234 }),
      isFinal ? expected[action] : ['window', 1234, false],
    );
    // What this side found fault with may be another server next time.
    assert.deepEqual(verdict({ code, by: 'client' }), expected['back-off']);
  });
}

test('unknown codes back off', () => {
  for (const code of [1004, 1014, 1015, 2999, 3000, 3500, 4000, 4402, 4500, 4999]) {
    assert.deepEqual(verdict({ code }), expected['back-off'], String(code));
  }
});

test('retryAfterMs is kept to, up to the cap and with jitter, and never undercuts the back-off', () => {
  for (const end of [{ code: 1013 }, { code: 4429 }, { httpStatus: 429 }, { httpStatus: 503 }]) {
    assert.deepEqual(verdict({ ...end, retryAfterMs: 8000 }), ['retry-after', 10_000, true]);
    assert.deepEqual(verdict({ ...end, retryAfterMs: 0 }), ['retry-after', 2000, true]);
    assert.deepEqual(verdict({ ...end, retryAfterMs: 0 }, { step: 0 }), ['retry-after', 500, true]);
    for (const absurd of [3.2e11, Number.POSITIVE_INFINITY, Number.NaN]) {
      assert.deepEqual(verdict({ ...end, retryAfterMs: absurd }), ['retry-after', 75_000, true]);
    }
  }
});

test('a refused token is replaced once, then that is the end', () => {
  for (const end of [{ code: 4401 }, { httpStatus: 401 }]) {
    assert.deepEqual(verdict(end), ['refresh-token', 2000, true]);
    assert.deepEqual(verdict(end, { mayRefresh: false }), ['TOKEN']);
  }
});

test('refused handshakes by status', () => {
  const by = (action: string): number[] =>
    [
      101, 200, 204, 301, 307, 400, 401, 403, 404, 405, 408, 410, 421, 425, 426, 429, 431, 500, 502, 503, 504,
      505,
    ].filter((status) => refusalAction(status) === action);
  assert.deepEqual(by('stop'), [400, 403, 404, 405, 410, 421, 426, 431]);
  assert.deepEqual(by('refresh-token'), [401]);
  assert.deepEqual(by('retry-after'), [429, 503]);
  assert.deepEqual(by('back-off'), [101, 200, 204, 301, 307, 408, 425, 500, 502, 504, 505]);
});

test('the back-off grows to its cap, over its whole width', () => {
  const delays = (chance: number): unknown[] =>
    [0, 1, 2, 5, 6, 7, 1e9].map((step) => (verdict({}, { step, chance }) as unknown[])[1]);
  assert.deepEqual(delays(0), [0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(delays(1), [500, 1000, 2000, 16_000, 30_000, 30_000, 30_000]);
});
