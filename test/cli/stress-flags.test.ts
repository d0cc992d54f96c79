// Flags that say how a target matches and whom it lets in: what they refuse, that they work, and that they keep secrets.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StressResult } from '../../lib/index.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';
import { emptyFolder, run } from './spawn.ts';

const url = 'ws://127.0.0.1:1/';
const secret = ['--secret', 'x'.repeat(32)];

// biome-ignore format: a table
const wrong: [string, string[], RegExp][] = [
  ['claims without a key', ['stress', url, '--claims', '{}'], /--claims is about tokens that are minted: give --secret or --key/],
  ['a lifetime without a key', ['stress', url, '--token-expires', '5m'], /--token-expires is about tokens that are minted/],
  ['claims of quick without a key', ['quick', url, '--claims', '{}'], /--claims is about tokens/],
  ['claims that are no JSON', ['stress', url, ...secret, '--claims', 'role=admin'], /--claims: not a JSON object; write it like '\{"role":"admin"\}'/],
  ['claims that are a list', ['stress', url, ...secret, '--claims', '["admin"]'], /--claims: not a JSON object/],
  ['claims in a file that is not there', ['stress', url, ...secret, '--claims', '@nowhere.json'], /--claims: cannot read nowhere\.json/],
  ['a lifetime without a unit', ['stress', url, ...secret, '--token-expires', '60'], /--token-expires: "60" has no unit/],
  ['a lifetime of nearly nothing', ['stress', url, ...secret, '--token-expires', '10ms'], /--token-expires: .*one at least/],
  ['two kinds of tokens', ['stress', url, '--token', 'a', '--tokens-file', 'b'], /--token and --tokens-file exclude/],
  ['two kinds of keys', ['stress', url, ...secret, '--key', 'b'], /--secret and --key exclude/],
  ['a key for our own server', ['stress', ...secret], /the embedded server signs its own tokens/],
  ['a way of matching that is none', ['stress', url, '--match', 'luck'], /--match: "luck" is none of marker, order, id:\/pointer, regex:PATTERN/],
  ['two ways of matching', ['stress', url, '--match', 'order', '--no-reply'], /--match and --no-reply exclude each other/],
  ['an id in a message without one', ['stress', url, '--match', 'id:/id', '-m', 'hello'], /--match id needs \{\{ id \}\} or \{\{ seq \}\} in the message/],
  ['a rate and a rate per connection', ['stress', url, '-r', '5/s', '--rate-per-connection', '1/s'], /--rate and --rate-per-connection exclude each other/],
  ['stages and a shape', ['stress', url, '--stage', '1s:rate=5', '--shape', 'ramp'], /--stage and --shape exclude each other/],
  ['stages and a duration', ['stress', url, '--stage', '1s:rate=5', '-d', '5s'], /the stages say how long the measure phase is: leave out --duration/],
  ['a stage without a unit', ['stress', url, '--stage', '30:rate=5'], /--stage: "30" has no unit; write 30s or 30ms/],
  ['a stage of something else', ['stress', url, '--stage', '30s:users=5'], /--stage: "30s:users=5" names "users", and a stage has rate and connections/],
  ['a stage that says nothing', ['stress', url, '--stage', '30s:fast'], /says "fast", which is no rate=… or connections=…/],
  ['a stage that says it twice', ['stress', url, '--stage', '30s:rate=1,rate=2'], /says rate twice/],
  ['stages of no length', ['stress', url, '--stage', '0s:rate=1'], /the duration must be longer than 0/],
  ['stages without messages', ['stress', url, '--stage', '0s:rate=0', '--stage', '1s'], /the stages ask for no message at all/],
  ['a rate in a stage of the closed model', ['stress', url, '--closed', '--stage', '1s:rate=5'], /stage 1 has a rate, which makes no sense in the closed model: say connections/],
  ['messages for no connections', ['stress', url, '--stage', '1s:connections=0'], /stage 1 asks for no connections, and in the open model messages need at least one/],
  ['a rate in stages beside one per connection', ['stress', url, '--rate-per-connection', '1/s', '--stage', '1s:rate=5'], /the rate follows the connections: leave it out of the stages/],
  ['two speeds of connecting', ['stress', url, '--ramp-up', '1s', '--connect-rate', '5/s'], /--ramp-up and --connect-rate exclude each other/],
  ['a think time by schedule', ['stress', url, '--think-time', '1s'], /a think time makes no sense by schedule: --think-time needs --closed/],
  ['a think time that goes backwards', ['stress', url, '--closed', '--think-time', '2s-1s'], /--think-time: "2s-1s" is not from a shorter to a longer time/],
  ['a rate per connection in the closed model', ['stress', url, '--closed', '--rate-per-connection', '1/s'], /a rate makes no sense in the closed model/],
  ['a share of slow consumers that is nobody', ['stress', url, '-c', '10', '--slow-consumers', '5%'], /5 % of 10 connections is less than one slow consumer/],
  ['slow consumers only', ['stress', url, '--slow-consumers', '100%'], /with slow consumers only there is nobody left to measure/],
  ['a shape that is none', ['stress', url, '--shape', 'triangle'], /triangle/],
];
for (const [name, args, stderr] of wrong) {
  test(`flags: ${name}`, { timeout: 30_000 }, async (t) => {
    const result = await run(args, { cwd: emptyFolder(t) });
    assert.match(result.stderr, stderr);
    assert.equal(result.code, 2, result.stderr);
    assert.equal(result.stdout, '');
    assert.equal(result.stderr.trim().split('\n').length, 1, `one line: ${result.stderr}`);
  });
}

