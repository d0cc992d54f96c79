// Verdicts against those that were expected.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectedOf, formatExpectations, parseExpectations } from '../../lib/conform/expectation-file.ts';
import { type Expectation, judgeExpected, updateExpectations } from '../../lib/conform/expectations.ts';
import { allCases } from '../../lib/conform/index.ts';
import type { Behavior, CloseBehavior, FailOn } from '../../lib/result/result.ts';
import { verdict } from '../fixtures/conform-results.ts';

const ids = allCases.map(({ id }) => id);

// biome-ignore format: a table
const rows: [behavior: Behavior, close: CloseBehavior, expected: Expectation, failOn: FailOn, against: string][] = [
  ['OK', 'OK', { behavior: ['OK'] }, 'failed', 'as-expected'],
  ['NON-STRICT', 'OK', { behavior: ['OK'] }, 'failed', 'worse'],
  ['NON-STRICT', 'OK', { behavior: ['OK', 'NON-STRICT'] }, 'failed', 'as-expected'],
  ['OK', 'OK', { behavior: ['NON-STRICT'] }, 'failed', 'better'],
  ['FAILED', 'FAILED', { behavior: ['FAILED'] }, 'failed', 'as-expected'],
  ['FAILED', 'WRONG CODE', { behavior: ['FAILED'], close: ['WRONG CODE'] }, 'failed', 'as-expected'],
  ['FAILED', 'FAILED', { behavior: ['FAILED'], close: ['WRONG CODE'] }, 'failed', 'worse'],
  ['FAILED', 'UNCLEAN', { behavior: ['FAILED'], close: ['WRONG CODE', 'FAILED'] }, 'failed', 'better'],
  ['FAILED', 'FAILED BY CLIENT', { behavior: ['FAILED'], close: ['WRONG CODE', 'FAILED'] }, 'failed', 'as-expected'],
  ['OK', 'OK', { behavior: ['FAILED'] }, 'failed', 'better'],
  ['OK', 'FAILED', { behavior: ['OK'] }, 'failed', 'worse'],
  ['OK', 'UNCLEAN', { behavior: ['OK'] }, 'failed', 'as-expected'],
  ['OK', 'UNCLEAN', { behavior: ['OK'] }, 'unclean', 'worse'],
  ['OK', 'UNCLEAN', { behavior: ['OK'], close: ['OK'] }, 'failed', 'worse'],
  ['OK', 'OK', { behavior: ['OK'], close: ['UNCLEAN'] }, 'failed', 'better'],
  ['NON-STRICT', 'UNCLEAN', { behavior: ['FAILED'], close: ['OK'] }, 'failed', 'worse'],
  ['UNIMPLEMENTED', 'OK', { behavior: ['OK'] }, 'failed', 'worse'],
  ['OK', 'OK', { behavior: ['UNIMPLEMENTED'] }, 'failed', 'better'],
  ['INFORMATIONAL', 'INFORMATIONAL', { behavior: ['INFORMATIONAL'] }, 'non-strict', 'as-expected'],
];

for (const [behavior, behaviorClose, expected, failOn, against] of rows) {
  test(`${behavior} / ${behaviorClose} where ${JSON.stringify(expected)}, failing on ${failOn}: ${against}`, () => {
    assert.equal(judgeExpected({ behavior, behaviorClose }, expected, failOn), against);
  });
}

test('nothing expected is nothing to judge by', () => {
  assert.equal(
    judgeExpected({ behavior: 'FAILED', behaviorClose: 'FAILED' }, undefined, 'failed'),
    undefined,
  );
});

