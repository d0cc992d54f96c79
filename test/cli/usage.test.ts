// Bad input: one clear line, the documented exit code, no stack trace, nothing on stdout.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { emptyFolder, run } from './spawn.ts';

// biome-ignore format: a table
const rows: [name: string, args: string[], code: number, stderr: RegExp][] = [
  ['unknown command', ['strss'], 2, /unknown command 'strss'.*stress/],
  ['unknown flag with a value', ['quick', '--tokn=s3cret'], 2, /unknown option '--tokn'; see wsbench quick --help/],
  ['unknown choice', ['token', 'mint', '--bogus'], 2, /unknown option '--bogus'; see wsbench token mint --help/],
  ['unknown limits', ['serve', '--limits', 'x'], 2, /Allowed choices are development, production, test, off; see wsbench serve --help/],
  ['unknown flag', ['stress', '--conections', '5'], 2, /unknown option '--conections'.*--connections/],
  ['flag without a value', ['stress', '-c'], 2, /argument missing/],
  ['too many arguments', ['stress', 'ws://127.0.0.1:1', 'ws://127.0.0.1:2'], 2, /too many arguments/],
  ['not a URL', ['stress', 'localhost'], 2, /"localhost" is not a URL; write it like ws:\/\//],
  ['URL without a scheme', ['quick', 'localhost:8080/ws'], 2, /"localhost:8080\/ws" is not a URL; write it like ws:\/\/localhost:8080\/ws/],
  ['HTTP URL', ['stress', 'https://127.0.0.1:1/x'], 2, /HTTP URL.*wss:\/\/127.0.0.1:1\/x/],
  ['other scheme', ['quick', 'ftp://127.0.0.1/'], 2, /scheme "ftp"/],
  ['URL with a fragment', ['quick', 'ws://127.0.0.1/#a'], 2, /fragment/],
  ['duration without a unit', ['stress', '-d', '30'], 2, /--duration: "30" has no unit; write 30s or 30ms/],
  ['duration of words', ['stress', '-d', 'soon'], 2, /--duration: "soon" is not a duration/],
  ['duration of nothing', ['stress', '-d', '0s'], 2, /longer than 0/],
  ['connections of half', ['stress', '-c', '1.5'], 2, /--connections: "1.5" is not a whole number/],
  ['connections of none', ['stress', '-c', '0'], 2, /--connections: "0" is not a whole number of at least 1/],
  ['rate of words', ['stress', '-r', 'fast'], 2, /--rate: "fast" is not a rate/],
  ['size of words', ['stress', '-s', 'big'], 2, /--size: "big" is not a size/],
  ['rate in the closed model', ['stress', '--closed', '-r', '5/s'], 2, /closed model/],
  ['depth in the open model', ['stress', '--depth', '4'], 2, /--depth needs --closed/],
  ['threshold of an unknown metric', ['stress', '--threshold', 'latency.p99<5ms'], 2, /unknown metric "latency.p99"/],
  ['threshold without an operator', ['stress', '--threshold', 'rtt.p99'], 2, /expected metric, operator and value/],
  ['threshold without a unit', ['stress', '--threshold', 'rtt.p99<20'], 2, /has no unit/],
  ['header without a colon', ['stress', '-H', 'nonsense'], 2, /--header: there is no colon; write it like "Name: value"/],
  ['unreadable message', ['stress', '-m', '@nowhere.txt'], 2, /--message: cannot read nowhere.txt/],
  ['unreadable CA', ['stress', '--cacert', 'nowhere.pem'], 2, /--cacert: cannot read nowhere.pem/],
  ['unreadable scenario', ['stress', '--scenario', 'nowhere.yml'], 2, /cannot read scenario nowhere.yml/],
  ['missing token variable', ['stress', '--token', 'env:NOT_SET'], 2, /the environment has no NOT_SET/],
  ['misspelt preset', ['stress', 'ws://127.0.0.1:1/', '--preset', 'soket.io'], 2, /unknown preset "soket\.io"; did you mean "socket\.io"\?/],
  ['variable without a target', ['stress', 'ws://127.0.0.1:1/', '-e', 'event=x'], 2, /name it with --preset or --target/],
  ['misspelt variable', ['stress', 'ws://127.0.0.1:1/', '--preset', 'socket.io', '-e', 'evnt=x'], 2, /-e evnt: .*did you mean "event"\?/],
  ['place of a token that is none', ['stress', 'ws://127.0.0.1:1/', '--token-in', 'headr'], 2, /--token-in takes one of .*did you mean header\?/],
  ['token and key for one connection', ['connect', 'ws://127.0.0.1:1/', '--token', 'a', '--secret', 'b'], 2, /--token excludes --secret and --key/],
  ['lifetime without a key', ['connect', 'ws://127.0.0.1:1/', '--token-expires', '4s'], 2, /--token-expires is about tokens that are minted/],
  ['API key in place of a token', ['token', 'inspect', 'sb_publishable_abcdefghijkl'], 2, /this is a publishable API key of Supabase and no JWT/],
  ['unknown preset', ['quick', 'ws://127.0.0.1:1/', '--preset', 'sockets'], 2, /unknown preset "sockets"/],
  ['filter that matches nothing', ['quick', '--only', 'hartbeat'], 2, /hartbeat/],
  ['limits for a foreign target', ['stress', 'ws://127.0.0.1:1/', '--limits', 'off'], 2, /embedded server/],
  ['unknown report extension', ['stress', '-o', 'report.docx'], 2, /docx/],
  ['token without a key', ['token'], 2, /--secret env:NAME or --key FILE/],
  ['token for everything', ['token', '--secret', 'x'.repeat(32), '--role', 'service_role'], 2, /--i-know/],
  ['token with a bad key file', ['token', '--key', 'nowhere.jwk'], 2, /--key: cannot read nowhere.jwk/],
  ['report of nothing', ['report'], 2, /which results\? Give files/],
  ['report of a missing file', ['report', 'nowhere.json'], 2, /^wsbench: result: cannot read nowhere.json: no such file or folder$/m],
  ['report of the latest of none', ['report', 'latest'], 2, /no saved run/],
  ["compare of one", ["compare", "a.json"], 2, /give two results, or one and --baseline/],
  ['serve on a bad port', ['serve', '--port', 'http'], 2, /port/i],
  ['report into a missing folder', ['stress', '-o', 'nowhere/report.md'], 6, /^wsbench: cannot write nowhere\/report.md: no such file or folder$/m],
];

for (const [name, args, code, stderr] of rows) {
  test(`usage: ${name}`, { timeout: 30_000 }, async (t) => {
    const result = await run(args, { cwd: emptyFolder(t) });
    assert.match(result.stderr, stderr);
    assert.equal(result.code, code, result.stderr);
    assert.equal(result.stdout, '');
    assert.equal(result.stderr.trim().split('\n').length, 1, `one line: ${result.stderr}`);
    assert.doesNotMatch(result.stderr, /^\s+at /m);
  });
}

test('usage: a wrong scenario names file, line and column', { timeout: 30_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const good = await run(['stress', '--print'], { cwd });
  assert.equal(good.code, 0);
  writeFileSync(join(cwd, 'wrong.yml'), good.stdout.replace('connections: 10', 'connections: ten'));
  const wrong = await run(['stress', '--scenario', 'wrong.yml'], { cwd });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /wrong\.yml:\d+:14 connections: /);
  writeFileSync(join(cwd, 'unknown.yml'), `${good.stdout}ratee: 5\n`);
  const unknown = await run(['stress', '--scenario', 'unknown.yml'], { cwd });
  assert.match(unknown.stderr, /unknown\.yml:\d+:\d+ .*ratee/);
});

