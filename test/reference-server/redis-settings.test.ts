import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WsbenchError } from '../../lib/errors.ts';
import {
  type RedisOptions,
  type RedisSettings,
  redisSettings,
} from '../../reference-server/bus/redis-settings.ts';

const plain: RedisSettings = {
  ...{ host: '127.0.0.1', port: 6379, username: undefined, password: undefined, db: 0, tls: undefined },
  ...{ prefix: 'wsbench:0', name: 'redis://127.0.0.1' },
};
const tls = { ca: undefined };

// biome-ignore format: a table
const accepted: [name: string, options: RedisOptions, differs: Partial<RedisSettings>][] = [
  ['a host',           { url: 'redis://127.0.0.1' },          {}],
  ['a port',           { url: 'redis://127.0.0.1:7000/' },    { port: 7000, name: 'redis://127.0.0.1:7000' }],
  ['a database',       { url: 'redis://127.0.0.1/3' },        { db: 3, prefix: 'wsbench:3', name: 'redis://127.0.0.1/3' }],
  ['IPv6',             { url: 'redis://[::1]:7000' },         { host: '::1', port: 7000, name: 'redis://[::1]:7000' }],
  ['a password',       { url: 'redis://:pass@127.0.0.1' },    { password: 'pass' }],
  ['an ACL user',      { url: 'redis://us%40er:p%23%2F%25@127.0.0.1' }, { username: 'us@er', password: 'p#/%' }],
  ['TLS, as Upstash',  { url: 'rediss://default:secret@eu1-fast-1.upstash.example:33079' }, { host: 'eu1-fast-1.upstash.example', port: 33079, username: 'default', password: 'secret', tls, name: 'rediss://eu1-fast-1.upstash.example:33079' }],
  ['a prefix',         { url: 'redis://127.0.0.1', prefix: 'staging' }, { prefix: 'staging:0' }],
];

for (const [name, options, differs] of accepted) {
  test(`Redis settings: ${name}`, () => {
    assert.deepEqual(redisSettings(options), { ...plain, ...differs });
  });
}

// biome-ignore format: a table
const refused: [name: string, options: RedisOptions, says: RegExp][] = [
  ['no URL',                       { url: 'canary' },                                  /REDIS_URL: not a URL like rediss/],
  ['another scheme',               { url: 'https://u:canary@h' },                      /REDIS_URL: not a URL/],
  ['a # in the password',          { url: 'redis://u:can#ary@127.0.0.1' },             /REDIS_URL: .*%23/],
  ['a parameter',                  { url: 'rediss://u:canary@h?rejectUnauthorized=false' }, /parameters after/],
  ['a database that is no number', { url: 'redis://u:canary@h/x' },                    /number of a database/],
  ['a stray %',                    { url: 'redis://u:canary%zz@h' },                   /not properly encoded/],
  ['a CA without TLS',             { url: 'redis://u:canary@h', caFile: 'x' },         /REDIS_CA: .*rediss/],
  ['a CA that is not there',       { url: 'rediss://u:canary@h', caFile: '/no/such' }, /REDIS_CA: \/no\/such cannot be read \(ENOENT\)/],
  ['a strange prefix',             { url: 'redis://u:canary@h', prefix: 'a b' },       /REDIS_PREFIX/],
];

for (const [name, options, says] of refused) {
  test(`Redis settings refuse ${name}, in one line without the URL`, () => {
    assert.throws(
      () => redisSettings(options),
      (error) =>
        error instanceof WsbenchError &&
        error.code === 'CONFIG' &&
        says.test(error.message) &&
        !/canary|\n/.test(error.message),
    );
  });
}

test('Redis settings read certificates, and nothing else', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wsbench-ca-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, 'nothing');
  assert.throws(() => redisSettings({ url: 'rediss://h', caFile }), /no certificate in PEM/);
  writeFileSync(caFile, '-----BEGIN CERTIFICATE-----\n');
  assert.equal(redisSettings({ url: 'rediss://h', caFile }).tls?.ca, '-----BEGIN CERTIFICATE-----\n');
});