test('updating takes what was seen, races as both, and keeps what holds', () => {
  const before = new Map<string, Expectation>([
    ['1.1.1', { behavior: ['OK', 'NON-STRICT'] }],
    ['2.1', { behavior: ['FAILED'] }],
    ['9.9', { behavior: ['OK'] }],
  ]);
  const after = updateExpectations(
    before,
    [
      verdict('3.2', 'a race', { behavior: 'NON-STRICT' }),
      verdict('1.1.1', 'holds', { behavior: 'NON-STRICT' }),
      verdict('2.1', 'was mended'),
      verdict('2.10', 'broken', { behavior: 'FAILED', behaviorClose: 'UNCLEAN' }),
      verdict('5.1', 'flaky', {
        behavior: 'FAILED',
        flaky: [
          { behavior: 'FAILED', behaviorClose: 'OK', count: 1 },
          { behavior: 'OK', behaviorClose: 'OK', count: 2 },
        ],
      }),
    ],
    'failed',
  );
  assert.deepEqual(Object.fromEntries(after), {
    '1.1.1': { behavior: ['OK', 'NON-STRICT'] },
    '2.1': { behavior: ['OK'] },
    '2.10': { behavior: ['FAILED'], close: ['UNCLEAN'] },
    '3.2': { behavior: ['OK', 'NON-STRICT'] },
    '5.1': { behavior: ['OK', 'FAILED'], close: ['OK'] },
    '9.9': { behavior: ['OK'] },
  });
  assert.deepEqual([...after.keys()], ['1.1.1', '2.1', '2.10', '3.2', '5.1', '9.9']);
});

for (const path of ['known.yml', 'known.json']) {
  test(`what is written to ${path} is read again`, () => {
    const file = {
      all: new Map<string, Expectation>([
        ['2.1', { behavior: ['OK'] }],
        ['2.10', { behavior: ['OK', 'NON-STRICT'] }],
        ['9.3.1', { behavior: ['FAILED'], close: ['UNCLEAN', 'FAILED'] }],
      ]),
      byAgent: new Map([
        ['my "server"', new Map<string, Expectation>([['1.1.1', { behavior: ['FAILED'] }]])],
      ]),
    };
    const text = formatExpectations(file, path);
    const read = parseExpectations(text, path, ids, ['my "server"']);
    assert.deepEqual(read.all, file.all);
    assert.deepEqual(read.byAgent, file.byAgent);
    assert.equal(expectedOf(read, 'my "server"').size, 4);
    assert.equal(expectedOf(read, 'another').size, 3);
    if (path.endsWith('.json')) assert.doesNotThrow(() => JSON.parse(text));
  });
}

test('keys of YAML are what stands there, not numbers', () => {
  const { all } = parseExpectations('2.1: OK\n2.10: FAILED\n3.2: [OK, NON-STRICT]\n', 'a.yml', ids, []);
  assert.deepEqual([...all.keys()], ['2.1', '2.10', '3.2']);
  assert.deepEqual(all.get('2.10'), { behavior: ['FAILED'] });
});

// biome-ignore format: a table
const wrong: [text: string, message: RegExp][] = [
  ['1.1.1: OK\n2.12: OK\n', /^a\.yml:2:1 2\.12: no such case; 2 has 11 cases, 2\.1 to 2\.11/],
  ['1.1.1: OK\nservr:\n  1.1.1: OK\n', /^a\.yml:2:1 servr: no case, and no server of this run; did you mean "server"\?/],
  ['server:\n  1.1.99: OK\n', /^a\.yml:2:3 server\.1\.1\.99: no such case; 1\.1 has 8 cases/],
  ['1.1.1: okay\n', /^a\.yml:1:8 1\.1\.1: /],
  ['1.1.1: { behavior: OK, clos: OK }\n', /^a\.yml:1:\d+ .*clos/],
  ['1.1.1: { behavior: OK, close: NON-STRICT }\n', /^a\.yml:1:\d+ .*close/],
  ['1.1.1: []\n', /^a\.yml:1:8 1\.1\.1: /],
  ['- 1.1.1\n', /^a\.yml:1:1 document: wants a mapping/],
  ['', /^a\.yml:1:1 document: the file is empty/],
  ['1.1.1: OK\n1.1.1: FAILED\n', /^a\.yml:2:1 /],
];

for (const [text, message] of wrong) {
  test(`refused with its place: ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseExpectations(text, 'a.yml', ids, ['server']), { code: 'CONFIG', message });
  });
}
