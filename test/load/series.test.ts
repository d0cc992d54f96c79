// Per-second series, backlog and failures: small pure parts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backlog, backlogGrowth } from '../../lib/load/backlog.ts';
import { FailureLog } from '../../lib/load/failures.ts';
import { SeriesRecorder } from '../../lib/load/series.ts';
import { SeriesBook } from '../../lib/load/series-book.ts';
import { Histogram } from '../../lib/metrics/histogram.ts';

test('seconds by due time, histograms used again', () => {
  const series = new SeriesRecorder(100e6);
  const book = new SeriesBook(100e6, 1);
  for (let second = 0; second < 100; second++) {
    series.matched(second * 1e6 + 5, 1000 * (second + 1));
    series.count(second * 1e6 + 10, second % 2 === 0 ? 'lost' : 'rejected');
    // Two seconds are still open at any time.
    series.advance((second - 1) * 1e6);
    book.add(0, series.news());
    assert.ok(series.histograms <= 4, `${series.histograms} histograms`);
  }
  const { due } = book.finish(100e6);
  assert.equal(due.length, 100);
  for (const [index, second] of due.entries()) {
    assert.equal(second.second, index);
    assert.equal(second.matched, 1);
    assert.equal(second.lost, index % 2 === 0 ? 1 : 0);
    assert.equal(second.rejected, index % 2);
    // With one of two messages lost the median is the other one, and the maximum is unknown.
    assert.ok(Math.abs((second.p50 ?? 0) - (index + 1)) <= 0.001 * (index + 1));
    assert.equal(second.max === null, index % 2 === 0);
    assert.equal(Histogram.decode(second.hdr ?? '').count, 1);
  }
});

test('a second in which nothing was due, and messages beyond the ends', () => {
  const series = new SeriesRecorder(2.5e6);
  series.matched(-1, 5);
  series.matched(9e6, 5);
  series.sent(0);
  series.connections(1.2e6, 3);
  series.received(3.7e6);
  const book = new SeriesBook(2.5e6, 1);
  book.add(0, series.news());
  const { due, wall } = book.finish(2.5e6);
  assert.deepEqual(
    due.map((second) => [second.matched, second.p50 === null]),
    [
      [1, false],
      [0, true],
      [1, false],
    ],
  );
  assert.deepEqual(wall, [
    { second: 0, sent: 1, received: 0, open: 0 },
    { second: 1, sent: 0, received: 0, open: 3 },
    { second: 2, sent: 0, received: 0, open: 3 },
    { second: 3, sent: 0, received: 1, open: 3 },
  ]);
});

const backlogs: [string, (share: number) => number, boolean][] = [
  ['steady', () => 100, false],
  ['growing', (share) => 1000 * share, true],
  ['stalling now and then', (share) => (Math.floor(share * 20) % 5 === 0 ? 1000 : 0), false],
  ['growing by little', (share) => 40 * share, false],
  ['shrinking', (share) => 1000 * (1 - share), false],
];
for (const [name, at, grows] of backlogs) {
  test(`a backlog that is ${name}`, () => {
    const backlog = new Backlog(0, 1e6);
    for (let us = 0; us <= 1e6; us += 1000) backlog.sample(us, at(us / 1e6));
    assert.equal(backlogGrowth(backlog.data(), 1000) > 0, grows);
  });
}

test('failures are grouped by cause and bounded', () => {
  const log = new FailureLog();
  for (let port = 0; port < 100; port++) log.add('refused', `connect ECONNREFUSED 127.0.0.1:${port}`);
  log.add('http', 'HTTP 401 Unauthorized; body: request 1');
  log.add('http', 'HTTP 401 Unauthorized; body: request two of many');
  log.add('http', 'HTTP 503 Service Unavailable');
  for (let i = 0; i < 50; i++)
    log.add('handshake', `odd ${String.fromCharCode(97 + (i % 26)).repeat(i + 1)}`);
  const { records } = log;
  assert.equal(records[0]?.count, 100);
  assert.equal(records.find((record) => record.detail.startsWith('HTTP 401'))?.count, 2);
  assert.ok(records.length <= 21);
  assert.equal(
    records.reduce((sum, record) => sum + record.count, 0),
    153,
  );
});
