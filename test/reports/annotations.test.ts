// Annotations: GitHub's grammar, its limit, and what a reader of a pull request wants to know.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { annotations } from '../../reports/index.ts';
import * as conform from '../fixtures/conform-results.ts';
import { everyResult } from '../fixtures/every-result.ts';
import * as fixtures from '../fixtures/results.ts';
import { type Command, runnerReads } from '../fixtures/workflow-commands.ts';

const read = (...results: Parameters<typeof annotations>[0]): Command[] => {
  const text = annotations(results);
  const commands = runnerReads(text);
  assert.equal(commands.length, text.split('\n').length - 1, 'every line is a command');
  return commands;
};

test('annotations: a run that passed has none', () => {
  assert.equal(annotations([fixtures.quickPassed(), fixtures.stressPassed(), conform.conformPassed()]), '');
});

test('annotations: a failed check is an error with its evidence, a warning is a warning', () => {
  const [first, second, warning, ...none] = read(fixtures.quickFailed());
  assert.deepEqual(none, []);
  assert.deepEqual(first, {
    name: 'error',
    properties: { title: 'Check invalid: Invalid messages' },
    message:
      'no answer to malformed JSON within 2 s\nexpected: ERROR INVALID_JSON, connection kept open\ngot: no message within 2 s\nreproduce: wsbench quick ws://127.0.0.1:8080/ws --check invalid',
  });
  assert.match(second?.properties.title ?? '', /^Check close: Connections close cleanly, whoever/);
  assert.equal(warning?.name, 'warning');
  assert.equal(warning?.properties.title, 'wsbench quick: ephemeral-key');
});

test('annotations: thresholds, cases, and what keeps a run from proving anything', () => {
  const titles = (...results: Parameters<typeof annotations>[0]): string[] =>
    read(...results).map(({ name, properties }) => `${name} ${properties.title}`);
  assert.deepEqual(titles(fixtures.stressLost()), [
    'error Threshold connections.failed',
    'error Threshold error_rate',
    'error Threshold messages.corrupt',
    'error Threshold rtt.p99',
    'warning wsbench stress: backlog',
  ]);
  assert.deepEqual(titles(fixtures.stressInconclusive()), ['error wsbench stress: generator-limited']);
  assert.deepEqual(titles(fixtures.stressInterrupted()), ['error wsbench stress: sigint']);
  assert.deepEqual(titles(conform.conformAgents()), [
    'error Case 6.3.1 on second: FAILED',
    'error Case 7.9.1 on second: FAILED, close WRONG CODE',
    'error wsbench conform: unreachable',
  ]);
});

for (const failed of [1, 9, 10, 11, 12, 517, 5000]) {
  test(`annotations: ${failed} failures and as many warnings are at most ten lines of each`, () => {
    const result = fixtures.quickFailed();
    const check = result.checks.find(({ status }) => status === 'failed');
    assert.ok(check);
    const checks = Array.from({ length: failed }, (_, index) => ({ ...check, id: `check-${index}` }));
    const warnings = checks.map(({ id }) => ({ code: id, message: 'look' }));
    const commands = read({ ...result, checks, warnings });
    for (const kind of ['error', 'warning']) {
      const ours = commands.filter(({ name }) => name === kind);
      assert.equal(ours.length, Math.min(10, failed));
      const [last] = ours.slice(-1);
      if (failed <= 10) continue;
      assert.match(last?.properties.title ?? '', new RegExp(`^${failed - 9} more `));
      assert.ok(last?.message.includes('check-9'), 'the rest is named');
      assert.ok((last?.message.length ?? 0) < 2100);
      if (failed === 5000) assert.match(last?.message ?? '', /\n… and \d+ more$/);
    }
  });
}

test('annotations: no text makes another command, property or line', () => {
  const parts = fc.constantFrom(
    '%',
    '%0A',
    '\r',
    '\n',
    '\r\n',
    ':',
    '::',
    ',',
    '::error::',
    '::stop-commands::x',
    '##[error]',
    'title=x',
    '\0',
    '\u2028',
    '\ud800',
    ' ',
  );
  const nasty = fc.oneof(
    fc.array(parts, { maxLength: 12 }).map((all) => all.join('')),
    fc.string({ unit: 'binary', maxLength: 40 }),
  );
  const benign = {
    quick: read(fixtures.quickHostile('x')).length,
    stress: read(fixtures.stressHostile('x')).length,
  };
  fc.assert(
    fc.property(nasty, (text) => {
      for (const result of [fixtures.quickHostile(text), fixtures.stressHostile(text)]) {
        const commands = read(result);
        assert.equal(commands.length, benign[result.kind as 'quick' | 'stress']);
        for (const { name, properties } of commands) {
          assert.ok(name === 'error' || name === 'warning');
          assert.deepEqual(Object.keys(properties), ['title']);
        }
      }
    }),
  );
});

for (const [name, result] of Object.entries(everyResult())) {
  test(`annotations: ${name} has errors if, and only if, its exit code is one`, () => {
    const errors = read(result).filter((command) => command.name === 'error');
    assert.equal(errors.length > 0, result.outcome !== 'passed');
  });
}
