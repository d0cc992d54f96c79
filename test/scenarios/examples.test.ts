// The examples of scenario files: valid, printed as they are, and run, in a hundredth of their time.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { resolveStress, stress } from '../../lib/index.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { validateFile } from '../../lib/validate.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';

const folder = fileURLToPath(new URL('../../../examples/scenarios/', import.meta.url));
const files = readdirSync(folder).filter((file) => file.endsWith('.yml'));

test('there are examples', () => assert.ok(files.length >= 3));

for (const file of files) {
  test(`example: ${file}`, { timeout: 60_000 }, async (t) => {
    const scenario = `${folder}${file}`;
    assert.deepEqual(validateFile(scenario).issues, []);
    const { stages, duration, connections, rate } = resolveStress({ scenario });
    const url = await startTalkServer(t, (socket, _request, onText) => onText((text) => socket.send(text)));
    const few = (count: number): number => Math.max(2, Math.round(count / 10));
    const result = await stress(url, {
      scenario,
      preset: 'echo',
      connections: few(connections),
      warmupMs: 100,
      slowConsumers: 0,
      thresholds: [],
      ...(stages
        ? {
            ratePerSecond: rate,
            stages: stages.map((stage) => ({
              duration: stage.duration / 100,
              ...(stage.connections === undefined ? {} : { connections: few(stage.connections) }),
            })),
          }
        : { durationMs: duration / 100 }),
    });
    const { counters } = result;
    assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
    assert.ok(counters['messages.matched'] > 0);
    assert.equal(counters['messages.matched'], counters['messages.sent']);
    assert.equal(counters['connections.failed'], 0);
    assert.equal(counters['connections.abnormal'], 0);
  });
}
