// A canary in every place that takes a secret: it may turn up in no output, file or error message.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer } from '../../lib/index.ts';
import { reporters } from '../../reports/index.ts';
import { emptyFolder, run } from './spawn.ts';

const query =
  'token=CANARY-q1&access_token=CANARY-q2&apikey=CANARY-q3&auth=CANARY-q4&code=CANARY-q5&sid=CANARY-q6';
const carried = [
  ...['-H', 'Authorization: Bearer CANARY-h1', '-H', 'X-Api-Key: CANARY-h2', '-H', 'Cookie: s=CANARY-h3'],
  ...['-H', 'X-Custom-Auth: CANARY-h4', '-H', 'X-Session: CANARY-h5'],
  ...['--subprotocol', 'bearer.CANARY-s1', '--subprotocol', 'bearer', '--subprotocol', 'CANARY-s2'],
];
const short = ['-d', '200ms', '--warmup', '0s', '-t', '300ms', '-c', '2', '--preset', 'echo'];
const body = '{"type":"AUTH","payload":{"token":"CANARY-m1"}}';

function everyFile(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? everyFile(path) : [path];
  });
}

test('secrets: a canary turns up nowhere', { timeout: 120_000 }, async (t) => {
  const server = await createServer({ environment: 'test', limits: 'off' });
  t.after(() => server.close());
  await server.listen();
  const { port } = new URL(server.url);
  const cwd = emptyFolder(t);
  const input = emptyFolder(t);
  writeFileSync(join(input, 'tokens'), 'CANARY-f1\nCANARY-f2\n');
  const env = {
    MY_TOKEN: 'CANARY-e1',
    GITHUB_ACTIONS: 'true',
    GITHUB_STEP_SUMMARY: join(cwd, 'summary.md'),
  };
  const user = 'CANARY-user:CANARY-pw@127.0.0.1';
  const files = [...Object.values(reporters).flatMap(({ extension }) => ['-o', `r${extension}`]), '--debug'];
  const commands: string[][] = [
    ...[`ws://${user}:${port}/ws?${query}`, `ws://${user}:1/ws?${query}`].flatMap((url) => [
      ['quick', url, '--token', 'CANARY-t1', '--only', 'connect', ...carried, ...files],
      ['quick', url, '--secret', 'CANARY-t2', '--preset', 'wsbench', '--only', 'auth-expired', ...files],
      ['quick', url, '--token', 'env:MY_TOKEN', '--only', 'connect', '--json'],
      ['stress', url, '--token', 'CANARY-t3', ...short, ...carried, ...files],
      ['stress', url, '--tokens-file', join(input, 'tokens'), ...short, '-m', body, '--json'],
      [
        'conform',
        url,
        '1.1.1',
        '2.2',
        '--token',
        'CANARY-t6',
        ...carried,
        '--index',
        'i.json',
        '-v',
        ...files,
      ],
      ['conform', url, '1.1.1', '--token', 'env:MY_TOKEN', '--agent', `second=${url}`, '--json'],
      ['connect', url, '--token', 'CANARY-t7', ...carried, '--send', body, '-t', '300ms', '--debug'],
      ['connect', url, '--token', 'env:MY_TOKEN', '--send', 'hello', '-t', '300ms', '--json'],
    ]),
    ...[`http://${user}/?${query}`, `ws:/${user}:99999/?${query}`, `${user}/?${query}`].map((url) => [
      'quick',
      url,
      '--debug',
    ]),
    ['quick', '-H', 'Authorization CANARY-h6'],
    ['quick', '-H', 'CANARY-h7'],
    ['stress', '--tokn=CANARY-t4'],
    ['token', '--secret', 'CANARY-t5', '--expires', 'soon'],
    ['report', 'latest'],
    ...Object.keys(reporters).map((format) => ['report', 'latest', '--format', format]),
    ['report', 'r.json', '-o', 'again.md', '-o', 'again.csv', '-o', 'again.xml'],
    ['compare', 'r.json', 'latest', '--json'],
  ];
  for (const args of commands) {
    const { stdout, stderr } = await run(args, { cwd, env });
    assert.doesNotMatch(stdout + stderr, /CANARY/i, args.join(' '));
    for (const path of everyFile(cwd)) {
      assert.doesNotMatch(readFileSync(path, 'utf8'), /CANARY/i, `${path} after ${args.join(' ')}`);
    }
  }
  assert.ok(everyFile(cwd).length > 10, 'files were written');
});
