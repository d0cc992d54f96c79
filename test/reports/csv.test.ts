// CSV: read back by Python and by the RFC, with the figures of the result, and nothing that a spreadsheet would run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { failsRun } from '../../lib/result/verdicts.ts';
import { fileReport, reporters } from '../../reports/index.ts';
import * as conform from '../fixtures/conform-results.ts';
import { hasPython, parseCsv, pythonCsv } from '../fixtures/csv.ts';
import { everyResult } from '../fixtures/every-result.ts';
import * as fixtures from '../fixtures/results.ts';
import { skipUnless } from '../require.ts';

const { report } = reporters.csv;
const records = (rows: string[][]): Record<string, string | undefined>[] => {
  const [head = [], ...rest] = rows;
  return rest.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index]])));
};

test('csv: a row a second, both series side by side, the drain told apart', () => {
  const result = fixtures.stressSeries();
  const rows = records(parseCsv(report([result], fileReport)));
  assert.equal(rows.length, 6);
  assert.deepEqual(
    rows.map(({ phase, start_s, length_s }) => [phase, start_s, length_s]),
    [0, 1, 2, 3, 4, 5].map((second) => [second < 5 ? 'measure' : 'drain', String(second), '1']),
  );
  const sum = (column: string): number => rows.reduce((all, row) => all + Number(row[column]), 0);
  assert.deepEqual(
    ['due_matched', 'due_lost', 'due_rejected', 'due_unsent', 'wall_sent', 'wall_received'].map(sum),
    [337, 10, 2, 1, 349, 339],
  );
  assert.deepEqual(
    rows.map((row) => row.due_rtt_p99_ms),
    ['4.1', '', '210.25', '', '4.1', ''],
  );
  assert.equal(rows[5]?.due_matched, '', 'nothing is due in the drain');
  assert.equal(rows[2]?.wall_open_connections, '9');
});

test('csv: several loads are told apart by the id of the run', () => {
  const results = [fixtures.stressSeries(), fixtures.stressPassed()];
  const rows = records(parseCsv(report(results, fileReport)));
  assert.deepEqual(
    rows.map(({ run }) => run),
    [...Array.from({ length: 6 }, () => results[0]?.run.id), results[1]?.run.id],
  );
});

test('csv: rows that stand for several seconds say for how many', () => {
  const result = fixtures.stressSeries();
  const rows = records(
    parseCsv(report([{ ...result, series: { ...result.series, secondsPerRow: 2 } }], fileReport)),
  );
  assert.equal(rows[0]?.length_s, '2');
});

test('csv: checks and verdicts are rows; what was not run is one too', () => {
  const checks = records(parseCsv(report([fixtures.quickFailed()], fileReport)));
  assert.deepEqual(
    checks.map(({ check, status }) => [check, status]),
    fixtures.quickFailed().checks.map(({ id, status }) => [id, status]),
  );
  const agents = conform.conformAgents();
  const rows = records(parseCsv(report([agents], fileReport)));
  const failed = agents.agents.flatMap(({ verdicts }) =>
    verdicts.filter((one) => failsRun(one, agents.failOn)),
  );
  assert.equal(rows.filter(({ result }) => result === 'failed').length, failed.length);
  assert.equal(rows.filter(({ result }) => result === 'not run').length, 19);
  assert.equal(
    rows.length,
    agents.agents.reduce(
      (all, { verdicts, notRun }) => all + verdicts.length + (notRun?.caseIds.length ?? 0),
      0,
    ),
  );
});

test('csv: results of several kinds are no table, in words', () => {
  assert.throws(() => report([fixtures.quickPassed(), fixtures.stressPassed()], fileReport), {
    code: 'USAGE',
    message: 'CSV is one table, and quick and stress have different columns: give results of one kind',
  });
});

test('csv: no result at all is a head', () => {
  assert.match(report([], fileReport), /^run,phase,start_s,[a-z0-9_,]+\r\n$/);
});

for (const [name, result] of Object.entries(everyResult())) {
  test(`csv: Python reads ${name} as we wrote it`, { skip: skipUnless('python3', hasPython()) }, () => {
    const text = report([result], fileReport);
    const rows = pythonCsv(text);
    assert.deepEqual(rows, parseCsv(text));
    assert.equal(new Set(rows.map(({ length }) => length)).size, 1, 'as many cells as the head');
  });
}

/** What a cell begins with when a spreadsheet computes it. A number is a number. */
const isFormula = (cell: string): boolean =>
  /^[\s"]*[=+\-@\t\r＝＋－＠]/.test(cell) && !/^-?[\d.e+-]+$/.test(cell);

const formulas = fc
  .array(
    fc.constantFrom(
      '=',
      '+',
      '-',
      '@',
      '\t',
      '\r\n',
      '"',
      "'",
      ',',
      ';',
      '|',
      ' ',
      '＝',
      'cmd()',
      '1',
      '\0',
      '\u202e',
      '\ud800',
      '日',
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

test('csv: no text becomes a formula, a cell or a line, wherever a spreadsheet cuts', () => {
  fc.assert(
    fc.property(fc.oneof(formulas, fc.string({ unit: 'binary', maxLength: 40 })), (text) => {
      for (const result of [
        fixtures.quickHostile(text),
        conform.conformHostile(text),
        fixtures.stressHostile(text),
      ]) {
        const shown = report([result], fileReport);
        const rows = parseCsv(shown);
        assert.equal(new Set(rows.map(({ length }) => length)).size, 1);
        // Semicolons are what separates lists in half of the world.
        const cut = rows.flat().flatMap((cell) => [cell, ...cell.split(/[,;|]/)]);
        assert.deepEqual(cut.filter(isFormula), []);
        assert.doesNotMatch(shown, /(?!\r\n|(?<=\r)\n)[\p{Cc}\p{Cs}\u202a-\u202e]/u);
      }
    }),
    { numRuns: 300 },
  );
});

test('csv: a formula stays readable', () => {
  const [check] = fixtures.quickPassed().checks;
  const checks = [{ ...check, detail: "=cmd|'/c calc'!A1", title: '-1', expected: 'a "b", c' }];
  const text = report([{ ...fixtures.quickPassed(), checks: checks as never }], fileReport);
  assert.ok(text.includes(`,'-1,passed,3.21,"'=cmd|'/c calc'!A1","a ""b"", c",`), text);
});
