// Autobahn's index: the shape that its readers take apart, whatever a server is called.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { autobahnIndex } from '../../reports/index.ts';
import * as conform from '../fixtures/conform-results.ts';
import { hostileText } from '../fixtures/results.ts';

type Index = Record<string, Record<string, Record<string, unknown>>>;
const behaviors = ['OK', 'NON-STRICT', 'INFORMATIONAL', 'UNIMPLEMENTED', 'FAILED'];
const closes = ['OK', 'UNCLEAN', 'WRONG CODE', 'FAILED BY CLIENT', 'FAILED', 'INFORMATIONAL'];

for (const [name, result] of [
  ['failed', conform.conformFailed()],
  ['agents', conform.conformAgents()],
  ['interrupted', conform.conformInterrupted()],
  ['hostile', conform.conformHostile(hostileText)],
  ['__proto__', conform.conformHostile('__proto__')],
] as const) {
  test(`index of ${name}: server, case, and five fields with Autobahn's words`, () => {
    const index = JSON.parse(autobahnIndex(result)) as Index;
    assert.deepEqual(
      Object.keys(index),
      result.agents.map((agent) => JSON.parse(JSON.stringify(agent.name)) as string),
    );
    for (const { name: agent, verdicts } of result.agents) {
      const cases = Object.getOwnPropertyDescriptor(index, agent)?.value as Index[string];
      assert.deepEqual(Object.keys(cases).sort(), verdicts.map(({ caseId }) => caseId).sort());
      for (const one of Object.values(cases)) {
        const { behavior, behaviorClose, duration, remoteCloseCode, reportfile, ...none } = one;
        assert.deepEqual(none, {});
        assert.ok(behaviors.includes(String(behavior)) && closes.includes(String(behaviorClose)));
        assert.ok(
          Number.isInteger(duration) && (remoteCloseCode === null || Number.isInteger(remoteCloseCode)),
        );
        // A name of a file, and of no folder.
        assert.match(String(reportfile), /^[a-z\d_]+_case_[\d_]+\.json$/);
      }
    }
  });
}

test('index: several results stand in one; verdicts on one server come together', () => {
  const [first, second] = [conform.conformPassed(), conform.conformInterrupted()];
  const index = JSON.parse(autobahnIndex(first, second, conform.conformAgents())) as Index;
  assert.deepEqual(Object.keys(index), ['127.0.0.1:9001', 'first', 'second', 'third']);
  assert.ok('12.1.1' in (index['127.0.0.1:9001'] ?? {}));
});
