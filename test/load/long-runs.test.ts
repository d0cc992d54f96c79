// A day of series: memory and result stay bounded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../lib/load/pacer.ts';
import { rowsOf, SeriesRecorder } from '../../lib/load/series.ts';
import { SeriesBook } from '../../lib/load/series-book.ts';

const mib = 2 ** 20;

/** Two workers tell a series of so many seconds, a few messages each; what came of it. */
function told(seconds: number, perSecond: number) {
  const engines = [0, 1].map(() => new SeriesRecorder(seconds * 1e6));
  const book = new SeriesBook(seconds * 1e6, engines.length);
  const random = seededRandom(1);
  let histograms = 0;
  for (let second = 0; second < seconds; second++) {
    for (const [engine, series] of engines.entries()) {
      const atUs = second * 1e6;
      for (let n = 0; n < perSecond; n++) {
        series.sent(atUs + n);
        series.received(atUs + n);
        series.matched(atUs + n, 100 + 1e5 * random());
      }
      series.connections(atUs, 500);
      series.advance(atUs - 5e6);
      book.add(engine, series.news());
      histograms = Math.max(histograms, series.histograms);
    }
  }
  return { series: book.finish(seconds * 1e6), histograms };
}

test('24 h: rows of two seconds, without payloads; at most 20 MiB of JSON', { timeout: 120_000 }, () => {
  const before = process.memoryUsage();
  const { series, histograms } = told(86_400, 2);
  const after = process.memoryUsage();
  assert.equal(series.secondsPerRow, 2);
  assert.equal(series.due.length, 43_200);
  assert.equal(series.due.at(-1)?.second, 86_398);
  assert.equal(series.wall.at(-1)?.open, 1000);
  assert.ok(series.due.every(({ matched, hdr }) => matched === 8 && hdr === undefined));
  assert.ok(series.wall.every(({ sent }) => sent === 8));
  assert.ok(histograms <= 64, `${histograms} histograms`);
  assert.ok(JSON.stringify(series, null, 2).length < 20 * mib);
  const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  assert.ok(grown < 64 * mib, `${Math.round(grown / mib)} MiB more`);
});

test('an hour: payloads of every second, at most 20 MiB of JSON', { timeout: 120_000 }, () => {
  const { series } = told(3600, 100);
  assert.equal(series.secondsPerRow, undefined);
  assert.ok(series.due.every(({ hdr }) => hdr !== undefined));
  assert.ok(JSON.stringify(series, null, 2).length < 20 * mib);
});

test('replies to more seconds than histograms are held for: none is left out', () => {
  const series = new SeriesRecorder(600e6);
  const book = new SeriesBook(600e6, 1);
  // A target that had stalled for ten minutes answers in no order.
  const random = seededRandom(2);
  for (let n = 0; n < 6000; n++) series.matched(Math.floor(600 * random()) * 1e6, 1000);
  assert.ok(series.histograms <= 65, `${series.histograms} histograms`);
  book.add(0, series.news());
  const { due } = book.finish(600e6);
  assert.equal(
    due.reduce((sum, { matched }) => sum + matched, 0),
    6000,
  );
});

test('how many rows', () => {
  for (const [seconds, rows, each] of [
    [0.2, 1, 1],
    [30, 30, 1],
    [43_200, 43_200, 1],
    [43_201, 21_601, 2],
    [7 * 86_400, 43_200, 14],
  ] as const) {
    assert.deepEqual(rowsOf(seconds * 1e6), { rows, seconds: each });
  }
});