const short = ['-c', '2', '-d', '300ms', '--warmup', '0s', '-t', '2s', '--json', '--no-save', '-q'];
const quiet = ['--no-default-thresholds'];

test('flags: --no-reply, and --match for a message of one’s own', { timeout: 60_000 }, async (t) => {
  const silent = await startTalkServer(t, () => {});
  const replies = await startTalkServer(t, (socket, _request, onText) =>
    onText((text) => socket.send(JSON.stringify({ done: JSON.parse(text).n }))),
  );
  for (const args of [
    [silent, '--no-reply', '-m', 'to whom it may concern'],
    [replies, '--match', 'id:/done', '-m', '{"n":{{ seq }}}'],
    [replies, '--match', 'regex:"done":(\\d+)', '-m', '{"n":{{ seq }}}'],
  ]) {
    const { stdout, stderr } = await run(['stress', ...args, ...short, ...quiet], { cwd: emptyFolder(t) });
    const { counters } = JSON.parse(stdout) as StressResult;
    assert.equal(counters['messages.matched'], 30, `${args} ${stderr}`);
    assert.equal(counters['messages.unexpected'], 0);
  }
});

test('flags: a probe that is not answered says what was waited for', { timeout: 60_000 }, async (t) => {
  const silent = await startTalkServer(t, () => {});
  for (const [args, words] of [
    [[], 'with an echo'],
    [['--match', 'order'], 'with any message'],
    [['--match', 'marker'], 'with a message that holds its id'],
    [['--match', 'id:/x', '-m', '{"id":"{{ id }}"}'], 'with JSON that has its id at /x'],
    [['--match', 'regex:^re (.*)', '-m', '{{ id }}'], 'with a text in which /^re (.*)/ finds its id'],
  ] as const) {
    const { code, stderr } = await run(['stress', silent, ...args, ...short, '-t', '300ms'], {
      cwd: emptyFolder(t),
    });
    const line = `the target did not answer the probe ${words}: nothing came within 300 ms; say how it talks`;
    assert.equal(code, 2, stderr);
    assert.ok(stderr.includes(line), stderr);
  }
});

