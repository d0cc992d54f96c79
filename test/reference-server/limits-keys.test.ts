import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateGate } from '../../reference-server/limits/gate.ts';
import { ipKey } from '../../reference-server/limits/ip-key.ts';

for (const [address, key] of [
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::FFFF:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
  [undefined, 'unknown'],
] as const) {
  test(`${address} is limited as ${key}`, () => assert.equal(ipKey(address), key));
}

test('a gate lets the burst pass, then the rate, and says how long to wait', () => {
  const gate = new RateGate({ perMinute: 1200, burst: 3 });
  assert.deepEqual(
    [0, 0, 0].map((at) => gate.take('a', at)),
    [0, 0, 0],
  );
  assert.equal(gate.take('a', 0), 50);
  assert.equal(gate.take('b', 0), 0);
  assert.equal(gate.take('a', 49), 1);
  assert.equal(gate.take('a', 50), 0);
});
