// compare, baselines and runs, through the command.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer, parseResult } from '../../lib/index.ts';
import type { Result } from '../../lib/result/result.ts';
import { fileReport, json } from '../../reports/index.ts';
import { conformExpected, conformFailed } from '../fixtures/conform-results.ts';
import { quickFailed, quickPassed, stressLost, stressPassed } from '../fixtures/results.ts';
import { seriesOf } from '../fixtures/shard.ts';
import { skipUnless } from '../require.ts';
import { emptyFolder, run, runConclusive } from './spawn.ts';

/** A folder with results as files. */
function folderWith(t: TestContext, files: Record<string, Result>): string {
  const cwd = emptyFolder(t);
  for (const [name, result] of Object.entries(files)) {
    mkdirSync(join(cwd, name, '..'), { recursive: true });
    writeFileSync(join(cwd, name), json([result], fileReport));
  }
  return cwd;
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

test('compare: intervals in every format; a limit that is crossed is exit 1 with its line', {
  timeout: 60_000,
}, async (t) => {
  const cwd = folderWith(t, { 'a.json': seriesOf(24, 1000, 1), 'b.json': seriesOf(24, 1300, 2) });
  const plain = await run(['compare', 'a.json', 'b.json', '-o', 'c.md', '-o', 'c.json', '-o', 'c.txt'], {
    cwd,
  });
  assert.equal(plain.code, 0, plain.stderr);
  assert.match(plain.stdout, /Round trip p50 .* likely worse/);
  assert.match(readFileSync(join(cwd, 'c.md'), 'utf8'), /\| 95 % interval \| Verdict \|/);
  assert.match(readFileSync(join(cwd, 'c.txt'), 'utf8'), /likely worse/);
  const saved = JSON.parse(readFileSync(join(cwd, 'c.json'), 'utf8')) as { rows: { interval?: object }[] };
  assert.equal(saved.rows.filter(({ interval }) => interval).length, 5);
  const again = await run(['compare', 'a.json', 'b.json'], { cwd });
  assert.equal(again.stdout, plain.stdout, 'the same text each time');
  const gate = ['compare', 'a.json', 'b.json', '--fail-on', 'rtt.p99>+10%', '--fail-on', 'messages.lost>0'];
  const crossed = await run(gate, { cwd });
  assert.equal(crossed.code, 1, crossed.stderr);
  assert.match(
    lastLine(crossed.stderr),
    /^exit 1: --fail-on rtt\.p99>\+10%: \+\d+\.\d % \(4\.\d\d ms → 5\.\d\d ms\)$/,
  );
  const met = await run(['compare', 'a.json', 'b.json', '--fail-on', 'rtt.p99>+1000%'], { cwd });
  assert.equal(met.code, 0, met.stderr);
});

test('compare: what cannot be asked is exit 2, one line', { timeout: 60_000 }, async (t) => {
  const cwd = folderWith(t, { 's.json': stressPassed(), 'q.json': quickPassed() });
  for (const [args, says] of [
    [['s.json', 's.json', '--fail-on', 'rt.p99>+1%'], /unknown metric "rt\.p99"; did you mean "rtt\.p99"\?/],
    [['s.json', 's.json', '--fail-on', 'rtt.p99>1%'], /a change has a sign/],
    [['s.json', 'q.json'], /cannot compare a stress run with a quick run/],
    [['s.json'], /give two results, or one and --baseline/],
    [['s.json', 's.json', '--baseline', 'main'], /with --baseline, give one result or none/],
    [['s.json', '--baseline', 'main'], /no baseline and no file "main"; --save-baseline makes one/],
    [['--baseline', 'latest'], /compared with itself/],
    [['s.json', '--baseline', 'q.json'], /cannot compare a quick run with a stress run/],
  ] as const) {
    const result = await run(['compare', ...args], { cwd });
    assert.equal(result.code, 2, `${args.join(' ')}: ${result.stderr}`);
    assert.match(result.stderr, says);
    assert.equal(result.stderr.trim().split('\n').length, 1);
    assert.equal(result.stdout, '');
  }
});

test('compare: one result against a baseline, the newest run by default', { timeout: 60_000 }, async (t) => {
  const cwd = folderWith(t, { 'worse.json': conformFailed(), '.wsbench/runs/latest.json': conformFailed() });
  writeFileSync(join(cwd, 'known.json'), json([conformExpected()], fileReport));
  const saved = await run(['runs', '--save-baseline', 'main', 'known.json'], { cwd });
  assert.equal(saved.code, 0, saved.stderr);
  assert.match(saved.stderr, /Saved \.wsbench[/\\]baselines[/\\]main\.json/);
  const [named, newest] = await Promise.all([
    run(['compare', 'worse.json', '--baseline', 'main', '--fail-on', 'cases.failed>+100'], { cwd }),
    run(['compare', '--baseline', 'main', '--fail-on', 'cases.failed>+100'], { cwd }),
  ]);
  assert.equal(newest.stdout, named.stdout);
  assert.deepEqual([named.code, newest.code], [named.code, named.code]);
  assert.match(named.stdout, /Conformance before and after/);
});

test('stress: a baseline is kept, compared with, and written into every report', {
  timeout: 120_000,
}, async (t) => {
  const cwd = emptyFolder(t);
  const server = await createServer({ environment: 'test', limits: 'off' });
  t.after(() => server.close());
  const url = `${await server.listen()}/ws/echo`;
  const load = ['stress', url, '-d', '1s', '-r', '50/s', '--warmup', '100ms'];
  const missing = await run([...load, '--baseline', 'mian'], { cwd });
  assert.equal(missing.code, 2);
  const first = await runConclusive([...load, '--save-baseline', 'main'], { cwd });
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stderr, /Saved .*baselines.main\.json/);
  assert.doesNotMatch(first.stdout, /--save-baseline/, 'not part of the run');
  const typo = await run([...load, '--baseline', 'mian'], { cwd });
  assert.equal(typo.code, 2);
  assert.match(typo.stderr, /no baseline and no file "mian"; did you mean "main"\?/);
  const kept = parseResult(readFileSync(join(cwd, '.wsbench/baselines/main.json'), 'utf8'), 'main');
  const summary = join(cwd, 'summary.md');
  const compared = await runConclusive(
    [...load, '--baseline', 'main', '-o', 'r.md', '-o', 'r.txt', '-o', 'r.json'],
    {
      cwd,
      env: { GITHUB_STEP_SUMMARY: summary },
    },
  );
  assert.equal(compared.code, 0, compared.stderr);
  assert.match(compared.stdout, /Performance improvements/);
  for (const file of ['r.md', 'r.txt', 'summary.md'])
    assert.ok(readFileSync(join(cwd, file), 'utf8').includes(kept.run.id), file);
  // The result stays what it is without a baseline.
  assert.equal(parseResult(readFileSync(join(cwd, 'r.json'), 'utf8'), 'r').kind, 'stress');
  // `latest` is the run before this one.
  const before = parseResult(readFileSync(join(cwd, '.wsbench/runs/latest.json'), 'utf8'), 'latest').run.id;
  const gate = ['--baseline', 'latest', '--fail-on', 'messages.matched>-1'];
  const crossed = await runConclusive([...load, ...gate], { cwd }, async (args, options) => {
    const newest = parseResult(readFileSync(join(cwd, '.wsbench/runs/latest.json'), 'utf8'), 'latest').run.id;
    const result = await run(args, options);
    assert.ok(result.stdout.includes(newest), 'compared with what was the newest');
    return result;
  });
  assert.ok(before !== '' && crossed.code === 1, crossed.stderr);
  assert.match(lastLine(crossed.stderr), /^exit 1: --fail-on messages\.matched>-1: 0 % \(50 → 50\)$/);
  assert.match(crossed.stdout, /✗ --fail-on messages\.matched>-1/);
  // Exit 99 is stronger than 1.
  const both = await runConclusive([...load, ...gate, '--threshold', 'rtt.max<1us'], { cwd });
  assert.equal(both.code, 99, both.stderr);
});

