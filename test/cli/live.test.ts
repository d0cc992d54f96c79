// The live view: what it says of a second, and when.
import assert from 'node:assert/strict';
import { Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import type { Io } from '../../cli/io.ts';
import { liveView, snapshotLine } from '../../cli/live.ts';
import type { Snapshot } from '../../lib/result/events.ts';

const snapshot: Snapshot = {
  phase: 'measure',
  elapsedMs: 24_010,
  plannedMs: 30_000,
  connections: { asked: 500, open: 498, failed: 2 },
  sentPerSecond: 5000,
  receivedPerSecond: 4998.4,
  p50Ms: 1.1,
  p99Ms: 8.714,
  errors: 3,
};

function terminal(isTTY: boolean, env: Record<string, string> = {}): { io: Io; text: () => string } {
  let text = '';
  const stderr: Io['stderr'] = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  stderr.isTTY = isTTY;
  stderr.columns = 80;
  const io: Io = {
    stdin: Readable.from([]),
    stdout: stderr,
    stderr,
    env,
    cwd: '/',
    signal: new AbortController().signal,
    exit: () => {},
  };
  return { io, text: () => text };
}

test('live: a line says phase, connections, rate, p99, errors and time', () => {
  assert.equal(
    snapshotLine(snapshot),
    'measure  24 s/30 s  498/500 open  2 failed  4998 msg/s  p99 8.71 ms  3 errors',
  );
  const connecting = snapshotLine({ ...snapshot, phase: 'connect', plannedMs: 0, elapsedMs: 1000 });
  assert.equal(connecting, 'connect  1 s  498/500 open  2 failed');
});

test('live: without a terminal, one line a phase and each five seconds', () => {
  const { io, text } = terminal(false);
  const live = liveView(io, false);
  for (let second = 0; second < 4; second++) live.show({ type: 'interval', snapshot });
  live.show({ type: 'interval', snapshot: { ...snapshot, phase: 'drain' } });
  live.show({ type: 'warning', warning: { code: 'x', message: 'mind this' } });
  live.end();
  assert.deepEqual(
    text()
      .split('\n')
      .map((line) => line.split('  ')[0]),
    ['measure', 'drain', 'warning: mind this', ''],
  );
});

test('live: on a terminal the line is redrawn within its width; CI and --quiet keep it plain or silent', () => {
  const tty = terminal(true);
  liveView(tty.io, false).show({ type: 'interval', snapshot });
  assert.ok(tty.text().startsWith('\r\x1b[2K  measure'));
  assert.ok(!tty.text().includes('\n'));
  assert.match(
    tty.text(),
    /p99 8\.71 ms {2}3 errors$/,
    'at 80 columns nothing is cut off, the bar gives way',
  );
  const wide = terminal(true);
  wide.io.stderr.columns = 120;
  liveView(wide.io, false).show({ type: 'interval', snapshot });
  assert.match(wide.text(), /3 errors {2}█{19}░{5}$/);
  const ascii = terminal(true, { LANG: 'C' });
  ascii.io.stderr.columns = 120;
  liveView(ascii.io, false).show({ type: 'interval', snapshot });
  assert.match(ascii.text(), /3 errors {2}#{19}\.{5}$/);
  const ci = terminal(true, { CI: 'true' });
  liveView(ci.io, false).show({ type: 'interval', snapshot });
  assert.ok(ci.text().startsWith('measure') && ci.text().endsWith('\n'));
  const quiet = terminal(true);
  liveView(quiet.io, true).show({ type: 'interval', snapshot });
  assert.equal(quiet.text(), '');
});

const verdict = (done: number, behavior: 'OK' | 'FAILED') => ({
  type: 'verdict' as const,
  agent: 'server\u001b[2J',
  verdict: {
    caseId: `1.1.${done}`,
    title: 't',
    spec: 's',
    behavior,
    behaviorClose: 'OK' as const,
    remoteCloseCode: null,
    durationMs: 1,
  },
  done,
  total: 3,
});

test('live: cases so far, those that failed counted; without a terminal the first, one in five seconds, the last', () => {
  const tty = terminal(true);
  const fancy = liveView(tty.io, false);
  const plain = terminal(false);
  const lines = liveView(plain.io, false);
  for (const event of [verdict(1, 'OK'), verdict(2, 'FAILED'), verdict(3, 'OK')]) {
    fancy.show(event);
    lines.show(event);
  }
  assert.ok(tty.text().endsWith('\r\x1b[2K  3/3 cases  1 failed  1.1.3 OK  server\ufffd[2J'), tty.text());
  assert.equal(
    plain.text(),
    '1/3 cases  1.1.1 OK  server\ufffd[2J\n3/3 cases  1 failed  1.1.3 OK  server\ufffd[2J\n',
  );
});
