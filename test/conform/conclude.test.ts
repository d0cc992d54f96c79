// From verdicts to the outcome of a run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concludeResult, concludeVerdict } from '../../lib/conform/conclude.ts';
import type { Expectation } from '../../lib/conform/expectations.ts';
import { exitCode } from '../../lib/result/exit-code.ts';
import { keepSecret } from '../../lib/result/redact.ts';
import type { AgentRecord, ConformResult, FailOn, Reason, VerdictRecord } from '../../lib/result/result.ts';
import { conformPassed, verdict } from '../fixtures/conform-results.ts';

const agent = (verdicts: VerdictRecord[], more: Partial<AgentRecord> = {}): AgentRecord => ({
  name: 'a',
  url: 'ws://a/',
  verdicts,
  ...more,
});
const result = (agents: AgentRecord[], more: Partial<ConformResult> = {}): ConformResult => ({
  ...conformPassed(),
  agents,
  ...more,
});
const bad = (id: string): VerdictRecord =>
  verdict(id, 'bad', { behavior: 'FAILED', behaviorClose: 'UNCLEAN' });
const left = { notRun: { reason: 'it stopped answering', caseIds: ['2.1', '2.2'] } };
const gone: Reason[] = [{ code: 'unreachable', message: 'ws://a/: ECONNREFUSED' }];
const stopped: Reason[] = [{ code: 'sigint', message: 'interrupted by SIGINT' }];

// biome-ignore format: a table
const rows: [name: string, result: ConformResult, failOn: FailOn, outcome: string, code: number, reasons: string[]][] = [
  ['all is well', result([agent([verdict('1.1.1', 'x')])]), 'failed', 'passed', 0, []],
  ['one failed', result([agent([bad('1.1.1'), verdict('1.1.2', 'x')])]), 'failed', 'failed', 1, ['1.1.1: FAILED, close UNCLEAN']],
  ['several failed', result([agent([bad('2.10'), bad('2.9'), verdict('1.1.2', 'x')])]), 'failed', 'failed', 1, ['2 of 3 cases failed: 2.9, 2.10']],
  ['many failed', result([agent(Array.from({ length: 10 }, (_, n) => bad(`5.${n + 1}`)))]), 'failed', 'failed', 1, ['10 of 10 cases failed: 5.1, 5.2, 5.3, 5.4, 5.5, 5.6, 5.7, 5.8, …']],
  ['of two servers', result([agent([bad('1.1.1')]), agent([bad('1.1.2')], { name: 'b' })]), 'failed', 'failed', 1, ['a: 1.1.1: FAILED, close UNCLEAN', 'b: 1.1.2: FAILED, close UNCLEAN']],
  ['not strict', result([agent([verdict('6.4.1', 'x', { behavior: 'NON-STRICT' })])]), 'unclean', 'passed', 0, []],
  ['not strict where that counts', result([agent([verdict('6.4.1', 'x', { behavior: 'NON-STRICT' })])]), 'non-strict', 'failed', 1, ['6.4.1: NON-STRICT']],
  ['not implemented', result([agent([verdict('12.1.1', 'x', { behavior: 'UNIMPLEMENTED' })])]), 'non-strict', 'passed', 0, []],
  ['informational', result([agent([verdict('7.1.6', 'x', { behavior: 'INFORMATIONAL', behaviorClose: 'INFORMATIONAL' })])]), 'non-strict', 'passed', 0, []],
  ['given up', result([agent([verdict('1.1.1', 'x')], left)], { outcome: 'failed' }), 'failed', 'failed', 1, ['2 cases were not run: it stopped answering']],
  ['never reached', result([agent([], left)], { outcome: 'failed', reasons: gone }), 'failed', 'failed', 3, ['ws://a/: ECONNREFUSED']],
  ['stopped', result([agent([bad('1.1.1')], left)], { outcome: 'interrupted', reasons: stopped }), 'failed', 'interrupted', 130, ['interrupted by SIGINT', '1.1.1: FAILED, close UNCLEAN']],
  ['reasons of the runner about verdicts are made anew', result([agent([verdict('1.1.1', 'x')])], { outcome: 'failed', reasons: [{ code: 'verdict', message: 'old' }] }), 'failed', 'passed', 0, []],
];

for (const [name, given, failOn, outcome, code, reasons] of rows) {
  test(`the outcome when ${name}`, () => {
    const concluded = concludeResult(given, { failOn });
    assert.equal(concluded.outcome, outcome);
    assert.equal(exitCode(concluded), code);
    assert.deepEqual(
      concluded.reasons.map(({ message }) => message),
      reasons,
    );
  });
}

test('what is expected decides, for each time that a case ran', () => {
  const expected = new Map<string, Expectation>([
    ['1.1.1', { behavior: ['FAILED'] }],
    ['1.1.2', { behavior: ['OK'] }],
    ['1.1.3', { behavior: ['FAILED'] }],
  ]);
  const flaky = (id: string): VerdictRecord => ({
    ...bad(id),
    flaky: [
      { behavior: 'FAILED', behaviorClose: 'UNCLEAN', count: 1 },
      { behavior: 'OK', behaviorClose: 'OK', count: 3 },
    ],
  });
  const given = result([agent([bad('1.1.1'), flaky('1.1.2'), verdict('1.1.3', 'x'), bad('1.1.4')])]);
  const { agents, reasons } = concludeResult(given, { failOn: 'failed', expected: () => expected });
  assert.deepEqual(
    agents[0]?.verdicts.map(({ against }) => against),
    ['as-expected', 'worse', 'better', undefined],
  );
  assert.equal(reasons[0]?.message, '2 of 4 cases failed: 1.1.2, 1.1.4');
});

test('only what is not fine gets the command that repeats it', () => {
  const conclusion = { failOn: 'failed' as const, reproduce: (name: string) => `again ${name}` };
  assert.equal(concludeVerdict('a', verdict('1.1.1', 'x'), conclusion).reproduce, undefined);
  assert.equal(concludeVerdict('a', bad('1.1.1'), conclusion).reproduce, 'again a 1.1.1');
});

test('bytes in which a secret stands are not shown', () => {
  const secret = 'conclude-7f3a.Q9x2_LmNo';
  keepSecret(secret);
  const spaced = (text: string): string =>
    Buffer.from(text)
      .toString('hex')
      .replace(/(..)(?=.)/g, '$1 ');
  const wire = [
    { atUs: 1, direction: 'in' as const, text: 'text frame', hex: `81 20 ${spaced(`hi ${secret}`)}` },
    { atUs: 2, direction: 'in' as const, text: 'text frame', hex: `${spaced(secret.slice(0, 14))}…` },
    { atUs: 3, direction: 'in' as const, text: `said ${secret}`, hex: '81 00' },
    { atUs: 4, direction: 'out' as const, text: 'close frame', hex: '88 00' },
  ];
  const { wire: shown } = concludeVerdict('a', { ...bad('1.1.1'), wire }, { failOn: 'failed' });
  assert.deepEqual(shown, [
    { atUs: 1, direction: 'in', text: 'text frame' },
    { atUs: 2, direction: 'in', text: 'text frame' },
    { atUs: 3, direction: 'in', text: 'said [redacted]' },
    { atUs: 4, direction: 'out', text: 'close frame', hex: '88 00' },
  ]);
});
