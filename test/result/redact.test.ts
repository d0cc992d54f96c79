import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { redactHeader, redactOptions, redactText, redactUrl } from '../../lib/result/redact.ts';
import { mintToken } from '../../lib/token.ts';

// biome-ignore format: a table
const texts: [text: string, masked: string][] = [
  ['connected in 3 ms', 'connected in 3 ms'],
  ['Authorization: Bearer abc.def', 'Authorization: [redacted]'],
  ['authorization:Basic dXNlcjpwdw==', 'authorization:[redacted]'],
  ["-H 'Authorization: Bearer a b' -c 10", "-H 'Authorization: [redacted]' -c 10"],
  ['Cookie: sid=1; theme=dark', 'Cookie: [redacted]'],
  ['sent bearer   s3cret, refused', 'sent bearer   [redacted], refused'],
  ['subprotocol bearer.s3cret', 'subprotocol bearer.[redacted]'],
  ['key sb_secret_abc-123 used', 'key [redacted] used'],
  ['ws://h/ws?token=abc&x=1', 'ws://h/ws?token=[redacted]&x=1'],
  ['ws://h/ws?x=1&apikey=abc#top', 'ws://h/ws?x=1&apikey=[redacted]#top'],
  ['https://h/#access_token=abc&type=x', 'https://h/#access_token=[redacted]&type=x'],
  ['ws://h/ws?room=5;jwt=abc', 'ws://h/ws?room=5;jwt=[redacted]'],
  ['wss://user:pw@host/ws', 'wss://[redacted]@host/ws'],
  ['wss://user:p@ss@host/ws', 'wss://[redacted]@host/ws'],
  ['connect to wss://user:pw@host/ws failed', 'connect to wss://[redacted]@host/ws failed'],
  ['mail a@b.example', 'mail a@b.example'],
];

for (const [text, masked] of texts) test(`masks ${text}`, () => assert.equal(redactText(text), masked));

test('URLs', () => {
  assert.equal(redactUrl('wss://u:p@h:1/ws?x=1&secret=2'), 'wss://[redacted]@h:1/ws?x=1&secret=[redacted]');
  assert.equal(redactUrl('ws://127.0.0.1:8080/ws'), 'ws://127.0.0.1:8080/ws');
});

test('headers are masked by name, others by content', () => {
  for (const name of ['Authorization', 'cookie', 'X-Auth-Token', 'apikey', 'x-client-secret']) {
    assert.equal(redactHeader(name, 'plain'), '[redacted]', name);
  }
  assert.equal(redactHeader('origin', 'https://a.example'), 'https://a.example');
  assert.equal(redactHeader('x-note', 'Bearer abc'), 'Bearer [redacted]');
});

test('options are masked by name at any depth, others by content; what is no secret stays', () => {
  const options = {
    url: 'ws://h/ws?token=abc',
    token: 'opaque',
    tokens: ['a', 'b'],
    jwtSecret: 'x',
    tokenIn: 'header',
    connections: 10,
    nested: { headers: ['Authorization: Basic abc', 'X-A: 1'], password: 'p', apiKey: { value: 'k' } },
    none: null,
  };
  assert.deepEqual(redactOptions(options), {
    url: 'ws://h/ws?token=[redacted]',
    token: '[redacted]',
    tokens: ['[redacted]', '[redacted]'],
    jwtSecret: '[redacted]',
    tokenIn: 'header',
    connections: 10,
    nested: {
      headers: ['Authorization: [redacted]', 'X-A: 1'],
      password: '[redacted]',
      apiKey: { value: '[redacted]' },
    },
    none: null,
  });
  assert.equal(options.token, 'opaque', 'the original is left alone');
});

test('no token survives in any surroundings', { timeout: 60_000 }, async () => {
  const token = await mintToken({ secret: 'x'.repeat(32) });
  const [, payload = '', signature = ''] = token.split('.');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (before, after) => {
      const masked = redactText(`${before}${token}${after}`);
      assert.ok(!masked.includes(payload) && !masked.includes(signature), masked);
    }),
    { numRuns: 300 },
  );
});
