// The live view: what it says of a second, and when.
import assert from 'node:assert/strict';
import { Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import type { Io } from '../../cli/io.ts';
import { liveView, snapshotLine } from '../../cli/live.ts';
import type { RunEvent, Snapshot } from '../../lib/result/events.ts';
import { displayWidth } from '../../reports/width.ts';

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

function terminal(
  isTTY: boolean,
  env: Record<string, string> = {},
  signal = new AbortController().signal,
): { io: Io; text: () => string } {
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
    signal,
    exit: () => {},
    finishMs: 5000,
    atCrash: () => {},
  };
  return { io, text: () => text };
}

test('live: a line says phase, connections, rate, p99, errors and time', () => {
  assert.equal(
    snapshotLine(snapshot),
    'measure  24 s/30 s  498/500 open  2 failed  4998 msg/s  p99 8.71 ms  3 errors',
  );
  const storm = snapshotLine({ ...snapshot, returns: { lost: 500, back: 498 } });
  assert.match(storm, / {2}498\/500 open {2}498\/500 back {2}2 failed {2}/);
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

const interval = (changes: Partial<Snapshot> = {}): RunEvent => ({
  type: 'interval',
  snapshot: { ...snapshot, ...changes },
});

test('live: on a terminal two lines are redrawn in place, within its width', () => {
  const { io, text } = terminal(true);
  const live = liveView(io, false);
  live.show(interval());
  const first = text();
  assert.ok(first.startsWith('\r\x1b[2K  connect  '));
  assert.match(
    first,
    /498\/500 open {2}0\.0 s {2}.*2 failed.*\n {2}measure .* 4,998 msg\/s {2}p99 8\.71 ms {2}.*3 errors.* {2}24\/30 s$/,
  );
  live.show(interval());
  assert.ok(
    text().slice(first.length).startsWith('\r\x1b[2K\x1b[1A\x1b[2K  connect'),
    'both are erased first',
  );
  // Made narrower: each of the lines, 79 columns at most, now takes two or three rows.
  io.stderr.columns = 40;
  const before = text().length;
  live.show(interval());
  assert.ok(
    text()
      .slice(before)
      .startsWith(`\r\x1b[2K${'\x1b[1A\x1b[2K'.repeat(3)}  connect`),
  );
  const narrow = text().slice(before).split('\x1b[2K').at(-1) ?? '';
  for (const line of narrow.split('\n')) assert.ok(displayWidth(line) < 40, line);
});

test('live: a warning and a signal stand above what is redrawn', () => {
  const controller = new AbortController();
  const { io, text } = terminal(true, {}, controller.signal);
  const live = liveView(io, false);
  live.show(interval());
  live.show({ type: 'warning', warning: { code: 'x', message: 'mind this' } });
  assert.ok(text().includes('2K  warning: mind this\n\r\x1b[2K  connect'));
  const before = text().length;
  controller.abort('SIGINT');
  assert.equal(text().slice(before), '\r\x1b[2K\x1b[1A\x1b[2K');
  io.stderr.write('SIGINT: finishing\n');
  live.show(interval());
  assert.ok(
    text().slice(before).includes('SIGINT: finishing\n\r\x1b[2K  connect'),
    'nothing above is erased',
  );
});

test('live: what was measured stays when it ends; a run that measured nothing leaves nothing', () => {
  const measured = terminal(true);
  const live = liveView(measured.io, false);
  live.show(interval());
  live.show({ type: 'phase', phase: 'drain' });
  live.show(interval({ phase: 'drain', receivedPerSecond: 0, errors: 7 }));
  live.end();
  const kept = measured.text().split('\x1b[2K').at(-1) ?? '';
  assert.match(kept, /^ {2}connect .*\n {2}measure .*4,998 msg\/s.*7 errors.*\n\n$/);
  const failed = terminal(true);
  const short = liveView(failed.io, false);
  short.show(interval({ phase: 'connect' }));
  short.end();
  assert.ok(failed.text().endsWith('\r\x1b[2K'));
});

test('live: colours only where they are wanted; CI, TERM=dumb and --quiet keep it plain or silent', () => {
  const red = '\x1b[31m';
  const shown = (env: Record<string, string>, color?: boolean): string => {
    const { io, text } = terminal(true, env);
    liveView(io, false, color).show(interval());
    return text();
  };
  assert.ok(shown({}).includes(`${red}2 failed`) && shown({}).includes(`${red}3 errors`));
  assert.ok(!shown({ NO_COLOR: '1' }).includes(red));
  assert.ok(!shown({}, false).includes(red));
  for (const env of [{ CI: 'true' }, { TERM: 'dumb' }]) {
    assert.ok(shown(env).startsWith('measure') && shown(env).endsWith('\n'));
  }
  const quiet = terminal(true);
  liveView(quiet.io, true).show(interval());
  assert.equal(quiet.text(), '');
});

test('live: characters outside ASCII only where the terminal knows them', () => {
  const isAscii = (env: Record<string, string>): boolean => {
    const { io, text } = terminal(true, env);
    liveView(io, false).show(interval());
    return /^[\s\x20-\x7e]*$/.test(text().replaceAll('\x1b', ''));
  };
  for (const env of [
    { LANG: 'C' },
    { LANG: 'de_DE.ISO-8859-1' },
    { LC_ALL: 'POSIX', LANG: 'C.UTF-8' },
    { TERM: 'linux' },
  ]) {
    assert.ok(isAscii(env), JSON.stringify(env));
  }
  for (const env of [{}, { LANG: 'C.UTF-8' }, { LC_ALL: 'de_DE.utf8' }])
    assert.ok(!isAscii(env), JSON.stringify(env));
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
