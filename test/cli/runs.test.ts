// Whole runs of the command: the main job, signals, broken disks, broken targets.
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createServer, parseResult, type StressResult } from '../../lib/index.ts';
import { emptyFolder, type Finished, run, runConclusive, type SpawnOptions, start, until } from './spawn.ts';

const noTrace = /^\s+at .*:\d+:\d+/m;

function parseStress(text: string): StressResult {
  const result = parseResult(text, 'stdout');
  assert.equal(result.kind, 'stress');
  return result as StressResult;
}

test('quick: the main job', { timeout: 60_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const started = Date.now();
  const result = await run(['quick', '-o', 'quick.md'], { cwd });
  assert.equal(result.code, 0, result.stdout + result.stderr);
  assert.ok(Date.now() - started < 20_000, 'within 20 s');
  assert.match(result.stdout, /Quick test results/);
  const saved = parseResult(readFileSync(join(cwd, '.wsbench/runs/latest.json'), 'utf8'), 'latest');
  assert.equal(saved.kind, 'quick');
  const checks = saved.kind === 'quick' ? saved.checks : [];
  assert.ok(checks.length >= 12);
  assert.deepEqual(
    checks.filter((check) => check.status !== 'passed').map((check) => check.id),
    [],
  );
  assert.match(readFileSync(join(cwd, 'quick.md'), 'utf8'), /## Quick test results \((\d+) of \1\)/);
});

test('stress: the embedded server, all formats, a saved run', { timeout: 60_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const summary = join(cwd, 'step-summary.md');
  const args = ['stress', '-d', '3s', '-o', 'report.md', '-o', 'report.json', '--json'];
  const result = await runConclusive(args, { cwd, env: { GITHUB_STEP_SUMMARY: summary } });
  assert.equal(result.code, 0, result.stdout + result.stderr);
  const stress = parseStress(result.stdout);
  assert.equal(stress.counters['messages.scheduled'], 300);
  assert.equal(stress.counters['messages.sent'], 300);
  assert.equal(stress.counters['messages.matched'], 300);
  assert.equal(stress.target.embedded, true);
  assert.deepEqual(parseStress(readFileSync(join(cwd, 'report.json'), 'utf8')), stress);
  assert.match(readFileSync(join(cwd, 'report.md'), 'utf8'), /## Stress test results/);
  assert.match(readFileSync(summary, 'utf8'), /## Stress test results/);
  assert.equal(
    readFileSync(join(cwd, '.wsbench/.gitignore'), 'utf8'),
    '*\n!/baselines/\n!/baselines/*.json\n',
  );
  // A histogram in base64 has any three characters now and then.
  assert.doesNotMatch(result.stdout.replaceAll(/"hdr": "[^"]*"/g, ''), /eyJ/, 'no token in the result');
  const again = await run(['report', 'latest'], { cwd });
  assert.equal(again.code, 0);
  assert.match(again.stdout, /Stress test results/);
  const compared = await run(['compare', 'report.json', 'latest', '-o', 'compare.md'], { cwd });
  assert.equal(compared.code, 0, compared.stderr);
  assert.match(readFileSync(join(cwd, 'compare.md'), 'utf8'), /\| *Before *\|/);
});

test('stress: a crossed threshold is exit 99 with its reason', { timeout: 60_000 }, async (t) => {
  const result = await runConclusive(['stress', '-d', '1s', '--threshold', 'rtt.max<1us', '--no-save'], {
    cwd: emptyFolder(t),
  });
  assert.equal(result.code, 99, result.stderr);
  assert.match(result.stderr.trim().split('\n').at(-1) ?? '', /^exit 99: rtt\.max .*, wanted < /);
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`stress: ${signal} drains, reports and exits ${code}`, { timeout: 60_000 }, async (t) => {
    const cwd = emptyFolder(t);
    const args = ['stress', '-d', '60s', '-o', 'report.json', '-o', 'report.md'];
    const result = await runConclusive(args, { cwd }, (...what) => killedInMeasure(signal, ...what));
    assert.equal(result.code, code, result.stderr);
    const report = parseStress(readFileSync(join(cwd, 'report.json'), 'utf8'));
    assert.equal(report.run.complete, false);
    assert.equal(report.outcome, 'interrupted');
    assert.ok(report.counters['messages.matched'] > 50);
    assert.match(readFileSync(join(cwd, 'report.md'), 'utf8'), /INTERRUPTED/i);
    assert.doesNotMatch(result.stderr, noTrace);
  });
}

test('stress: the second SIGINT does not wait', { timeout: 60_000 }, async (t) => {
  const server = await silentServer(t);
  const running = start(['stress', server, '--preset', 'echo', '-d', '60s'], { cwd: emptyFolder(t) });
  await until(() => running.stderr().includes('measure'), 'measure phase');
  running.child.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 300));
  const killed = Date.now();
  running.child.kill('SIGINT');
  const result = await running.finished;
  assert.equal(result.code, 130);
  assert.ok(Date.now() - killed < 2000);
});

for (const command of ['quick', 'stress']) {
  test(`${command}: SIGINT at any time leaves no trace and no child`, { timeout: 120_000 }, async (t) => {
    for (const afterMs of [50, 150, 300, 450, 600, 900, 1400]) {
      const running = start([command, '--no-save', '-q'], { cwd: emptyFolder(t) });
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      running.child.kill('SIGINT');
      const result = await running.finished;
      assert.doesNotMatch(result.stderr, noTrace, `after ${afterMs} ms`);
      // Before the handlers are installed the signal simply ends the process.
      assert.ok(
        result.code === 130 || result.signal === 'SIGINT',
        `after ${afterMs} ms: ${result.code} ${result.stderr}`,
      );
    }
  });
}

test('stress: nobody listens: exit 3, one line', { timeout: 60_000 }, async (t) => {
  for (const command of ['stress', 'quick']) {
    const result = await run([command, 'ws://127.0.0.1:1/', '-q'], { cwd: emptyFolder(t) });
    assert.equal(result.code, 3, result.stderr);
    assert.match(result.stderr, /exit 3: .*(refused|ECONNREFUSED)/);
    assert.doesNotMatch(result.stderr, noTrace);
  }
});

for (const [status, headers] of [
  [401, {}],
  [429, { 'Retry-After': '7' }],
  [200, {}],
] as const) {
  test(`an HTTP ${status} at the upgrade: stress exit 3, quick exit 1`, { timeout: 60_000 }, async (t) => {
    const url = await refusingServer(t, status, headers);
    const stress = await runConclusive(['stress', url, '-q', '--preset', 'echo'], { cwd: emptyFolder(t) });
    assert.equal(stress.code, 3, stress.stderr);
    assert.match(stress.stderr, new RegExp(`exit 3: .*${status}`));
    const quick = await run(['quick', url, '-q', '--preset', 'echo'], { cwd: emptyFolder(t) });
    assert.equal(quick.code, 1, quick.stderr);
    assert.match(quick.stdout, new RegExp(String(status)));
  });
}

test('stress: the server dies in the middle', { timeout: 120_000 }, async (t) => {
  const cwd = emptyFolder(t);
  let secret = '';
  const result = await runConclusive([], { cwd }, async () => {
    const child = fork(fileURLToPath(new URL('../../reference-server/child.js', import.meta.url)), []);
    t.after(() => child.kill('SIGKILL'));
    const { url, tokens } = await childReady(child);
    secret = tokens[0] ?? '';
    const args = ['stress', `${url}/ws`, '--token', 'env:TOKEN', '-d', '4s', '-t', '1s', '-o', 'report.json'];
    const running = start(args, { cwd, env: { TOKEN: secret } });
    await until(() => running.stderr().includes('measure'), 'measure phase');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    child.kill('SIGKILL');
    return running.finished;
  });
  assert.equal(result.code, 99, result.stderr);
  const report = parseStress(readFileSync(join(cwd, 'report.json'), 'utf8'));
  assert.equal(report.counters['connections.abnormal'], 10);
  assert.equal(report.counters['messages.scheduled'], 400);
  assert.ok(report.counters['messages.unsent'] > 100);
  assert.equal(report.metrics.rtt.p99, null);
  assert.ok(secret !== '' && !(result.stdout + result.stderr + JSON.stringify(report)).includes(secret));
});

test('a full disk: the summary is still printed, exit 6', {
  timeout: 60_000,
  skip: !existsSync('/dev/full') && 'no /dev/full',
}, async (t) => {
  const cwd = emptyFolder(t);
  const { symlinkSync } = await import('node:fs');
  symlinkSync('/dev/full', join(cwd, 'report.md'));
  const result = await runConclusive(['stress', '-d', '1s', '-o', 'report.md', '-o', 'good.json'], { cwd });
  assert.equal(result.code, 6, result.stderr);
  assert.match(result.stdout, /Stress test results/);
  assert.match(result.stderr, /cannot write report\.md: no space left on the device/);
  assert.match(result.stderr.trim().split('\n').at(-1) ?? '', /^exit 6: /);
  parseStress(readFileSync(join(cwd, 'good.json'), 'utf8'));
});

test('a failed run leaves the old report and no temporary files', { timeout: 60_000 }, async (t) => {
  const cwd = emptyFolder(t);
  writeFileSync(join(cwd, 'old.md'), 'old');
  const result = await run(['quick', '--only', 'nothing-like-this', '-o', 'old.md'], { cwd });
  assert.equal(result.code, 2);
  assert.equal(readFileSync(join(cwd, 'old.md'), 'utf8'), 'old');
  assert.deepEqual(readdirSync(cwd), ['old.md']);
});

test('stress and quick: a target that greets is recognised; one that does not answer is described', {
  timeout: 60_000,
}, async (t) => {
  const server = await createServer({ environment: 'test', limits: 'off' });
  t.after(() => server.close());
  const url = await server.listen();
  const known = await runConclusive(['stress', `${url}/ws`, '-d', '1s', '--json', '--no-save'], {
    cwd: emptyFolder(t),
  });
  assert.equal(known.code, 0, known.stderr);
  assert.equal(parseStress(known.stdout).target.description, 'wsbench');
  const echo = await runConclusive(['stress', `${url}/ws/echo`, '-d', '1s', '--json', '--no-save'], {
    cwd: emptyFolder(t),
  });
  assert.equal(echo.code, 0, echo.stderr);
  const quick = await run(['quick', `${url}/ws`, '--only', 'heartbeat', '--json', '--no-save', '-q'], {
    cwd: emptyFolder(t),
  });
  assert.equal(quick.code, 0, quick.stderr);
  const checked = parseResult(quick.stdout, 'stdout');
  assert.deepEqual(checked.kind === 'quick' && checked.checks.map(({ id, status }) => [id, status]), [
    ['heartbeat', 'passed'],
  ]);
  for (const { warnings } of [parseStress(known.stdout), checked])
    assert.deepEqual(warnings[0]?.message, 'the target greets with WELCOME: using --preset wsbench');
  assert.equal(quick.stderr, '');
  const silent = await silentServer(t);
  const unknown = await runConclusive(['stress', silent, '-d', '1s', '-t', '1s'], { cwd: emptyFolder(t) });
  assert.equal(unknown.code, 2, unknown.stderr);
  assert.match(unknown.stderr, /--preset/);
});

test('serve: announces, drains on SIGTERM, refuses what it cannot do', { timeout: 60_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const running = start(['serve', '--port', '0', '--json'], { cwd });
  t.after(() => running.child.kill('SIGKILL'));
  await until(() => running.stdout().includes('\n'), 'announcement');
  const facts = JSON.parse(running.stdout()) as { url: string; http: string; token: string };
  const quick = await run(
    [
      'quick',
      facts.url,
      '--preset',
      'wsbench',
      '--only',
      'dashboard-connect',
      '--only',
      'heartbeat',
      '--only',
      'connect',
      '--no-save',
    ],
    {
      cwd,
      env: { WSBENCH_TOKEN: facts.token },
    },
  );
  assert.equal(quick.code, 0, quick.stdout + quick.stderr);
  assert.ok(!quick.stdout.includes(facts.token));
  const port = new URL(facts.http).port;
  const taken = await run(['serve', '--port', port], { cwd });
  assert.equal(taken.code, 2);
  assert.match(taken.stderr, new RegExp(`${port}.*(in use|taken)`));
  const redis = await run(['serve', '--port', '0'], {
    cwd,
    env: { REDIS_URL: 'redis://u:hidden@127.0.0.1:1' },
  });
  assert.equal(redis.code, 2);
  assert.match(redis.stderr, /cannot reach Redis at redis:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/);
  assert.ok(!redis.stderr.includes('hidden'));
  running.child.kill('SIGTERM');
  const ended = await running.finished;
  assert.equal(ended.code, 0, ended.stderr);
});

test('token: minted tokens open the server that knows the secret', { timeout: 60_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const secret = 'a secret of at least thirty-two bytes';
  const minted = await run(
    ['token', '--secret', 'env:SECRET', '--sub', 'ada', '--count', '3', '--expires', '5m'],
    {
      cwd,
      env: { SECRET: secret },
    },
  );
  assert.equal(minted.code, 0, minted.stderr);
  const tokens = minted.stdout.trim().split('\n');
  assert.equal(tokens.length, 3);
  const claims = JSON.parse(Buffer.from(tokens[0]?.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
  assert.equal(claims.sub, 'ada');
  assert.equal(claims.role, 'authenticated');
  const server = await createServer({ environment: 'test', secret });
  t.after(() => server.close());
  const url = await server.listen();
  writeFileSync(join(cwd, 'tokens.txt'), minted.stdout);
  const stress = await runConclusive(
    [
      'stress',
      `${url}/ws/dashboard`,
      '--preset',
      'wsbench',
      '--tokens-file',
      'tokens.txt',
      '-c',
      '3',
      '-r',
      '30/s',
      '-d',
      '1s',
      '--no-save',
    ],
    { cwd },
  );
  assert.equal(stress.code, 0, stress.stdout + stress.stderr);
});

/** Runs a load for a second of its measure phase, then sends the signal. */
async function killedInMeasure(
  signal: NodeJS.Signals,
  args: readonly string[],
  options: SpawnOptions,
): Promise<Finished> {
  const running = start(args, options);
  await until(() => running.stderr().includes('measure'), 'measure phase');
  await new Promise((resolve) => setTimeout(resolve, 1200));
  running.child.kill(signal);
  return running.finished;
}

async function listen(t: TestContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function refusingServer(t: TestContext, status: number, headers: Record<string, string>): Promise<string> {
  const server = createHttpServer((_request, response) => {
    response.writeHead(status, headers);
    response.end('no');
  });
  server.on('upgrade', (_request, socket) => {
    const lines = Object.entries({ ...headers, Connection: 'close', 'Content-Length': '2' }).map(
      ([k, v]) => `${k}: ${v}\r\n`,
    );
    socket.end(`HTTP/1.1 ${status} No\r\n${lines.join('')}\r\nno`);
  });
  return listen(t, server);
}

/** A WebSocket server that opens and never says anything. */
async function silentServer(t: TestContext): Promise<string> {
  const { WebSocketServer } = await import('ws');
  const http = createHttpServer();
  const wss = new WebSocketServer({ server: http });
  t.after(() => {
    for (const client of wss.clients) client.terminate();
    wss.close();
  });
  return listen(t, http);
}

function childReady(child: ChildProcess): Promise<{ url: string; tokens: string[] }> {
  return new Promise((resolve) => {
    child.once('message', (message) => resolve(message as { url: string; tokens: string[] }));
    child.send({ limits: 'development', tokens: 1 });
  });
}
