import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  keepHeaderSecret,
  keepNamedSecret,
  keepSecret,
  keepSubprotocolSecrets,
  keepUrlSecrets,
  redactHeader,
  redactMessage,
  redactOptions,
  redactStrings,
  redactText,
  redactUrl,
} from '../../lib/result/redact.ts';
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
  ['{"token":"cut-off-with-no-en', '{"token":"[redacted]'],
  ['value: Bearer {{ token }}', 'value: Bearer {{ token }}'],
  ['--subprotocol bearer.{{ token }}', '--subprotocol bearer.{{ token }}'],
  ['ws://h/?token={{ token }}&x=1', 'ws://h/?token={{ token }}&x=1'],
  ['-H "Authorization: Bearer {{ token }}"', '-H "Authorization: Bearer {{ token }}"'],
  ['Cookie: sid={{ token }}', 'Cookie: sid={{ token }}'],
  ['Cookie: sid={{ token }}; other=1', 'Cookie: [redacted]'],
  ['{"apikey":"{{ env.KEY }}"}', '{"apikey":"{{ env.KEY }}"}'],
  ['JWT_SECRET=a.b-c\nPORT=8080', 'JWT_SECRET=[redacted]\nPORT=8080'],
  ['{"env":"A=1\\nAWS_SECRET_ACCESS_KEY=a/b+c\\nB=2"}', '{"env":"A=1\\nAWS_SECRET_ACCESS_KEY=[redacted]\\nB=2"}'],
  ['export STRIPE_KEY="sk live" DB_PASSWORD=\'p w\' API_TOKENS=a,b', 'export STRIPE_KEY="[redacted]" DB_PASSWORD=\'[redacted]\' API_TOKENS=[redacted]'],
  ['JWT_SECRET="$SECRET" TOKEN=env:TOKEN API_KEY={{ env.KEY }} PASSWORD=<yours>', 'JWT_SECRET="$SECRET" TOKEN=env:TOKEN API_KEY={{ env.KEY }} PASSWORD=<yours>'],
  ['KEYBOARD=qwerty MONKEY=1 TOKENIZER=bpe', 'KEYBOARD=qwerty MONKEY=1 TOKENIZER=bpe'],
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

test('what was kept is masked in every form, and what is left of it', () => {
  const secret = 'kept-0x41/"é" & more-of-it';
  keepSecret(secret);
  const forms = [
    secret,
    encodeURIComponent(secret),
    encodeURI(secret),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
  ];
  for (const form of forms)
    assert.equal(redactText(`a ${form} b ${form}`), 'a [redacted] b [redacted]', form);
  assert.equal(redactText(`cut off: ${secret.slice(0, 15)}`), 'cut off: [redacted]');
  assert.equal(redactText('kept-0x4'), 'kept-0x4', 'a few characters of it are left');
  keepSecret('short');
  assert.equal(redactText('a short word'), 'a short word');
  keepSecret('sixsix');
  assert.equal(redactText('sixsixsixsixsix'), '[redacted]', 'what overlaps is masked as one');
  keepSecret('\ud800 half a pair');
});

test('the secrets of URLs, headers, subprotocols and settings are kept', () => {
  keepUrlSecrets('ws://kept-user:kept%2Fword@h/ws?room=kept-room&token=kept%20token;sig=kept-signature');
  keepUrlSecrets('kept-who:kept-pass@h');
  keepHeaderSecret('Authorization', 'Bearer kept-bearer');
  keepHeaderSecret('Authorization', `Basic ${Buffer.from('kept-name:kept-basic').toString('base64')}`);
  keepHeaderSecret('Cookie', 'a=kept-cookie-a; b=kept-cookie-b');
  keepHeaderSecret('X-Trace', 'kept-trace');
  keepSubprotocolSecrets([
    'chat.kept-chat',
    'bearer.kept-dotted',
    'x.bearer.kept-deeper',
    'token',
    'kept-following',
  ]);
  keepNamedSecret('apikey', 'kept-setting');
  keepNamedSecret('topic', 'kept-topic');
  // biome-ignore format: a list
  const masked = ['kept-user', 'kept/word', 'kept token', 'kept-signature', 'kept-who', 'kept-pass', 'kept-bearer', 'kept-basic', 'kept-cookie-a', 'kept-cookie-b', 'kept-dotted', 'kept-deeper', 'kept-following', 'kept-setting'];
  for (const word of masked) assert.equal(redactText(`it said ${word}.`), 'it said [redacted].', word);
  for (const word of ['kept-room', 'kept-trace', 'chat.kept-chat', 'kept-topic']) {
    assert.equal(redactText(`it said ${word}.`), `it said ${word}.`);
  }
});

test('JSON stays JSON when its secrets are masked', { timeout: 30_000 }, () => {
  const message = JSON.stringify({
    type: 'ACK',
    note: 'Authorization: Bearer a',
    token: 'x',
    n: [1, 'wss://u:p@h/'],
  });
  assert.deepEqual(JSON.parse(redactMessage(message)), {
    type: 'ACK',
    note: 'Authorization: [redacted]',
    token: '[redacted]',
    n: [1, 'wss://[redacted]@h/'],
  });
  assert.equal(redactMessage('Bearer abc'), 'Bearer [redacted]');
});

test('what was masked is masked once', { timeout: 30_000 }, () => {
  const piece = fc.constantFrom(
    'JWT_SECRET=',
    'DB_PASSWORD="',
    'Authorization: ',
    'Bearer ',
    'bearer.',
    'ws://',
    'a:b@',
    'token=',
    '?',
    '&',
    '"token":"',
    '"',
    ' ',
    'eyJhbGciOi',
    '.',
    'x',
    "'",
    '[redacted]',
    '$TOKEN',
    'sb_secret_a',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const once = redactText(pieces.join(''));
      assert.equal(redactText(once), once);
    }),
    { numRuns: 2000 },
  );
});

test('a line to run again keeps the names of its variables', () => {
  const line = `wsbench quick "ws://$SECRET@h/?token=$SECRET" -H "Authorization: $AUTHORIZATION" --subprotocol "bearer.$SECRET" -c 1`;
  assert.equal(redactText(line), line);
});

test('the histograms of a result are left as they are', () => {
  const result = { metrics: { rtt: { hdr: 'eyJhbGciOiJIUzI1NiJ9abc' } }, reasons: ['Bearer abc'] };
  assert.deepEqual(redactStrings(result), { ...result, reasons: ['Bearer [redacted]'] });
});
