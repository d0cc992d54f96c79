// Errors of a connect, sorted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify } from '../../lib/cause/connect-error.ts';

const error = (code: string, address: string): Error =>
  Object.assign(new Error(`connect ${code} ${address}:80`), { code, address });
const both = (first: string, second: string): Error =>
  Object.assign(new AggregateError([error(first, '::1'), error(second, '127.0.0.1')]), { code: first });

// biome-ignore format: a table
const rows: [string, Error, { ipv6: boolean }, string, RegExp][] = [
  ['no local port', error('EADDRNOTAVAIL', '127.0.0.1'), { ipv6: false }, 'resources', /EADDRNOTAVAIL/],
  ['no local port for IPv6', error('EADDRNOTAVAIL', '::1'), { ipv6: true }, 'resources', /EADDRNOTAVAIL/],
  ['no IPv6 at all', error('EADDRNOTAVAIL', '::1'), { ipv6: false }, 'network', /EADDRNOTAVAIL ::1/],
  ['both refused', both('ECONNREFUSED', 'ECONNREFUSED'), { ipv6: true }, 'refused', /ECONNREFUSED ::1/],
  ['no IPv6, and nobody listens', both('EADDRNOTAVAIL', 'ECONNREFUSED'), { ipv6: false }, 'refused', /ECONNREFUSED 127/],
  ['no route for IPv6, and a timeout', both('ENETUNREACH', 'ETIMEDOUT'), { ipv6: true }, 'timeout', /ETIMEDOUT 127/],
  ['no files', both('EMFILE', 'EMFILE'), { ipv6: true }, 'resources', /EMFILE/],
];
for (const [name, thrown, { ipv6 }, kind, detail] of rows) {
  test(name, () => {
    const cause = classify(thrown, 'tcp', () => ipv6);
    assert.equal(cause.kind, kind);
    assert.match(cause.detail, detail);
  });
}
