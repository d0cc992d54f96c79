// `quick` with each preset, against real implementations: what every WebSocket server must do, and what the preset describes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quick } from '../../lib/index.ts';
import { presetRows } from '../fixtures/preset-peers.ts';

for (const { name, preset, start, options = {}, skip = false } of presetRows) {
  test(`${name}: every check that applies passes`, { timeout: 60_000, skip }, async (t) => {
    const url = await start(t);
    const { tokens = [], ...rest } = options;
    const token = tokens[0] === undefined ? {} : { token: tokens[0] };
    const result = await quick(url, { preset, timeoutMs: 3000, ...rest, ...token });
    const verdicts = Object.fromEntries(
      result.checks.map(({ id, status, detail }) => [id, `${status}: ${detail}`]),
    );
    const seen = JSON.stringify(verdicts, undefined, 1);
    assert.deepEqual(
      result.checks.filter(({ status }) => status === 'failed').map(({ id }) => id),
      [],
      seen,
    );
    for (const id of ['connect', 'request', 'ping-frame', 'simultaneous'])
      assert.match(verdicts[id] ?? '', /^passed/, seen);
    assert.equal(result.outcome, 'passed', seen);
  });
}
