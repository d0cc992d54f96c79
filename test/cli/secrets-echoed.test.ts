// An opaque secret, given in every way and sent back by the server in every way: it may turn up nowhere.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { mintToken } from '../../lib/token.ts';
import { reporters } from '../../reports/index.ts';
import { startLeak } from '../fixtures/leak.ts';
import { type ParrotWay, parrotWays, startParrot } from '../fixtures/parrot.ts';
import { emptyFolder, run, start, until } from './spawn.ts';

const canary = 'canary-7f3a.Q9x2_LmNo-55Zz';
// What is left of it when somebody cuts it off counts, and so does what anybody can decode.
const forms = [
  canary.slice(0, 14),
  ...(['base64', 'base64url', 'hex'] as const).map((form) => Buffer.from(canary).toString(form).slice(0, 20)),
  // As logs of the wire show bytes.
  Buffer.from(canary.slice(0, 14))
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 '),
];

function everyFile(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? everyFile(path) : [path];
  });
}

function assertSilent(text: string, where: string): void {
  for (const form of forms) {
    const at = text.indexOf(form);
    assert.ok(at < 0, `${where}: …${text.slice(Math.max(0, at - 80), at + 80)}…`);
  }
}

const target = `name: mine
connect:
  headers: { X-Api-Key: "{{ env.MY_KEY }}", X-Trace: "{{ env.MY_KEY }}" }
request: "{{ id }}"
match: { by: marker }
`;
const targetWithVariable = `name: mine
vars: { apikey: "" }
connect:
  query: { k: "{{ apikey }}" }
request: "{{ id }}"
match: { by: marker }
`;

/** Ways to give a secret: arguments beside the URL, and what the URL is made of. */
// biome-ignore format: a table
const places: [name: string, args: string[], before?: string, after?: string][] = [
  ['--token', ['--token', canary]],
  ['--token @file', ['--token', '@secret']],
  ['--token env:', ['--token', 'env:MY_KEY']],
  ['--token-in query', ['--token', 'env:MY_KEY', '--token-in', 'query:k']],
  ['--token-in cookie', ['--token', 'env:MY_KEY', '--token-in', 'cookie:sid']],
  ['--token-in subprotocol', ['--token', 'env:MY_KEY', '--token-in', 'subprotocol']],
  ['--token-in subprotocol, alone', ['--subprotocol', 'chat', '--token', 'env:MY_KEY', '--token-in', 'subprotocol:{{ token }}']],
  ['--token-in header', ['--token', 'env:MY_KEY', '--token-in', 'header:X-Thing']],
  ['--token-in message', ['--token', 'env:MY_KEY', '--token-in', 'message:{"hi":"{{ token }}"}']],
  ['Authorization', ['-H', `Authorization: Bearer ${canary}`]],
  ['Cookie', ['-H', `Cookie: theme=dark; s=${canary}`]],
  ['apikey', ['-H', `apikey: ${canary}`]],
  ['subprotocol', ['--subprotocol', 'bearer', '--subprotocol', canary]],
  ['query', [], '', `?access_token=${canary}`],
  ['user information', [], `ada:${canary}@`],
  ['target file, environment', ['--target', 'mine.target.yml']],
  ['target file, -e', ['--target', 'variable.target.yml', '-e', `apikey=${canary}`]],
];

const commands: Record<string, string[]> = {
  quick: [
    '--only',
    'connect,echo',
    '-t',
    '400ms',
    '--debug',
    '-o',
    'quick.md',
    '-o',
    'quick.json',
    '-o',
    'quick.txt',
  ],
  stress: [
    '-c',
    '1',
    '-r',
    '20/s',
    '-d',
    '200ms',
    '--warmup',
    '0s',
    '-t',
    '300ms',
    '--debug',
    '-o',
    's.md',
    '-o',
    's.json',
    '-o',
    's.txt',
  ],
  // biome-ignore format: a line
  conform: ['1.1.2', '2.2', '-v', '--debug', '-o', 'c.md', '-o', 'c.json', '-o', 'c.xml', '-o', 'c.txt', '--index', 'i.json'],
  connect: ['--send', 'hello', '-t', '400ms'],
};

for (const [command, more] of Object.entries(commands)) {
  test(`secrets: what a server sends back to ${command} is masked, whatever it looks like`, {
    timeout: 150_000,
  }, async (t) => {
    const { host, said } = await startParrot(t, canary);
    const input = emptyFolder(t);
    writeFileSync(join(input, 'secret'), canary);
    // There a token in a message is refused before anything is sent.
    const usable = places.filter(([name]) => command !== 'conform' || name !== '--token-in message');
    const queue = usable.map(([name, args, before = '', after = ''], index) => {
      const way: ParrotWay = name.includes('subprotocol')
        ? 'subprotocol'
        : (parrotWays[index % (parrotWays.length - 1)] ?? 'refusal');
      const json = (command === 'connect' ? index % 2 : index % 5) === 0;
      const url = `ws://${before}${host}/${way}${after}`;
      const preset = args.includes('--target') ? [] : ['--preset', 'echo'];
      const given = args.map((word) => (word === '@secret' ? `@${join(input, 'secret')}` : word));
      const words = [command, url, ...given, ...preset, ...more, ...(json ? ['--json'] : [])];
      return { what: `${command} with ${name}, answered by ${way}`, words };
    });
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next; next = queue.shift()) await runSilently(t, next.what, next.words);
    };
    await Promise.all([work(), work()]);
    for (const way of parrotWays) assert.ok((said.get(way) ?? 0) > 0, `the server said it by ${way}`);
  });
}

