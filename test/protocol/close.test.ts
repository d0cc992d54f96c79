// Close frames: which codes are legal, and reasons that fit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { closeBody, isSendableCode, noCode, noFrame, readCloseBody } from '../../lib/protocol/close.ts';

// biome-ignore format: a table
const ranges: [from: number, to: number, registry: boolean, autobahn: boolean][] = [
  [0, 999, false, false],
  [1000, 1003, true, true],
  [1004, 1006, false, false],
  [1007, 1011, true, true],
  [1012, 1014, true, false],
  [1015, 2999, false, false],
  [3000, 4999, true, true],
  [5000, 65535, false, false],
];

test('every code, by both registries', () => {
  let next = 0;
  for (const [from, to, registry, autobahn] of ranges) {
    assert.equal(from, next, 'the table has a gap');
    next = to + 1;
    for (let code = from; code <= to; code++) {
      assert.equal(isSendableCode(code), registry, `${code}`);
      assert.equal(isSendableCode(code, 'autobahn'), autobahn, `${code} by Autobahn`);
    }
  }
  assert.equal(next, 65536);
});

test('what is written is read', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 3000, max: 4999 }),
      fc.string({ unit: 'grapheme', maxLength: 80 }),
      (code, reason) => {
        const body = closeBody(code, reason);
        assert.ok(body.length <= 125);
        const read = readCloseBody(body);
        assert.ok(!('rule' in read));
        assert.equal(read.code, code);
        const well = Buffer.from(reason).toString();
        assert.ok(Buffer.from(well).toString().startsWith(read.reason));
        // As much as fits: one more code point would be too much.
        const cutOff = [...well.slice(read.reason.length)][0];
        if (cutOff !== undefined) assert.ok(Buffer.byteLength(read.reason + cutOff) > 123);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a long reason is cut at a code point', () => {
  for (const sign of ['a', 'é', '世', '🌍']) {
    for (let lead = 0; lead < 4; lead++) {
      const body = closeBody(1000, 'x'.repeat(lead) + sign.repeat(200));
      const size = Buffer.byteLength(sign);
      assert.equal(body.length, 2 + lead + size * Math.floor((123 - lead) / size));
      assert.equal('rule' in readCloseBody(body), false);
    }
  }
});

test('bodies that say nothing, half a thing, or something wrong', () => {
  assert.deepEqual(readCloseBody(Buffer.alloc(0)), { code: noCode, reason: '' });
  assert.deepEqual(readCloseBody(Buffer.from('03e8', 'hex')), { code: 1000, reason: '' });
  const half = readCloseBody(Buffer.from('03', 'hex'));
  assert.ok('rule' in half && half.rule === 'close-length' && half.closeCode === 1002);
  const wrong = readCloseBody(Buffer.from('03ed', 'hex'));
  assert.ok('rule' in wrong && wrong.rule === 'close-code' && wrong.saidCode === 1005);
  const bad = readCloseBody(Buffer.from('03e8ff', 'hex'));
  assert.ok('rule' in bad && bad.rule === 'close-utf8' && bad.closeCode === 1007 && bad.saidCode === 1000);
});

test('a byte order mark is part of the reason', () => {
  assert.deepEqual(readCloseBody(closeBody(1000, '\ufeffbye')), { code: 1000, reason: '\ufeffbye' });
});

test('any code is written', () => {
  for (const code of [0, 999, 1005, 1006, 1015, 65535]) assert.equal(closeBody(code).readUInt16BE(0), code);
});

test('the codes that stand for no code and for no frame are never sent', () => {
  for (const code of [noCode, noFrame]) assert.ok(!isSendableCode(code) && !isSendableCode(code, 'autobahn'));
});
