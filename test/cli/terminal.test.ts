// What a terminal is taken to show, and what is said to it after a run.
import assert from 'node:assert/strict';
import { Readable, Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { finish, type OutputFlags, terminalStyle } from '../../cli/finish.ts';
import { type Io, note } from '../../cli/io.ts';
import { liveView } from '../../cli/live.ts';
import type { NextWays } from '../../cli/next-step.ts';
import type { Result } from '../../lib/result/result.ts';
import { displayWidth } from '../../reports/width.ts';
import * as conform from '../fixtures/conform-results.ts';
import * as fixtures from '../fixtures/results.ts';
import { emptyFolder, run } from './spawn.ts';

interface Screen {
  io: Io;
  out: () => string;
  err: () => string;
}

function screen(env: Io['env'], { isTTY = true, columns = 80, cwd = '/' } = {}): Screen {
  const texts = { out: '', err: '' };
  const stream = (name: keyof typeof texts): Io['stdout'] => {
    const made: Io['stdout'] = new Writable({
      write(chunk, _encoding, done) {
        texts[name] += String(chunk);
        done();
      },
    });
    return Object.assign(made, { isTTY, columns });
  };
  const io: Io = {
    stdin: Readable.from([]),
    stdout: stream('out'),
    stderr: stream('err'),
    env,
    cwd,
    signal: new AbortController().signal,
    exit: () => {},
    finishMs: 5000,
    atCrash: () => {},
  };
  return { io, out: () => texts.out, err: () => texts.err };
}

// biome-ignore format: a table
const colours: [Io['env'], boolean, boolean | undefined, boolean][] = [
  [{}, true, undefined, true], [{}, false, undefined, false],
  [{ TERM: 'dumb' }, true, undefined, false], [{ TERM: 'xterm-256color' }, true, undefined, true],
  [{ CI: 'true' }, true, undefined, true], [{ CI: 'true' }, false, undefined, false],
  [{ NO_COLOR: '1' }, true, undefined, false], [{ NO_COLOR: '' }, true, undefined, true],
  [{ FORCE_COLOR: '1' }, false, undefined, true], [{ FORCE_COLOR: 'true', TERM: 'dumb' }, false, undefined, true],
  [{ FORCE_COLOR: '0' }, true, undefined, false], [{ FORCE_COLOR: 'false' }, true, undefined, false],
  [{ FORCE_COLOR: '' }, false, undefined, false],
  [{ FORCE_COLOR: '1', NO_COLOR: '1' }, true, undefined, false],
  [{ FORCE_COLOR: '1' }, true, false, false], [{}, true, false, false],
];
for (const [env, isTTY, flag, wanted] of colours) {
  const where = isTTY ? 'on a terminal' : 'into a pipe';
  const how = flag === false ? ' with --no-color' : '';
  test(`colours: ${JSON.stringify(env)} ${where}${how}: ${wanted ? 'yes' : 'no'}`, () =>
    assert.equal(terminalStyle(screen(env, { isTTY }).io, flag).color, wanted));
}

test('width: that of the terminal between 60 and 120; into a pipe 80', () => {
  const width = (columns: number, isTTY = true): number =>
    terminalStyle(screen({}, { columns, isTTY }).io).width;
  assert.deepEqual(
    [40, 60, 92, 120, 300].map((columns) => width(columns)),
    [60, 60, 92, 120, 120],
  );
  assert.equal(width(300, false), 80);
});

test('the live view of the cases keeps to width and charset, whatever the agent is called', () => {
  for (const env of [{ LANG: 'C.UTF-8' }, { LANG: 'C' }]) {
    const { io, err } = screen(env, { columns: 40 });
    const live = liveView(io, false);
    live.show({
      type: 'verdict',
      agent: '受験サーバー 受験サーバー 受験サーバー',
      verdict: conform.verdict('1.1.1', 'title'),
      done: 1,
      total: 3,
    });
    const line = err().split('\x1b[2K').at(-1) ?? '';
    assert.ok(displayWidth(line) < 40 && line.includes('1/3 cases'), line);
    if (env.LANG === 'C') assert.match(line, /^[\x20-\x7e]*$/);
    else assert.match(line, /受験.*…$/);
  }
});

test('notes and help are ASCII where the terminal knows no more', { timeout: 30_000 }, async (t) => {
  const { io, err } = screen({ LANG: 'C' });
  note(io, 'exit 99: 5 × 10 µs → "§5" – 日本');
  assert.equal(err(), 'exit 99: 5 x 10 us -> "section 5" - \\u{65e5}\\u{672c}\n');
  for (const args of [
    ['--help'],
    ['stress', '--help'],
    ['quick', '--list'],
    ['conform', '--list', '1', '12.1'],
  ]) {
    const { stdout } = await run(args, { cwd: emptyFolder(t), env: { LANG: 'C' } });
    assert.match(stdout, /^[\n\x20-\x7e]+$/, args.join(' '));
  }
});

const ways: NextWays = {
  stress: 'wsbench stress U',
  connect: 'wsbench connect U',
  conform: 'wsbench conform U',
};

/** What is said on stderr after a result. */
function said(
  t: TestContext,
  result: Result,
  flags: OutputFlags,
  env: Io['env'] = {},
  isTTY = true,
): string[] {
  const { io, err } = screen(env, { cwd: emptyFolder(t), isTTY });
  finish(result, [], flags, io, { ways });
  return err().trimEnd().split('\n');
}

const report = 'wsbench report latest -o report.html';
// biome-ignore format: a table
const steps: [string, Result, string[]][] = [
  ['quick that passed', fixtures.quickPassed(), ['wsbench stress U']],
  ['quick that failed', fixtures.quickFailed(), [report]],
  ['quick that reached nobody', fixtures.quickUnreachable(), ['wsbench connect U']],
  ['stress that passed', fixtures.stressPassed(), [report, 'wsbench compare before.json latest']],
  ['stress that was limited by the generator', fixtures.stressInconclusive(), ['wsbench doctor', report]],
  ['stress that was interrupted', fixtures.stressInterrupted(), [report]],
  ['conform that passed', conform.conformPassed(), [report]],
  ['conform with three failures', conform.conformFailed(), ['wsbench conform U 4.1.1 6.3.1 7.9.1 -v', report]],
];
for (const [name, result, wanted] of steps) {
  test(`after a ${name}, what to do next`, (t) => {
    const lines = said(t, result, {});
    assert.match(lines[0] ?? '', /^Saved \.wsbench\/runs\/.*\.json$/);
    const next = lines.filter((line) => /^(Next:| {5}) /.test(line));
    assert.deepEqual(
      next.map((line) => line.slice(6)),
      wanted,
    );
    assert.ok(next[0]?.startsWith('Next: '));
    if (result.outcome !== 'passed') assert.match(lines.at(-1) ?? '', /^exit \d+: /);
  });
}

test('no hints for a pipe, a CI job, or somebody who wants it quiet; the exit line stays', (t) => {
  const failed = fixtures.quickFailed();
  const exit = /^exit 1: 2 checks failed/;
  for (const lines of [said(t, failed, {}, { CI: 'true' }), said(t, failed, {}, {}, false)]) {
    assert.equal(lines.length, 2);
    assert.match(lines[0] ?? '', /^Saved /);
    assert.match(lines[1] ?? '', exit);
  }
  const quiet = said(t, failed, { quiet: true });
  assert.equal(quiet.length, 1);
  assert.match(quiet[0] ?? '', exit);
});

test('-v tells more of each kind of run, and nothing else changes', (t) => {
  const text = (result: Result, verbose: boolean): string => {
    const { io, out } = screen({}, { cwd: emptyFolder(t), isTTY: false });
    finish(result, [], { verbose, save: false }, io, { ways });
    return out();
  };
  // biome-ignore format: a table
  const more: [Result, RegExp][] = [
    [fixtures.quickPassed(), /Connection, 3\.21 ms/],
    [fixtures.stressPassed(), /Connect: TCP[\s\S]*Phases +connect 12 ms[\s\S]*second +sent\/s/],
    [conform.conformFailed(), /\[81 05\]/],
  ];
  for (const [result, words] of more) {
    assert.doesNotMatch(text(result, false), words);
    assert.match(text(result, true), words);
  }
});