test('usage: --print shows what flags change and loads again', { timeout: 30_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const printed = await run(['stress', '-c', '3', '-r', '1k/s', '-d', '1500ms', '--print'], { cwd });
  assert.match(printed.stdout, /connections: 3\n/);
  assert.match(printed.stdout, /rate: 1000\/s\n/);
  assert.match(printed.stdout, /duration: 1500ms\n/);
  writeFileSync(join(cwd, 'again.yml'), printed.stdout);
  const again = await run(['stress', '--scenario', 'again.yml', '--print'], { cwd });
  assert.equal(again.stdout, printed.stdout);
});

test('usage: help and version go to stdout and exit 0', { timeout: 30_000 }, async (t) => {
  const cwd = emptyFolder(t);
  for (const args of [['--help'], ['stress', '--help'], ['--version'], ['quick', '--list']]) {
    const result = await run(args, { cwd });
    assert.equal(result.code, 0, args.join(' '));
    assert.notEqual(result.stdout, '');
    assert.equal(result.stderr, '');
  }
});

test('usage: flags can come from the environment, the command line wins', { timeout: 30_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const env = { WSBENCH_CONNECTIONS: '7', WSBENCH_RATE: '9/s' };
  const result = await run(['stress', '-r', '11/s', '--print'], { cwd, env });
  assert.match(result.stdout, /connections: 7\n/);
  assert.match(result.stdout, /rate: 11\/s\n/);
});

test('usage: without a build the command says so', { timeout: 30_000 }, async (t) => {
  const cwd = emptyFolder(t);
  mkdirSync(join(cwd, 'cli'));
  writeFileSync(join(cwd, 'package.json'), '{"type":"module"}');
  copyFileSync(
    fileURLToPath(new URL('../../../cli/wsbench.js', import.meta.url)),
    join(cwd, 'cli', 'wsbench.js'),
  );
  const { spawnSync } = await import('node:child_process');
  const result = spawnSync(process.execPath, [join(cwd, 'cli', 'wsbench.js')], { encoding: 'utf8' });
  assert.equal(result.stderr, 'not built: npm run build\n');
  assert.equal(result.status, 2);
});