async function runSilently(t: TestContext, what: string, words: string[]): Promise<void> {
  const cwd = emptyFolder(t);
  writeFileSync(join(cwd, 'mine.target.yml'), target);
  writeFileSync(join(cwd, 'variable.target.yml'), targetWithVariable);
  const env = { MY_KEY: canary, GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(cwd, 'summary.md') };
  const { code, stdout, stderr } = await run(words, { cwd, env });
  assert.ok(code !== 2 && code !== 70 && code !== null, `${what}: ${stderr}`);
  assertSilent(stdout, `${what}, stdout`);
  assertSilent(stderr, `${what}, stderr`);
  for (const path of everyFile(cwd)) assertSilent(readFileSync(path, 'utf8'), `${what}, ${path}`);
}

const leaked = [
  'NODE_ENV=production',
  `JWT_SECRET=${canary}`,
  `DATABASE_URL=postgres://app:${canary}@db.internal/app`,
  `AWS_SECRET_ACCESS_KEY="${canary}"`,
  `SUPABASE_SERVICE_KEY='${canary}'`,
  `export SMTP_PASSWORD=${canary}`,
].join('\n');

test('secrets: a server that shows its .env file, which we were never told of', {
  timeout: 150_000,
}, async (t) => {
  const server = await startLeak(t, leaked);
  const cwd = emptyFolder(t);
  const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(cwd, 'summary.md') };
  const all = (name: string): string[] =>
    Object.values(reporters).flatMap(({ extension }) => ['-o', `${name}${extension}`]);
  const load = ['-c', '2', '-r', '20/s', '-d', '200ms', '--warmup', '0s', '-t', '300ms', '--preset', 'echo'];
  for (const way of ['refusal', 'close', 'message'] as const) {
    for (const words of [
      ['quick', `${server}/${way}`, '--preset', 'wsbench', '-t', '400ms', '--debug', ...all('q')],
      ['quick', `${server}/${way}`, '--preset', 'echo', '--only', 'connect,echo', '-t', '400ms', '--json'],
      ['stress', `${server}/${way}`, ...load, ...all('s')],
      ['stress', `${server}/${way}`, ...load, '--json', '--driver', 'ws'],
      ['conform', `${server}/${way}`, '1.1.2', '2.2', '-v', '--index', 'i.json', ...all('c')],
      ['connect', `${server}/${way}`, '--send', 'hello', '-t', '400ms'],
      ['connect', `${server}/${way}`, '--send', 'hello', '-t', '400ms', '--json'],
      ['report', 'c.json', '-v'],
      ['report', 's.json', 'q.json', '--format', 'markdown'],
      ['compare', 's.json', 's.json', '--json'],
    ]) {
      const { code, stdout, stderr } = await run(words, { cwd, env });
      assert.ok(code !== 2 && code !== 70 && code !== null, `${words.join(' ')}: ${stderr}`);
      assertSilent(stdout, `${words.join(' ')}, stdout`);
      assertSilent(stderr, `${words.join(' ')}, stderr`);
    }
    for (const path of everyFile(cwd)) assertSilent(readFileSync(path, 'utf8'), `${way}, ${path}`);
  }
  assert.ok(everyFile(cwd).length > 15, 'files were written');
});

