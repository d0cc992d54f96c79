// Presets as users of the command meet them: one command each, and one that was not told.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { quick } from '../../lib/index.ts';
import { parseResult } from '../../lib/result/parse.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { emptyFolder, type Finished, run } from '../cli/spawn.ts';
import { phoenixSecret, supabaseToken } from '../fixtures/preset-peers.ts';
import { startPeer } from '../fixtures/server-process.ts';

function stressOf(stdout: string): StressResult {
  const result = parseResult(stdout, 'stdout');
  assert.equal(result.kind, 'stress');
  return result as StressResult;
}

/** On a busy machine latencies may mean nothing (4); that every message found its reply holds all the same. */
function measured({ code, stdout, stderr }: Finished): StressResult {
  assert.ok(code === 0 || code === 4, stderr);
  return stressOf(stdout);
}

const json = ['--json', '--no-save', '-q'];

test('stress --preset socket.io -e …: an event, its data, a token', { timeout: 90_000 }, async (t) => {
  const { url } = await startPeer(t, 'socket-io', { token: 'let me in' });
  const options = { cwd: emptyFolder(t), env: { TOKEN: 'let me in' } };
  const said = [
    '--preset',
    'socket.io',
    '-e',
    'event=ping',
    '-e',
    'data={"text":"hello"}',
    '-e',
    'namespace=/chat',
  ];
  const load = ['-r', '200/s', '-d', '2s', '--warmup', '300ms'];
  const finished = await run(['stress', url, ...said, '--token', 'env:TOKEN', ...load, ...json], options);
  const { counters } = measured(finished);
  assert.equal(counters['messages.matched'], 400);
  assert.equal(counters['messages.unexpected'], 0);
  assert.ok(counters['messages.push'] > 0);
  assert.equal(`${finished.stdout}${finished.stderr}`.includes('let me in'), false);
});

test('a target that gives itself away: stress stops with 2, quick goes on, in the same words', {
  timeout: 60_000,
}, async (t) => {
  const { url } = await startPeer(t, 'socket-io');
  const options = { cwd: emptyFolder(t) };
  const words = 'the target speaks Socket.IO: use --preset socket.io -e event=NAME';
  const stress = await run(['stress', url, '-d', '1s', '--no-save'], options);
  assert.equal(stress.code, 2, stress.stderr);
  assert.ok(stress.stderr.includes(words), stress.stderr);
  assert.equal(stress.stdout, '');
  const quick = await run(['quick', url, '--only', 'connect', '-t', '2s', '--no-save'], options);
  assert.ok(quick.stderr.includes(words), quick.stderr);
});

test('Supabase Realtime with tokens of four seconds: renewed, nothing is lost', {
  timeout: 120_000,
}, async (t) => {
  const apikey = supabaseToken(3600);
  const { url } = await startPeer(t, 'phoenix', { secret: phoenixSecret, apikey });
  const options = { cwd: emptyFolder(t), env: { SECRET: phoenixSecret } };
  for (const vsn of ['1.0.0', '2.0.0']) {
    const target = `${url}/realtime/v1/websocket?apikey=${apikey}&vsn=${vsn}`;
    const signed = ['--preset', 'phoenix', '--secret', 'env:SECRET', '--token-expires', '4s'];
    const finished = await run(['stress', target, ...signed, '-c', '5', '-d', '8s', ...json], options);
    const { counters, target: described } = measured(finished);
    assert.equal(described.description, vsn === '1.0.0' ? 'phoenix' : 'phoenix-v2');
    assert.equal(counters['messages.matched'], 800);
    for (const kind of ['lost', 'rejected', 'unexpected'] as const)
      assert.equal(counters[`messages.${kind}`], 0, kind);
    assert.equal(finished.stdout.includes(apikey), false);
  }
});

test('Supabase Realtime with tokens that nobody renews: what comes after them is refused', {
  timeout: 60_000,
}, async (t) => {
  const { url } = await startPeer(t, 'phoenix', { secret: phoenixSecret });
  const options = { cwd: emptyFolder(t), env: { TOKEN: supabaseToken(4) } };
  const target = `${url}/realtime/v1/websocket`;
  const said = ['--preset', 'phoenix', '--token', 'env:TOKEN', '-c', '2', '-d', '6s', '-t', '1s'];
  const finished = await run(['stress', target, ...said, ...json], options);
  const { counters, rejections } = stressOf(finished.stdout);
  assert.ok(counters['messages.rejected'] > 0, finished.stderr);
  assert.deepEqual(
    rejections.map(({ code }) => code),
    ['unmatched topic'],
  );
});

test('quick --preset phoenix --secret: a token is renewed, and the channel outlives its first one', {
  timeout: 60_000,
}, async (t) => {
  const { url } = await startPeer(t, 'phoenix', { secret: phoenixSecret });
  const options = { cwd: emptyFolder(t), env: { SECRET: phoenixSecret } };
  const only = ['connect', 'request', 'auth-refresh'].flatMap((id) => ['--only', id]);
  const said = ['--preset', 'phoenix', '--secret', 'env:SECRET', ...only];
  const finished = await run(
    ['quick', `${url}/realtime/v1/websocket`, ...said, '--json', '--no-save'],
    options,
  );
  assert.equal(finished.code, 0, finished.stderr);
  const result = parseResult(finished.stdout, 'stdout');
  assert.deepEqual(result.kind === 'quick' && result.checks.map(({ id, status }) => `${id} ${status}`), [
    'connect passed',
    'request passed',
    'auth-refresh passed',
  ]);
});

test('quick: a channel that ends with its first token fails the check, though the connection lives', {
  timeout: 60_000,
}, async (t) => {
  const { url } = await startPeer(t, 'phoenix', { secret: phoenixSecret });
  const preset = readFileSync(
    new URL('../../../scenarios/presets/phoenix.target.yml', import.meta.url),
    'utf8',
  );
  const targetFile = join(emptyFolder(t), 'forgets.target.yml');
  assert.match(preset, /event: access_token/);
  writeFileSync(targetFile, preset.replace('event: access_token', 'event: nothing_of_the_kind'));
  const signingKey = { secret: phoenixSecret };
  const result = await quick(`${url}/realtime/v1/websocket`, {
    targetFile,
    signingKey,
    only: ['auth-refresh'],
  });
  const check = result.checks.find(({ id }) => id === 'auth-refresh');
  assert.equal(check?.status, 'failed');
  assert.match(check?.got ?? '', /unmatched topic/);
});
