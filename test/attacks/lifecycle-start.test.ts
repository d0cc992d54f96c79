// A server that cannot start says why in one line, at once, and ends with 2.
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { describe, test } from 'node:test';
import { emptyFolder, run } from '../cli/spawn.ts';
import { isRoot, noNetworks } from '../fixtures/privileged.ts';
import { startServe } from '../fixtures/serve.ts';
import { Client } from '../reference-server/client.ts';

const timeout = 60_000;
const redis = 'redis://127.0.0.1:6379';
const long = 'sesame, of which there are 32 bytes or more';

// biome-ignore format: a table
const wrong: [what: string, args: string[], env: Record<string, string>, says: RegExp][] = [
  ['type of the port',        [],                                  { PORT: 'abc' },                        /PORT: "abc" is not a port from 0 to 65535$/],
  ['range of the port',       [],                                  { PORT: '65536' },                      /PORT: "65536" is not a port from 0 to 65535$/],
  ['port as a flag',          ['--port', '1e3'],                   {},                                     /--port: "1e3" is not a port from 0 to 65535$/],
  ['no value',                ['--port'],                          {},                                     /--port <n>' argument missing/],
  ['host',                    ['--port', '0'],                     { HOST: '300.1.1.1' },                  /300\.1\.1\.1:0: .*\(--host, HOST\)/],
  ['host of another machine', ['--host', '192.0.2.1', '-p', '0'],  {},                                     /192\.0\.2\.1:0: .*\(--host, HOST\)/],
  ['limits',                  ['--limits', 'none'],                {},                                     /--limits .*'none' .*development, production, test, off/],
  ['time without a unit',     ['--drain-timeout', '5'],            {},                                     /--drain-timeout: "5" has no unit; write 5s or 5ms$/],
  ['range of a time',         ['--drain-timeout', '2h'],           {},                                     /--drain-timeout: "2h" is not from 0s to 1h$/],
  ['negative time',           ['--drain-window=-1s'],              {},                                     /--drain-window: "-1s" is not a duration/],
  ['range of the window',     [],                                  { WSBENCH_DRAIN_WINDOW: '61m' },        /--drain-window: "61m" is not from 0s to 1h$/],
  ['Redis or not',            ['--redis', 'maybe'],                { REDIS_URL: redis },                   /--redis .*'maybe' .*required, optional/],
  ['a Redis of nowhere',      ['--redis', 'required'],             {},                                     /--redis: REDIS_URL is not set$/],
  ['scheme of Redis',         [],                                  { REDIS_URL: 'http://x:sesame@y' },     /REDIS_URL: not a URL like rediss:/],
  ['port of Redis',           [],                                  { REDIS_URL: 'redis://:sesame@h:99999' }, /REDIS_URL: not a URL like rediss:/],
  ['database of Redis',       [],                                  { REDIS_URL: `${redis}/one` },          /REDIS_URL: .*number of a database$/],
  ['authorities of Redis',    [],                                  { REDIS_URL: 'rediss://h', REDIS_CA: '/no/file' }, /REDIS_CA: \/no\/file cannot be read/],
  ['authorities for nothing', [],                                  { REDIS_URL: redis, REDIS_CA: '/no/file' }, /REDIS_CA: it is for rediss:\/\/ only/],
  ['prefix in Redis',         [],                                  { REDIS_URL: redis, REDIS_PREFIX: 'a{b' }, /REDIS_PREFIX: 1 to 64 letters/],
  ['an empty production',     [],                                  { NODE_ENV: 'production' },             /production needs JWT_SECRET .*SUPABASE_URL or --jwks-url$/],
  ['a weak secret',           [],                                  { NODE_ENV: 'production', JWT_SECRET: 'open sesame' }, /JWT_SECRET: the secret has 11 bytes; production needs at least 32$/],
  ['a key for a secret',      [],                                  { JWT_SECRET: `-----BEGIN PUBLIC KEY----- ${long}` }, /JWT_SECRET: the secret is a key/],
  ['two secrets',             [],                                  { JWT_SECRET: long, SUPABASE_JWT_SECRET: `another ${long}` }, /JWT_SECRET and SUPABASE_JWT_SECRET differ: set one of them$/],
  ['a project',               [],                                  { SUPABASE_URL: 'ftp://me:sesame@x' },  /SUPABASE_URL: not a URL like https:/],
  ['a key set',               ['--jwks-url', 'keys?token=sesame'], {},                                     /--jwks-url: not a URL like https:/],
  ['an origin',               [],                                  { ALLOWED_ORIGINS: 'https://a.example,b' }, /ALLOWED_ORIGINS\): "b" is not an origin like https:/],
  ['an unknown flag',         ['--prot', '1'],                     {},                                     /unknown option '--prot' \(Did you mean --port\?\)/],
  ['a word too many',         ['here'],                            {},                                     /too many arguments for 'serve'/],
];