test('secrets: tokens files, --secret, private keys and bad words', { timeout: 120_000 }, async (t) => {
  const { host } = await startParrot(t, canary);
  const cwd = emptyFolder(t);
  const input = emptyFolder(t);
  writeFileSync(join(input, 'tokens'), `other-token-1\n${canary}\n`);
  writeFileSync(join(input, 'key'), JSON.stringify({ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: canary }));
  writeFileSync(join(input, 'secret'), canary);
  const secret = canary.repeat(2);
  const token = await mintToken({ secret });
  // biome-ignore format: a table
  const rows: string[][] = [
    ['stress', `ws://${host}/error`, '--tokens-file', join(input, 'tokens'), '--preset', 'echo', ...(commands.stress ?? [])],
    ['quick', `ws://${host}/error`, '--secret', canary, '--preset', 'wsbench', '--only', 'auth-expired', '-t', '400ms', '--debug'],
    ['quick', `ws://${host}/error`, '--key', join(input, 'key'), '--preset', 'wsbench', '--only', 'auth-expired', '--debug'],
    ['connect', `ws://${host}/greeting`, '--expect', `~^${canary}`, '-t', '300ms', '--token', canary],
    ['connect', `ws://${canary}@${host}:99999/`],
    ['connect', `ws://${host}/`, '-e', `token=${canary}`],
    ['connect', `ws://${host}/`, '--token', `env:${canary}`],
    ['connect', `ws://${host}/`, '--expect-close', canary],
    ['token', 'inspect', canary, '--debug'],
    ['token', 'inspect', `@${join(input, 'secret')}`],
    ['token', 'inspect', 'env:MY_KEY', '--json'],
    ['token', 'inspect', token, '--secret', canary],
    ['token', 'mint', '--secret', canary, '--expires', 'soon', '--debug'],
    ['token', 'mint', '--secret', canary, '--count', 'many'],
    ['token', 'mint', '--key', join(input, 'key'), '--debug'],
    ['token', 'jwks', '--key', join(input, 'key'), '--debug'],
    ['serve', '--port', 'none', '--debug'],
    ['report', 'latest'],
    ['report', 'latest', '--format', 'markdown', '-o', 'again.json'],
    ['compare', 'latest', 'latest', '--json', '-o', 'compare.md'],
  ];
  for (const words of rows) {
    const env = {
      MY_KEY: canary,
      JWT_SECRET: secret,
      REDIS_URL: `redis://u:${canary}@127.0.0.1:1/`,
      GITHUB_STEP_SUMMARY: join(cwd, 'sum.md'),
    };
    const { stdout, stderr } = await run(words, { cwd, env });
    assertSilent(stdout + stderr, words.slice(0, 3).join(' '));
    for (const path of everyFile(cwd))
      assertSilent(readFileSync(path, 'utf8'), `${path} after ${words.join(' ')}`);
  }
});

test('secrets: serve tells neither its own nor what clients send', { timeout: 60_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const served = start(['serve', '--port', '0', '--json', '--debug'], {
    cwd,
    env: { JWT_SECRET: canary.repeat(2), SUPABASE_SERVICE_KEY: canary },
  });
  t.after(() => served.child.kill('SIGKILL'));
  await until(() => served.stdout().includes('\n'), 'the server listens');
  const { url } = JSON.parse(served.stdout()) as { url: string };
  for (const words of [
    ['--token', canary],
    ['--token', canary, '--token-in', 'query'],
    ['--send', `{"type":"AUTH","id":"1","payload":{"token":"${canary}"}}`],
  ]) {
    await run(['connect', url, '-t', '500ms', ...words], { cwd });
  }
  served.child.kill('SIGTERM');
  const { stdout, stderr } = await served.finished;
  assertSilent(stdout + stderr, 'serve');
});

test('secrets: what an older result still holds is masked when it is reported', {
  timeout: 60_000,
}, async (t) => {
  const cwd = emptyFolder(t);
  const token = await mintToken({ secret: 'x'.repeat(32) });
  await run(['quick', '--only', 'connect', '-o', 'r.json', '--no-save'], { cwd });
  const result = readFileSync(join(cwd, 'r.json'), 'utf8').replace(
    '"wsbench quick',
    `"wsbench quick --token ${token} -H 'Cookie: s=${canary}'`,
  );
  assert.ok(result.includes(canary));
  writeFileSync(join(cwd, 'r.json'), result);
  for (const words of [
    ['report', 'r.json'],
    ['report', 'r.json', '--format', 'markdown'],
    ['report', 'r.json', '--format', 'json'],
    ['compare', 'r.json', 'r.json', '--json'],
  ]) {
    const { code, stdout, stderr } = await run(words, { cwd });
    assert.equal(code, 0, stderr);
    assertSilent(stdout + stderr, words.join(' '));
    assert.ok(!stdout.includes(token.slice(40, 80)), words.join(' '));
  }
});

test('secrets: the line that runs it again holds none, and a shell takes it', {
  timeout: 60_000,
}, async (t) => {
  const cwd = emptyFolder(t);
  const { host } = await startParrot(t, canary);
  const url = `ws://ada:${canary}@${host}/greeting?token=${canary}&room=5`;
  // biome-ignore format: pairs
  const flags = ['--token', canary, '-H', `X-Api-Key: ${canary}`, '-H', 'X-Room: a "b" $c', '--preset', 'json-rpc', '-e', 'method=it\'s', '--subprotocol', `bearer.${canary}`, '--only', 'connect'];
  const { stdout } = await run(['quick', url, ...flags, '--json', '--no-save'], { cwd });
  const { reproduce } = (JSON.parse(stdout) as { run: { reproduce: string } }).run;
  // biome-ignore format: the line
  assert.equal(
    reproduce,
    `wsbench quick "ws://$SECRET@${host}/greeting?token=$SECRET&room=5" --preset json-rpc --env 'method=it'\\''s' --header "X-Api-Key: $X_API_KEY" --header 'X-Room: a "b" $c' --subprotocol "bearer.$SECRET" --token env:TOKEN --only connect`,
  );
});
