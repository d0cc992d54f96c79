import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatDuration,
  formatRate,
  parseCount,
  parseDurationMs,
  parseRatePerSecond,
  parseSizeBytes,
} from '../lib/duration.ts';

function refuses(parse: (text: string) => number, text: string, message: RegExp): void {
  assert.throws(
    () => parse(text),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'USAGE', text);
      assert.match(error.message, message, text);
      return true;
    },
  );
}

test('durations', () => {
  // biome-ignore format: a table
  const valid: [string, number][] = [
    ['250ms', 250], ['10s', 10_000], ['5m', 300_000], ['1h', 3_600_000], ['1.5s', 1500], ['.5s', 500], ['0s', 0],
    ['100us', 0.1], ['100µs', 0.1], [' 10 s ', 10_000], ['10S', 10_000], ['10Ms', 10],
  ];
  for (const [text, ms] of valid) assert.equal(parseDurationMs(text), ms, text);
  refuses(parseDurationMs, '10', /"10" has no unit; write 10s or 10ms/);
  for (const text of [
    '',
    's',
    '-1s',
    '1e3s',
    '10sec',
    '1h30m',
    '10 s s',
    'NaNs',
    'Infinitys',
    '5constructor',
    '5tostring',
    '0x10s',
    '1.s',
  ]) {
    refuses(parseDurationMs, text, /not a duration/);
  }
  refuses((text) => parseDurationMs(text, 'warm-up'), 'x', /^warm-up: /);
});

test('counts', () => {
  // biome-ignore format: a table
  const valid: [string, number][] = [['1', 1], ['500', 500], ['10k', 10_000], ['1.5m', 1_500_000], ['1.5K', 1500], ['0.001k', 1], ['1.1k', 1100]];
  for (const [text, count] of valid) assert.equal(parseCount(text), count, text);
  for (const text of ['', '0', '-1', '1.5', '0.0001k', '1e3', 'k', '10g', 'NaN', '5constructor']) {
    refuses(parseCount, text, /not a whole number of at least 1/);
  }
  assert.equal(parseCount('0', 'count', 0), 0);
});

test('rates', () => {
  // biome-ignore format: a table
  const valid: [string, number][] = [
    ['100/s', 100], ['5k/s', 5000], ['100', 100], ['600/m', 10], ['600/min', 10], ['3600/h', 1], ['0.5/s', 0.5],
    ['100 / s', 100], ['1.5k', 1500], ['1m/s', 1_000_000], ['60/minute', 1],
  ];
  for (const [text, rate] of valid) assert.equal(parseRatePerSecond(text), rate, text);
  for (const text of [
    '',
    '0',
    '0/s',
    '-1/s',
    '/s',
    '100/d',
    '100/s/s',
    'fast',
    '5constructor',
    'NaN',
    '1/',
  ]) {
    refuses(parseRatePerSecond, text, /not a rate/);
  }
});

test('sizes are binary', () => {
  // biome-ignore format: a table
  const valid: [string, number][] = [['0', 0], ['64', 64], ['64b', 64], ['1k', 1024], ['64KiB', 65_536], ['1MiB', 1_048_576], ['1mb', 1_048_576], ['1.5k', 1536]];
  for (const [text, bytes] of valid) assert.equal(parseSizeBytes(text), bytes, text);
  for (const text of ['', '-1', '1.5', '1g', 'k', '5constructor', '0.3k'])
    refuses(parseSizeBytes, text, /not a size/);
});

test('durations for people', () => {
  // biome-ignore format: a table
  const shown: [number, string][] = [
    [0, '0 ms'], [0.25, '0.25 ms'], [250, '250 ms'], [999.994, '999.99 ms'], [999.999, '1 s'], [1000, '1 s'], [1500, '1.5 s'],
    [59_990, '59.99 s'], [59_999, '1 m'], [60_000, '1 m'], [90_000, '1 m 30 s'], [3_599_400, '59 m 59 s'],
    [3_599_900, '1 h'], [3_600_000, '1 h'], [5_400_000, '1 h 30 m'], [90_000_000, '25 h'],
  ];
  for (const [ms, text] of shown) assert.equal(formatDuration(ms), text, String(ms));
});

test('rates for people', () => {
  assert.deepEqual([100, 0.5, 5000, 33.333].map(formatRate), ['100/s', '0.5/s', '5000/s', '33.33/s']);
});

test('whatever is given, the answer is a usable number or a USAGE error', () => {
  const texts = fc.oneof(fc.string(), fc.stringMatching(/^[\d.]{1,6} ?[a-zµ/]{0,12}$/));
  for (const parse of [parseDurationMs, parseCount, parseRatePerSecond, parseSizeBytes]) {
    fc.assert(
      fc.property(texts, (text) => {
        try {
          const value = parse(text);
          assert.ok(Number.isFinite(value) && value >= 0, `${text} gave ${value}`);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'USAGE', String(error));
        }
      }),
    );
  }
});

test('a duration in whole ms survives writing and reading, where it is written with one unit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 59_990 }), (ms) => {
      const text = formatDuration(ms);
      assert.ok(Math.abs(parseDurationMs(text) - ms) <= 5, text);
    }),
  );
});