describe('LC-12', { concurrency: 2 }, () => {
  const times: number[] = [];
  for (const [what, args, env, says] of wrong) {
    test(`LC-12 wrong: ${what}`, { timeout }, async (t) => {
      const cwd = emptyFolder(t);
      const startedMs = performance.now();
      const { code, stdout, stderr } = await run(['serve', ...args], { cwd, env });
      times.push(performance.now() - startedMs);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      const [line = '', ...more] = stderr.trimEnd().split('\n');
      assert.deepEqual(more, []);
      assert.match(line, /^wsbench: /);
      assert.match(line, says);
      assert.doesNotMatch(line, /sesame/);
    });
  }
  test('LC-12 in a second', { timeout }, async (t) => {
    let nothingMs = 0;
    for (let n = 0; n < 3; n++) {
      const startedMs = performance.now();
      await run(['--version'], { cwd: emptyFolder(t) });
      nothingMs = Math.max(nothingMs, performance.now() - startedMs);
    }
    times.sort((a, b) => a - b);
    const [median = 0, slowest = 0] = [times[times.length >> 1], times.at(-1)];
    t.diagnostic(
      `${times.length} ends after ${Math.round(median)} ms in the middle, ${Math.round(slowest)} ms at most; ` +
        `a command that does nothing takes ${Math.round(nothingMs)} ms`,
    );
    // Two at a time, on a machine that may be busy: beyond what the start of Node takes here.
    assert.ok(median < 1000 + 3 * nothingMs, `${median} ms`);
  });
});

test('LC-13 a port that is taken: one line, exit 2, and who has it goes on', { timeout }, async (t) => {
  const server = await startServe(t);
  const { port } = new URL(server.url);
  const { code, stdout, stderr } = await run(['serve', '--port', port], { cwd: emptyFolder(t) });
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(
    stderr,
    /^wsbench: cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE.*; stop what listens there, or choose another port.*\n$/,
  );
  const honest = await Client.open(server.url);
  assert.equal((await honest.request('ECHO', 'served')).payload, 'served');
});

test('LC-13 a port that is let go is free at once', { timeout }, async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  await new Promise((resolve) => other.close(resolve));
  const first = await startServe(t, ['--port', `${port}`]);
  const client = await Client.open(first.url);
  first.child.kill('SIGTERM');
  await client.closed;
  await first.finished;
  const second = await startServe(t, ['--port', `${port}`]);
  const honest = await Client.open(second.url);
  assert.equal((await honest.request('ECHO', 'served')).payload, 'served');
});

test('LC-13 a low port without the right to it: one line, exit 2', {
  timeout,
  skip: isRoot ? noNetworks : false,
}, async (t) => {
  const cwd = emptyFolder(t);
  chmodSync(cwd, 0o755);
  // Root may have any port: somebody else, in a network in which ports are as they are by default.
  const prefix = isRoot ? ['unshare', '-n', 'setpriv', '--reuid=65534', '--clear-groups'] : [];
  const args = ['serve', '--host', '0.0.0.0', '--port', '80'];
  const { code, stdout, stderr } = await run(args, { cwd, prefix });
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(
    stderr,
    /^wsbench: cannot listen on 0\.0\.0\.0:80: .*EACCES.*; ports below 1024 need a right.*\n$/,
  );
});
