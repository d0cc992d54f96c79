// When ports are chosen by us although nobody asked for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localAddressesOf } from '../../lib/load/drivers/make.ts';

const many = { url: 'ws://127.0.0.1:8080/ws', connections: 18_000, localAddresses: [] };

// biome-ignore format: a table
const rows: [what: string, plan: Parameters<typeof localAddressesOf>[0], addresses: string[]][] = [
  ['many to the loopback interface', many, ['127.0.0.1']],
  ['many to another address of it', { ...many, url: 'wss://127.0.3.9/ws' }, ['127.0.0.1']],
  ['few', { ...many, connections: 5000 }, []],
  ['many to a name, which may be that of an IPv6 address', { ...many, url: 'ws://localhost:8080/ws' }, []],
  ['many to a name that only looks like it', { ...many, url: 'ws://127.0.0.1.example/ws' }, []],
  ['many to another machine', { ...many, url: 'ws://10.0.0.1:8080/ws' }, []],
  ['many through a proxy', { ...many, proxy: 'http://127.0.0.1:3128' }, []],
  ['what was asked for', { ...many, localAddresses: ['127.0.0.7'] }, ['127.0.0.7']],
];
for (const [what, plan, addresses] of rows) {
  test(`local addresses: ${what}`, () => assert.deepEqual(localAddressesOf(plan), addresses));
}
