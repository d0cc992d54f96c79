// Where a token is put: every place, what stands beside it, and what cannot be carried.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  parseTokenPlace,
  placeToken,
  type TokenPlace,
  tokenPlaceOf,
  type Upgrade,
} from '../../lib/target/credential.ts';
import { targetSchema } from '../../lib/target/target.ts';
import { connectPlan } from '../../lib/target-options.ts';

const upgrade: Upgrade = {
  url: 'ws://h/p?sig=a%20b+c&token=old&x',
  headers: [
    ['authorization', 'Basic old'],
    ['Cookie', 'theme=dark; token=old'],
  ],
  subprotocols: ['chat'],
};
const [basic, cookies] = upgrade.headers;
const k8s = 'base64url.bearer.authorization.k8s.io.{{ token.base64url }}';

// biome-ignore format: a table
const rows: [what: string, place: TokenPlace, changed: Partial<Upgrade>][] = [
  ['header, in place of the one there', { in: 'header' }, { headers: [cookies ?? ['', ''], ['Authorization', 'Bearer T0K']] }],
  ['header of another name, which has no scheme', { in: 'header', name: 'X-Key' }, { headers: [...upgrade.headers, ['X-Key', 'T0K']] }],
  ['header of another name, as asked', { in: 'header', name: 'X-Key', value: 'k {{ token }}' }, { headers: [...upgrade.headers, ['X-Key', 'k T0K']] }],
  ['query, in place of the one there', { in: 'query' }, { url: 'ws://h/p?sig=a%20b+c&x&token=T0K' }],
  ['query of another name', { in: 'query', name: 'access token' }, { url: 'ws://h/p?sig=a%20b+c&token=old&x&access%20token=T0K' }],
  ['cookie beside others', { in: 'cookie' }, { headers: [basic ?? ['', ''], ['Cookie', 'theme=dark'], ['Cookie', 'token=T0K']] }],
  ['cookie of another name', { in: 'cookie', name: 'sid' }, { headers: [...upgrade.headers, ['Cookie', 'sid=T0K']] }],
  ['subprotocol', { in: 'subprotocol' }, { subprotocols: ['chat', 'bearer.T0K'] }],
  ['subprotocols, one for the token', { in: 'subprotocol', value: 'bearer, {{ token }}' }, { subprotocols: ['chat', 'bearer', 'T0K'] }],
  ['subprotocols, one there already', { in: 'subprotocol', value: 'chat,{{ token }}' }, { subprotocols: ['chat', 'T0K'] }],
  ['subprotocol as Kubernetes wants it', { in: 'subprotocol', value: k8s }, { subprotocols: ['chat', 'base64url.bearer.authorization.k8s.io.VDBL'] }],
  ['message', { in: 'message', value: '{{ token }}' }, {}],
];
for (const [what, place, changed] of rows) {
  test(`placeToken: ${what}`, () => {
    const before = structuredClone(upgrade);
    assert.deepEqual(placeToken(upgrade, place, 'T0K'), { ...upgrade, ...changed });
    assert.deepEqual(upgrade, before);
    assert.equal(placeToken(upgrade, place, undefined), upgrade);
  });
}

test('placeToken: query into a URL without one', () => {
  assert.equal(
    placeToken({ ...upgrade, url: 'ws://h/p' }, { in: 'query' }, 'a&b=c').url,
    'ws://h/p?token=a%26b%3Dc',
  );
});

test('placeToken: the only cookie is replaced', () => {
  const { headers } = placeToken({ ...upgrade, headers: [['cookie', 'token=old']] }, { in: 'cookie' }, 'T0K');
  assert.deepEqual(headers, [['Cookie', 'token=T0K']]);
});