test('what is wrong with a baseline costs no run', { timeout: 60_000 }, async (t) => {
  const cwd = folderWith(t, { 'quick.json': quickPassed(), '.wsbench/baselines/main.json': stressPassed() });
  writeFileSync(join(cwd, '.wsbench/baselines/broken.json'), '{');
  const target = ['ws://127.0.0.1:1/', '-q'];
  for (const [args, says] of [
    [
      ['stress', ...target, '--baseline', 'quick.json'],
      /quick\.json is a quick run, and this is a stress run/,
    ],
    [['quick', ...target, '--baseline', 'main'], /main is a stress run, and this is a quick run/],
    [['conform', ...target, '--baseline', 'main'], /main is a stress run, and this is a conform run/],
    [['stress', ...target, '--baseline', 'broken'], /broken\.json: not JSON/],
    [['stress', ...target, '--baseline', 'latest'], /there is no saved run here yet/],
    [['stress', ...target, '--fail-on', 'rtt.p99>+1%'], /--fail-on needs --baseline/],
    [
      ['stress', ...target, '--baseline', 'main', '--fail-on', 'nonsense'],
      /limit "nonsense": expected metric/,
    ],
    [['quick', ...target, '--baseline', 'quick.json', '--fail-on', 'rtt.p99>+1%'], /of quick runs/],
    [['stress', ...target, '--save-baseline', '../evil'], /"\.\.\/evil" is no name for a baseline/],
    [['stress', ...target, '--save-baseline', 'latest'], /"latest" has a meaning of its own/],
    [['runs', '--save-baseline', 'a/b'], /is no name/],
    [['runs', '--save-baseline', 'x.json'], /is no name/],
    [['runs', '--save-baseline', 'NUL'], /has a meaning of its own/],
  ] as const) {
    const result = await run(args, { cwd });
    assert.equal(result.code, 2, `${args.join(' ')}: ${result.stderr}`);
    assert.match(result.stderr, says);
  }
  assert.ok(!existsSync(join(cwd, '.wsbench/runs')));
  assert.deepEqual(readdirSync(join(cwd, '.wsbench/baselines')).sort(), ['broken.json', 'main.json']);
});

