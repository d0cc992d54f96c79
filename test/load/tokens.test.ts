// Which token follows which, and when.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { renewInMs, TokenSource } from '../../lib/load/tokens.ts';

const nowMs = 1_800_000_000_000;

/** A token of a subject that expires in so many seconds; without a life it never does. */
function token(sub: string, inS?: number): string {
  const claims = { sub, ...(inS === undefined ? {} : { exp: nowMs / 1000 + inS }) };
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${sub}`;
}

const [a, b, c] = [token('a', 10), token('b', 10), token('c', 10)];
const [a2, b2, c2] = [token('a', 60), token('b', 60), token('c', 60)];

// biome-ignore format: a table
const lists: [string, string[], number, string[], (string | undefined)[]][] = [
  ['one token is no other', [a], 3, [a, a], [undefined, undefined]],
  ['opaque ones take turns, from behind those that were dealt', ['x', 'y', 'z'], 1, ['x', 'y', 'z'], ['y', 'z', 'x']],
  ['fewer tokens than connections', ['x', 'y'], 5, ['x', 'y', 'x'], ['y', 'x', 'y']],
  ['more tokens than connections', ['x', 'y', 'z', 'v'], 2, ['x', 'y'], ['z', 'v']],
  ['the same one twice is no other', ['x', 'x'], 2, ['x'], [undefined]],
  ['of the same subject first', [a, b, c, b2, c2, a2], 3, [a, b, c], [a2, b2, c2]],
  ['of another subject rather than none', [a, b2], 1, [a], [b2]],
  ['none that lives no longer', [a, b, c], 3, [a], [undefined]],
  ['none that expired', [a, token('a', -5)], 1, [a], [undefined]],
  ['one that says nothing lives for ever', [a, token('a')], 1, [a], [token('a')]],
  ['no list', [], 3, ['x'], [undefined]],
];

describe('tokens of a list', () => {
  for (const [name, tokens, dealt, current, expected] of lists) {
    test(name, async () => {
      const source = new TokenSource(tokens, dealt);
      const fresh: (string | undefined)[] = [];
      for (const one of current) fresh.push(await source.fresh(one, nowMs));
      assert.deepEqual(fresh, expected);
    });
  }

  test('thousands are read once, not for each connection', { timeout: 20_000 }, async () => {
    const tokens = Array.from({ length: 4000 }, (_, n) => token(`s-${n}`, 10));
    const source = new TokenSource([...tokens, ...tokens.map((_, n) => token(`s-${n}`, 60))], tokens.length);
    const started = performance.now();
    // From the last to the first: the worst order for a search from where the last was found.
    for (const one of tokens.reverse()) {
      assert.ok((await source.fresh(one, nowMs))?.endsWith(`.${one.split('.')[2]}`));
    }
    // Read for each, these are 16 to 32 million tokens: a minute.
    assert.ok(performance.now() - started < 10_000, `${performance.now() - started} ms`);
  });

  test('minted where they can be: for the same subject, the list does not matter', async () => {
    const source = new TokenSource([a, a2], 1, async (like) => `like ${like}`);
    assert.equal(await source.fresh(a, nowMs), `like ${a}`);
  });
});

// biome-ignore format: a table
const times: [string, string, number | undefined][] = [
  ['a fifth of its life before the end', token('a', 100), 80_000],
  ['a second before the end at least', token('a', 3), 2000],
  ['not at once', token('a', 1), 100],
  ['not when it expired', token('a', -1), undefined],
  ['not when it does not say', token('a'), undefined],
  ['not when it is no token', 'opaque', undefined],
];
for (const [name, one, ms] of times) {
  test(`renewed ${name}`, () => assert.equal(renewInMs(one, nowMs), ms));
}
