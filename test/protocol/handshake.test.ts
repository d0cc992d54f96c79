// The opening handshake: what is asked, and every rule by which an answer is judged.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  acceptOf,
  encodeRequest,
  judgeResponse,
  type Offer,
  type UpgradeResponse,
  upgradeHeaders,
} from '../../lib/protocol/handshake.ts';
import { headLimits, ResponseParser } from '../../lib/protocol/response-parser.ts';

const key = 'dGhlIHNhbXBsZSBub25jZQ==';
const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

test('the example of RFC 6455 §1.3', () => assert.equal(acceptOf(key), accept));

test('a request in the order of its headers, repeats and all', () => {
  const headers = upgradeHeaders({
    host: 'example.com',
    key,
    subprotocols: ['a', 'b'],
    extensions: 'x',
    headers: [
      ['Origin', 'o'],
      ['X', '1'],
      ['X', '2'],
    ],
  });
  assert.equal(
    encodeRequest({ target: '/chat?x=1', headers }).toString(),
    [
      'GET /chat?x=1 HTTP/1.1',
      'Host: example.com',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${key}`,
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Protocol: a, b',
      'Sec-WebSocket-Extensions: x',
      'Origin: o',
      'X: 1',
      'X: 2',
      '',
      '',
    ].join('\r\n'),
  );
});

test('a header that is given takes the place of ours', () => {
  const headers = upgradeHeaders({
    host: 'h',
    key,
    headers: [
      ['hOST', 'other'],
      ['Sec-WebSocket-Version', '8'],
    ],
  });
  assert.deepEqual(
    headers.filter(([name]) => /host|version/i.test(name)),
    [
      ['hOST', 'other'],
      ['Sec-WebSocket-Version', '8'],
    ],
  );
});

test('illegal requests are written as they are given', () => {
  const bytes = encodeRequest({
    method: 'POST',
    target: 'nowhere',
    version: 'HTTP/1.0',
    headers: [
      ['Host', ''],
      ['Host', 'two'],
      ['bad name', 'x'],
    ],
  });
  assert.equal(bytes.toString(), 'POST nowhere HTTP/1.0\r\nHost: \r\nHost: two\r\nbad name: x\r\n\r\n');
});

test('a line break cannot be smuggled in', () => {
  for (const value of ['a\r\nX: 1', 'a\nb', 'a\rb', '\u010a', '\u560d']) {
    assert.throws(
      () => encodeRequest({ target: '/', headers: [['X', value]] }),
      RangeError,
      JSON.stringify(value),
    );
    assert.throws(() => encodeRequest({ target: `/${value}`, headers: [] }), RangeError);
  }
  assert.ok(encodeRequest({ target: '/', headers: [['X', 'caf\u00e9']] }).includes(0xe9));
});

const offer: Offer = { key, subprotocols: ['chat', 'superchat'], deflate: {} };
const good: [string, string][] = [
  ['Upgrade', 'websocket'],
  ['Connection', 'Upgrade'],
  ['Sec-WebSocket-Accept', accept],
];
const without = (name: string): [string, string][] => good.filter(([key]) => key !== name);
const withValue = (name: string, value: string): [string, string][] => [...without(name), [name, value]];

// biome-ignore format: a table
const answers: [name: string, change: Partial<UpgradeResponse>, result: RegExp | null, offer?: Partial<Offer>][] = [
  ['a good one', {}, null],
  ['names in any case', { headers: good.map(([name, value]) => [name.toUpperCase(), value]) }, null],
  ['values in any case', { headers: [['upgrade', 'WebSocket'], ['connection', 'keep-alive, UPGRADE'], ['Sec-WebSocket-Accept', accept]] }, null],
  ['Connection in two lines', { headers: [...good, ['Connection', 'keep-alive']] }, null],
  ['further headers', { headers: [...good, ['Set-Cookie', 'a'], ['Server', 'x']] }, null],
  ['HTTP/1.0', { version: 'HTTP/1.0' }, /HTTP\/1\.0/],
  ['200', { status: 200, reason: 'OK' }, /^HTTP 200 OK$/],
  ['301', { status: 301, reason: '' }, /^HTTP 301$/],
  ['426', { status: 426, reason: 'Upgrade Required' }, /426/],
  ['no Upgrade', { headers: without('Upgrade') }, /^no Upgrade header$/],
  ['another Upgrade', { headers: withValue('Upgrade', 'h2c') }, /Upgrade is "h2c"/],
  ['two Upgrades', { headers: [...good, ['Upgrade', 'h2c']] }, /"websocket, h2c"/],
  ['no Connection', { headers: without('Connection') }, /^no Connection header$/],
  ['another Connection', { headers: withValue('Connection', 'close') }, /without Upgrade/],
  ['a Connection that only sounds like it', { headers: withValue('Connection', 'upgraded') }, /without Upgrade/],
  ['no Accept', { headers: without('Sec-WebSocket-Accept') }, /no Sec-WebSocket-Accept/],
  ['a wrong Accept', { headers: withValue('Sec-WebSocket-Accept', key) }, /does not answer our key/],
  ['an Accept in another case', { headers: withValue('Sec-WebSocket-Accept', accept.toLowerCase()) }, /does not answer/],
  ['two Accepts', { headers: [...good, ['Sec-WebSocket-Accept', accept]] }, /more than one/],
  ['a subprotocol', { headers: [...good, ['Sec-WebSocket-Protocol', 'superchat']] }, null],
  ['a subprotocol that was not offered', { headers: [...good, ['Sec-WebSocket-Protocol', 'other']] }, /"other" was not offered/],
  ['a subprotocol in another case', { headers: [...good, ['Sec-WebSocket-Protocol', 'Chat']] }, /"Chat" was not offered/],
  ['a subprotocol, none offered', { headers: [...good, ['Sec-WebSocket-Protocol', 'chat']] }, /was not offered/, { subprotocols: [] }],
  ['two subprotocols', { headers: [...good, ['Sec-WebSocket-Protocol', 'chat'], ['Sec-WebSocket-Protocol', 'chat']] }, /more than one Sec-WebSocket-Protocol/],
  ['a list of subprotocols', { headers: [...good, ['Sec-WebSocket-Protocol', 'chat, superchat']] }, /was not offered/],
  ['an empty subprotocol', { headers: [...good, ['Sec-WebSocket-Protocol', '']] }, /an empty Sec-WebSocket-Protocol/],
  ['permessage-deflate', { headers: [...good, ['Sec-WebSocket-Extensions', 'permessage-deflate']] }, null],
  ['permessage-deflate, not offered', { headers: [...good, ['Sec-WebSocket-Extensions', 'permessage-deflate']] }, /not offered/, { deflate: null }],
  ['permessage-deflate in two lines', { headers: [...good, ['Sec-WebSocket-Extensions', 'permessage-deflate'], ['Sec-WebSocket-Extensions', 'permessage-deflate']] }, /answered 2 times/],
  ['an extension that was not offered', { headers: [...good, ['Sec-WebSocket-Extensions', 'foo']] }, /foo was not offered/],
];

describe('answers', () => {
  for (const [name, change, result, more] of answers) {
    test(name, () => {
      const response = {
        version: 'HTTP/1.1',
        status: 101,
        reason: 'Switching Protocols',
        headers: good,
        ...change,
      };
      const judged = judgeResponse(response, { ...offer, ...more });
      if (result === null) assert.ok(!('problem' in judged), JSON.stringify(judged));
      else {
        assert.ok('problem' in judged, JSON.stringify(judged));
        assert.match(judged.problem, result);
        assert.match(judged.section, /^RFC 6455 §/);
        assert.equal(judged.status, response.status === 101 ? undefined : response.status);
      }
    });
  }
});

type Read = { response: UpgradeResponse; rest: string } | string | 'more';

function read(chunks: readonly Uint8Array[], limits = headLimits): Read {
  const parser = new ResponseParser(limits);
  for (const [index, chunk] of chunks.entries()) {
    const state = parser.push(chunk);
    if (state.state === 'failed') return state.problem;
    if (state.state === 'done') {
      const rest = Buffer.concat([state.rest, ...chunks.slice(index + 1)]);
      return { response: state.response, rest: rest.toString('latin1') };
    }
  }
  return 'more';
}

const head = 'HTTP/1.1 101 Switching Protocols\r\n';
const response = (
  headers: [string, string][] = [],
  reason = 'Switching Protocols',
  status = 101,
): UpgradeResponse => ({ version: 'HTTP/1.1', status, reason, headers });

// biome-ignore format: a table
const heads: [name: string, bytes: string, result: Read | RegExp][] = [
  ['no headers', `${head}\r\n`, { response: response(), rest: '' }],
  ['bytes behind it', `${head}A: b\r\n\r\n\x81\x00`, { response: response([['A', 'b']]), rest: '\x81\x00' }],
  ['blanks around a value', `${head}A: \t b c \t\r\nB:\r\n\r\n`, { response: response([['A', 'b c'], ['B', '']]), rest: '' }],
  ['repeats', `${head}A: 1\r\nA: 2\r\n\r\n`, { response: response([['A', '1'], ['A', '2']]), rest: '' }],
  ['no reason', 'HTTP/1.1 101\r\n\r\n', { response: response([], ''), rest: '' }],
  ['an empty reason', 'HTTP/1.1 404 \r\n\r\n', { response: response([], '', 404), rest: '' }],
  ['interim answers', `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${head}\r\nrest`, { response: response(), rest: 'rest' }],
  ['an end that does not come', head, 'more'],
  ['nothing', '', 'more'],
  ['half of HTTP', 'HTT', 'more'],
  ['no HTTP', 'SSH-2.0-OpenSSH', /does not speak HTTP/],
  ['TLS', '\x15\x03\x01\x00\x02', /does not speak HTTP/],
  ['a small h', 'http/1.1 101\r\n\r\n', /does not speak HTTP/],
  ['no status', 'HTTP/1.1\r\n\r\n', /status line/],
  ['a status of two digits', 'HTTP/1.1 99 x\r\n\r\n', /status line/],
  ['a blank too many', 'HTTP/1.1  101\r\n\r\n', /status line/],
  ['no colon', `${head}A\r\n\r\n`, /header line/],
  ['a blank before the colon', `${head}A : b\r\n\r\n`, /header line/],
  ['no name', `${head}: b\r\n\r\n`, /header line/],
  ['a folded line', `${head}A: b\r\n c\r\n\r\n`, /header line/],
  ['a zero in a value', `${head}A: b\0c\r\n\r\n`, /header line/],
  ['a lone LF in a value', `${head}A: b\nB: c\r\n\r\n`, /header line/],
  ['lines that end with LF', 'HTTP/1.1 101 x\nA: b\n\n', /LF, not CRLF/],
  ['too many headers', `${head}${'A: b\r\n'.repeat(201)}\r\n`, /more than 200 headers/],
  ['too many bytes', `${head}A: ${'b'.repeat(70_000)}`, /more than 65536 bytes/],
  ['interim answers for ever', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(5000), /more than 65536 bytes/],
];

describe('heads', () => {
  for (const [name, bytes, result] of heads) {
    test(name, { timeout: 20_000 }, () => {
      const buffer = Buffer.from(bytes, 'latin1');
      const check = (seen: Read): void => {
        if (result instanceof RegExp) assert.match(String(seen), result);
        else assert.deepEqual(seen, result);
      };
      check(read([buffer]));
      check(read(Array.from(buffer, (byte) => Uint8Array.of(byte))));
    });
  }
});

test('any segmentation of any bytes gives the same, in time', { timeout: 60_000 }, () => {
  const line = fc.oneof(
    fc.constantFrom(
      'HTTP/1.1 101 x\r\n',
      'HTTP/1.1 100 \r\n\r\n',
      'A: b\r\n',
      'A:\t\r\n',
      '\r\n',
      '\n',
      ' c\r\n',
      '\r',
    ),
    fc.string({ unit: 'binary-ascii', maxLength: 12 }),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.array(fc.nat(60), { maxLength: 4 }), (lines, places) => {
      const bytes = Buffer.from(`HTTP/1.1 101 y\r\n${lines.join('')}`, 'latin1');
      const bounds = [
        0,
        ...places.map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b),
        bytes.length,
      ];
      const chunks = bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
      assert.deepEqual(read(chunks), read([bytes]));
    }),
    { numRuns: 5000 },
  );
  // A value of blanks must not cost the square of its length.
  assert.equal(typeof read([Buffer.from(`${head}A: ${' '.repeat(60_000)}x\r\n\r\n`)]), 'object');
});