test('quick: a check that passed in the baseline and fails now is exit 1', { timeout: 60_000 }, async (t) => {
  const good = quickPassed();
  const checks = good.checks.map((check) => (check.id === 'connect' ? { ...check, id: 'handshake' } : check));
  const cwd = folderWith(t, { 'base.json': { ...good, checks } });
  const result = await run(
    ['quick', '--only', 'connect', '--baseline', 'base.json', '--save-baseline', 'now'],
    { cwd },
  );
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /Checks passed/);
  assert.ok(existsSync(join(cwd, '.wsbench/baselines/now.json')));
  const worse = await run(['compare', 'base.json', '--baseline', 'base.json'], { cwd });
  assert.equal(worse.code, 2, 'with itself');
  writeFileSync(join(cwd, 'bad.json'), json([quickFailed()], fileReport));
  writeFileSync(join(cwd, 'good.json'), json([quickPassed()], fileReport));
  const failed = await run(['compare', 'bad.json', '--baseline', 'good.json'], { cwd });
  assert.equal(failed.code, 1);
  assert.match(lastLine(failed.stderr), /^exit 1: invalid: passed before, fails now$/);
});

test('runs: nothing, some, corrupt ones, baselines', { timeout: 60_000 }, async (t) => {
  const empty = emptyFolder(t);
  const none = await run(['runs'], { cwd: empty });
  assert.equal(none.code, 0, none.stderr);
  assert.match(none.stdout, /No saved runs/);
  assert.deepEqual(readdirSync(empty), []);
  const data = await run(['runs', '--json'], { cwd: empty });
  assert.deepEqual(JSON.parse(data.stdout), { runs: [], baselines: [], unreadable: [] });

  const cwd = folderWith(t, {
    '.wsbench/runs/2026-11-23T02-30-00Z-stress.json': stressPassed(),
    '.wsbench/runs/2026-11-24T02-30-00Z-stress.json': stressLost(),
    '.wsbench/runs/2026-11-23T02-26-01Z-quick.json': quickPassed(),
    '.wsbench/runs/latest.json': stressLost(),
    '.wsbench/baselines/main.json': stressPassed(),
    '.wsbench/baselines/old.json': conformFailed(),
  });
  writeFileSync(join(cwd, '.wsbench/runs/2026-11-25T00-00-00Z-stress.json'), '{"kind"');
  const list = await run(['runs'], { cwd });
  assert.equal(list.code, 0, list.stderr);
  const ids = [...list.stdout.matchAll(/^ {2}(2026\S+)/gm)].map((match) => match[1]);
  assert.deepEqual(ids, [
    '2026-11-24T02-30-00Z-stress',
    '2026-11-23T02-30-00Z-stress',
    '2026-11-23T02-26-01Z-quick',
    conformFailed().run.id,
  ]);
  assert.match(list.stdout, /baseline main/);
  assert.match(list.stdout, /Baselines of other runs:[\s\S]*baseline old/);
  assert.match(list.stdout, /! .*2026-11-25T00-00-00Z-stress\.json: not JSON/);
  const parsed = JSON.parse((await run(['runs', '--json'], { cwd })).stdout) as {
    runs: { id: string; baselines: string[]; file: string }[];
    unreadable: { file: string }[];
  };
  assert.deepEqual(
    parsed.runs.map(({ baselines }) => baselines),
    [[], ['main'], []],
  );
  assert.equal(parsed.unreadable.length, 1);
  const misused = await run(['runs', 'a.json'], { cwd });
  assert.equal(misused.code, 2);
});

const git = spawnSync('git', ['--version']);
test('git sees baselines, and nothing else of .wsbench', {
  timeout: 60_000,
  skip: skipUnless('git', git.status === 0),
}, async (t) => {
  const cwd = folderWith(t, {
    'a.json': stressPassed(),
    '.wsbench/runs/2026-11-23T02-30-00Z-stress.json': stressPassed(),
  });
  // As earlier versions wrote it.
  writeFileSync(join(cwd, '.wsbench/.gitignore'), '*\n');
  const saved = await run(['runs', '--save-baseline', 'main', 'a.json'], { cwd });
  assert.equal(saved.code, 0, saved.stderr);
  writeFileSync(join(cwd, '.wsbench/baselines/.main.1.tmp'), '');
  spawnSync('git', ['init', '-q'], { cwd });
  const seen = spawnSync('git', ['status', '--porcelain', '-uall', '.wsbench'], { cwd, encoding: 'utf8' });
  assert.equal(seen.stdout, '?? .wsbench/baselines/main.json\n');
  // What somebody wrote there stays.
  writeFileSync(join(cwd, '.wsbench/.gitignore'), 'runs/\n');
  await run(['runs', '--save-baseline', 'main', 'a.json'], { cwd });
  assert.equal(readFileSync(join(cwd, '.wsbench/.gitignore'), 'utf8'), 'runs/\n');
});