// biome-ignore format: a table
const uncarried: [place: TokenPlace, token: string][] = [
  [{ in: 'header' }, 'S3CRET\r\nX-Evil: 1'], [{ in: 'header' }, 'S3CRET\u4e2d'], [{ in: 'cookie' }, 'S3CRET; admin=1'],
  [{ in: 'cookie' }, 'S3CRET x'], [{ in: 'cookie' }, 'S3CRET\n'], [{ in: 'subprotocol' }, 'S3CRET/x='],
];
for (const [place, token] of uncarried) {
  test(`placeToken: refused in ${place.in}: ${JSON.stringify(token)}`, () => {
    assert.throws(
      () => placeToken(upgrade, place, token),
      (error: Error & { code?: string }) => error.code === 'USAGE' && !error.message.includes('S3CRET'),
    );
  });
}

test('placeToken: a query carries any token, and leaves the rest as it is', { timeout: 20_000 }, () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (token) => {
      const { searchParams, search } = new URL(placeToken(upgrade, { in: 'query' }, token).url);
      assert.equal(searchParams.get('token'), token);
      assert.ok(search.startsWith('?sig=a%20b+c&x&'));
    }),
  );
});

// biome-ignore format: a table
const asked: [text: string, place: TokenPlace | RegExp][] = [
  ['header', { in: 'header' }],
  ['header:X-Api-Key', { in: 'header', name: 'X-Api-Key' }],
  ['query:access_token', { in: 'query', name: 'access_token' }],
  ['cookie:sid', { in: 'cookie', name: 'sid' }],
  ['subprotocol', { in: 'subprotocol' }],
  ['subprotocol:bearer.', { in: 'subprotocol', value: 'bearer.{{ token }}' }],
  ['subprotocol:bearer,', { in: 'subprotocol', value: 'bearer,{{ token }}' }],
  [`subprotocol:${k8s}`, { in: 'subprotocol', value: k8s }],
  ['message', { in: 'message' }],
  ['message:{"t":"{{token}}"}', { in: 'message', value: '{"t":"{{token}}"}' }],
  ['heder', /takes one of header, query, .*did you mean header\?$/],
  ['', /takes one of/],
  ['Bearer S3CRET', /^(?!.*S3CRET)--token-in takes one of/],
  ['header:X Y', /"X Y" is no name that a header can have; write it like header:X-Api-Key$/],
  ['header:', /^--token-in header: nothing follows the colon; write it like header:X-Api-Key$/],
  ['subprotocol:', /nothing follows the colon; write it like subprotocol:bearer\./],
  ['header:{{ token }}', /^--token-in header: what follows the colon is a name; write it like header:X-Api-Key$/],
  ['query:{{ token }}', /what follows the colon is a name/],
  ['subprotocol:my token ', /a subprotocol has no such characters/],
  ['cookie:a;b', /is no name that a cookie can have/],
  ['message:hello', /must hold \{\{ token \}\}/],
  ['subprotocol:{{ tokn }}', /must hold \{\{ token \}\}/],
];
for (const [text, place] of asked) {
  test(`--token-in ${text}`, () => {
    if (place instanceof RegExp)
      assert.throws(() => parseTokenPlace(text), { code: 'USAGE', message: place });
    else assert.deepEqual(parseTokenPlace(text), place);
  });
}

test('the place of a token: the description says it, else the header; --token-in wins', () => {
  const described = (auth: object) =>
    targetSchema.parse({ name: 'x', request: 'hi', match: { by: 'order' }, auth });
  assert.deepEqual(tokenPlaceOf(null), { in: 'header' });
  const target = described({ in: 'query', name: 'jwt' });
  assert.equal(connectPlan('ws://h/', target, {}).tokenPlace.name, 'jwt');
  assert.deepEqual(connectPlan('ws://h/', target, { tokenIn: 'cookie' }).tokenPlace, { in: 'cookie' });
  assert.throws(() => connectPlan('ws://h/', target, { tokenIn: 'message' }), {
    message: /does not say which message; write --token-in 'message:/,
  });
  const own = described({ in: 'header', message: { send: '{{ token }}' } });
  assert.deepEqual(connectPlan('ws://h/', own, { tokenIn: 'message' }).tokenPlace, { in: 'message' });
});
