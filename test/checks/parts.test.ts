// The small parts that checks stand on: budgets, endpoints, raw frames, forged tokens, errors in words.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Budget } from '../../lib/checks/budget.ts';
import { clientFrame } from '../../lib/checks/client-frame.ts';
import { CloseFinder } from '../../lib/checks/close-finder.ts';
import { endpointUrl, hasSiblings, isLoopback } from '../../lib/checks/endpoints.ts';
import {
  claimsOf,
  withAlteredClaims,
  withForeignSignature,
  withoutSignature,
} from '../../lib/checks/forge.ts';
import { readEnvelope, readWelcome } from '../../lib/checks/message.ts';
import { createVerifier, generateSigningKey, mintToken } from '../../lib/token.ts';

test('a budget never asks for more than burst and rate allow', () => {
  const limits = { name: 'x', messagesPerMinute: 600, burstLimit: 10, violationPenaltyMs: 1000 };
  const budget = new Budget(limits, 0);
  let nowMs = 0;
  const sentMs: number[] = [];
  for (let n = 0; n < 50; n++) {
    nowMs += budget.take(nowMs);
    sentMs.push(nowMs);
  }
  // In every window: at most burst + rate · Δt.
  for (const [from, startMs] of sentMs.entries()) {
    for (let to = from; to < sentMs.length; to++) {
      const windowMs = (sentMs[to] ?? 0) - startMs;
      assert.ok(to - from + 1 <= 10 + windowMs * 0.01 + 1e-9, `${to - from + 1} in ${windowMs} ms`);
    }
  }
  assert.ok(nowMs > 3000 && nowMs < 5000, `50 messages took ${nowMs} ms`);
});

test('a budget without limits never waits', () => {
  const budget = new Budget({ messagesPerMinute: null, burstLimit: null }, 0);
  for (let n = 0; n < 1000; n++) assert.equal(budget.take(0), 0);
});

for (const [given, endpoint, expected] of [
  ['ws://h:1/ws', 'ws', 'ws://h:1/ws'],
  ['ws://h:1/ws', 'dashboard', 'ws://h:1/ws/dashboard'],
  ['ws://h:1/ws/', 'agent', 'ws://h:1/ws/agent'],
  ['ws://h:1/ws/dashboard', 'agent', 'ws://h:1/ws/agent'],
  ['wss://h/prefix/ws?a=1', 'dashboard', 'wss://h/prefix/ws/dashboard?a=1'],
  ['wss://h/prefix/ws?a=1', 'status', 'https://h/prefix/api/status'],
  ['ws://h:1/ws', 'status', 'http://h:1/api/status'],
] as const) {
  test(`${endpoint} of ${given} is ${expected}`, () => assert.equal(endpointUrl(given, endpoint), expected));
}

test('siblings can be derived from a path that ends in /ws only', () => {
  for (const url of ['ws://h/ws', 'ws://h/a/ws/', 'ws://h/ws/echo'])
    assert.equal(hasSiblings(url), true, url);
  for (const url of ['ws://h/', 'ws://h/news', 'ws://h/ws/other']) assert.equal(hasSiblings(url), false, url);
});

test('this machine is told from others', () => {
  for (const host of ['localhost', 'a.localhost', '127.0.0.1', '127.9.8.7', '[::1]']) {
    assert.equal(isLoopback(`ws://${host}:1/`), true, host);
  }
  for (const host of ['example.com', '10.0.0.1', '127.0.0.1.example.com', '[::2]', 'localhost.example.com']) {
    assert.equal(isLoopback(`ws://${host}:1/`), false, host);
  }
});

test('client frames are masked, and carry any first byte', () => {
  const frame = clientFrame(0xa1, Buffer.from('hello'));
  assert.equal(frame[0], 0xa1);
  assert.equal(frame[1], 0x85);
  const body = frame.subarray(6).map((byte, index) => byte ^ (frame[2 + (index % 4)] ?? 0));
  assert.equal(Buffer.from(body).toString(), 'hello');
  assert.deepEqual([...clientFrame(0x81, Buffer.from('hi'), false)], [0x81, 2, 0x68, 0x69]);
  assert.throws(() => clientFrame(0x81, randomBytes(126)), RangeError);
});

test('the close frame is found behind other frames, of any length form', () => {
  const frame = (first: number, head: number[], payload: Buffer): Buffer =>
    Buffer.concat([Buffer.from([first, ...head]), payload]);
  const short = frame(0x81, [3], Buffer.from('abc'));
  const medium = frame(0x81, [126, 1, 0], Buffer.alloc(256, 0x88));
  const long = frame(0x82, [127, 0, 0, 0, 0, 0, 1, 0, 0], Buffer.alloc(65_536, 0x88));
  const close = frame(0x88, [2], Buffer.from([0x03, 0xea]));
  const all = Buffer.concat([short, medium, long, close]);
  const codeIn = (bytes: Buffer, step = bytes.length): number | undefined => {
    const finder = new CloseFinder();
    for (let at = 0; at < bytes.length; at += step) finder.push(bytes.subarray(at, at + step));
    return finder.code;
  };
  for (const step of [all.length, 1, 7, 1000]) assert.equal(codeIn(all, step), 1002, `in steps of ${step}`);
  for (const cut of [0, 1, 2, 5, 6, 7, 300, all.length - 4, all.length - 1]) {
    assert.equal(codeIn(all.subarray(0, cut)), undefined, `cut at ${cut}`);
  }
  assert.equal(codeIn(frame(0x88, [0], Buffer.alloc(0))), 1005);
});

for (const kind of ['secret', 'jwk'] as const) {
  test(`forged from a token with a ${kind}: each is refused, for its own flaw`, async () => {
    const secret = randomBytes(48).toString('base64url');
    const { jwk, jwks } = await generateSigningKey();
    const valid = await mintToken(kind === 'secret' ? { secret } : { jwk }, { sub: 'alice' });
    const verify = createVerifier(kind === 'secret' ? { secret } : { jwks });
    assert.equal((await verify(valid)).ok, true);
    for (const forged of [withAlteredClaims(valid), await withForeignSignature(valid)]) {
      const verdict = await verify(forged);
      assert.deepEqual({ ok: verdict.ok, why: !verdict.ok && verdict.why }, { ok: false, why: 'signature' });
    }
    assert.equal(claimsOf(await withForeignSignature(valid)).sub, 'alice');
    for (const unsigned of withoutSignature(valid)) {
      assert.equal(claimsOf(unsigned).sub, 'alice');
      assert.equal((await verify(unsigned)).ok, false);
    }
  });
}

test('a WELCOME without what checks go by is none', () => {
  const payload = {
    sub: null,
    roles: [],
    heartbeat: { intervalMs: 1, timeoutMs: 1 },
    limits: { name: 'off', messagesPerMinute: null, burstLimit: null, violationPenaltyMs: null },
    maxMessageBytes: 1,
  };
  const welcome = (changes: object): unknown => {
    const envelope = readEnvelope(JSON.stringify({ type: 'WELCOME', payload: { ...payload, ...changes } }));
    return envelope && readWelcome(envelope);
  };
  assert.ok(welcome({}));
  for (const field of Object.keys(payload).filter((name) => name !== 'sub')) {
    assert.equal(welcome({ [field]: undefined }), undefined, field);
  }
});