test('flags: tokens, secrets and what a target file holds turn up nowhere, even when the target sends them back', {
  timeout: 120_000,
}, async (t) => {
  let seen = 0;
  // Whatever it is told, it tells everyone: in its messages, and in the reason of its close.
  const gossip = await startTalkServer(t, (socket, request, onText) => {
    if (String(request.headers.authorization).includes('CANARY')) seen++;
    if (String(request.headers['x-session']).includes('CANARY')) seen++;
    onText((text) => {
      seen++;
      socket.send(`you said ${text} and ${request.headers.authorization}`);
      if (text.includes('now')) socket.close(4001, `no: ${text}`.slice(0, 100));
    });
  });
  const input = emptyFolder(t);
  const file = (name: string, text: string): string => {
    writeFileSync(join(input, name), text);
    return join(input, name);
  };
  const joining = file(
    'joining.yml',
    [
      'name: joining',
      'connect: { headers: { X-Session: CANARY-h1 } }',
      'auth: { in: message }',
      'join:',
      '  - { send: "let in {{ token }}, now", expect: { equals: welcome } }',
      'request: "{{ id }}"',
      'match: { by: marker }',
    ].join('\n'),
  );
  const ignored = joining.replace('joining.yml', 'ignored.yml');
  writeFileSync(ignored, readFileSync(joining, 'utf8').replace(', now"', '"'));
  const tokens = file('tokens', 'CANARY-t1/+=?\nCANARY-t2\n');
  const outputs = ['-o', 'r.md', '-o', 'r.json', '-o', 'r.txt', '--debug'];
  const brief = ['-c', '2', '-d', '200ms', '--warmup', '0s', '-t', '300ms', '--connect-timeout', '500ms'];
  const cwd = emptyFolder(t);
  for (const args of [
    [gossip, '--target', joining, '--token', 'CANARY-t3"x'],
    [gossip, '--target', ignored, '--tokens-file', tokens],
    [gossip, '--token', 'CANARY-t4', '-m', '{"id":"{{ id }}","t":"{{ token }}"}', '--match', 'order'],
    [gossip, '--token', 'CANARY-t5'],
    [
      gossip,
      '--secret',
      'CANARY-s1-which-is-long-enough-for-HS256',
      '--claims',
      '{"a":1}',
      '-m',
      '{{ token }}',
    ],
    [
      gossip,
      '--secret',
      'CANARY-s1-which-is-long-enough-for-HS256',
      '--match',
      'id:/id',
      '-m',
      '{{ id }} {{ token }}',
    ],
  ]) {
    const { stdout, stderr } = await run(['stress', ...args, ...brief, ...outputs], { cwd });
    assert.doesNotMatch(stdout + stderr, /CANARY|eyJ[\w-]{20}/, args.join(' '));
    assert.doesNotMatch(stderr, /bug in wsbench/);
  }
  assert.ok(seen >= 20, `the target knew them all: ${seen}`);
  for (const name of readdirSync(cwd, { recursive: true, encoding: 'utf8' })) {
    if (statSync(join(cwd, name)).isDirectory()) continue;
    const text = readFileSync(join(cwd, name), 'utf8');
    assert.doesNotMatch(text, /CANARY|eyJ[\w-]{20}/, name);
  }
});

test('flags: --print shows stages, and what it shows loads again to the same', {
  timeout: 60_000,
}, async (t) => {
  const cwd = emptyFolder(t);
  for (const args of [
    ['--stage', '500ms:rate=2k/s,connections=20', '--stage', '0s:connections=3', '--stage', '1m'],
    ['--shape', 'spike', '-r', '5k/s', '-d', '2m', '--connect-rate', '50/s', '--churn', '2.5/s'],
    ['--closed', '--think-time', '100ms-1s', '--messages-per-connection', '10', '-n', '500'],
    [
      '--rate-per-connection',
      '0.5/s',
      '-c',
      '40',
      '--stage',
      '10s:connections=80',
      '--slow-consumers',
      '12.5%',
    ],
  ]) {
    const { stdout, stderr, code } = await run(['stress', ...args, '--print'], { cwd });
    assert.equal(code, 0, stderr);
    writeFileSync(join(cwd, 'printed.yml'), stdout);
    const again = await run(['stress', '--scenario', 'printed.yml', '--print'], { cwd });
    assert.equal(again.stdout, stdout, again.stderr);
  }
});

test('flags: stages win over a duration in the environment', { timeout: 30_000 }, async (t) => {
  const { stdout, stderr } = await run(['stress', '--stage', '1s:rate=5', '--print'], {
    cwd: emptyFolder(t),
    env: { WSBENCH_DURATION: '5s' },
  });
  assert.match(stdout, /stages:\n {2}- duration: 1s\n {4}rate: 5\/s/, stderr);
});
