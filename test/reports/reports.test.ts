// What holds for every report, whatever is in the results.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareResults } from '../../lib/compare/compare.ts';
import { listCases, listChecks } from '../../lib/index.ts';
import type { Result } from '../../lib/result/result.ts';
import {
  caseList,
  checkList,
  comparisonMarkdown,
  comparisonText,
  fileReport,
  json,
  markdown,
  type ReportOptions,
  renderText,
  reporterForFile,
  reporters,
  summaryMarkdown,
} from '../../reports/index.ts';
import { displayWidth } from '../../reports/width.ts';
import * as conform from '../fixtures/conform-results.ts';
import { stressFading, stressRamp, stressStalled } from '../fixtures/course-results.ts';
import * as fixtures from '../fixtures/results.ts';

const terminal = { width: 80, color: false, unicode: true };
const all: Result[] = [
  fixtures.quickPassed(),
  fixtures.quickFailed(),
  fixtures.quickUnreachable(),
  fixtures.quickHostile(),
  fixtures.stressPassed(),
  fixtures.stressLost(),
  fixtures.stressSilent(),
  fixtures.stressInconclusive(),
  fixtures.stressInterrupted(),
  fixtures.stressUnreachable(),
  fixtures.stressHostile(),
  conform.conformPassed(),
  conform.conformFailed(),
  conform.conformExpected(),
  conform.conformAgents(),
  conform.conformInterrupted(),
  conform.conformUnreachable(),
  conform.conformHostile(fixtures.hostileText),
  fixtures.stressWorkers(),
  fixtures.stressFaulty(),
  fixtures.quickJoin(),
  stressStalled(),
  stressFading(),
  stressRamp(),
];

const comparisons = [
  compareResults(fixtures.stressPassed(), fixtures.stressLost()),
  compareResults(fixtures.stressHostile(), fixtures.stressFaulty()),
  compareResults(fixtures.quickHostile(), fixtures.quickPassed()),
  compareResults(conform.conformFailed(), conform.conformExpected()),
  compareResults(conform.conformHostile(fixtures.hostileText), conform.conformAgents()),
];

// Everything but the line feed that ends lines: controls, separators, bidirectional controls, lone surrogates.
const steering = /(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\u200e\u200f\ufeff]/u;

/** Fails unless every row of every table has as many cells as its head. */
function assertTables(text: string): void {
  let columns = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith('|')) {
      columns = 0;
      continue;
    }
    // Outside text carries no bare pipe, so pipes are borders.
    const pipes = line.split('|').length - 1;
    if (columns === 0) columns = pipes;
    assert.equal(pipes, columns, line);
    assert.ok(line.endsWith('|'), line);
  }
}

const esc = '\u001b';
const sections = [
  /^## Quick test results \(\d+ of \d+\)$/,
  /^## Stress test results$/,
  /^## Performance improvements$/,
  /^## Remaining items$/,
];

test('formats are found by extension, in any case', () => {
  assert.equal(reporterForFile('a/b.json'), reporters.json.report);
  assert.equal(reporterForFile('report.MD'), reporters.markdown.report);
  assert.equal(reporterForFile('report.v2.txt'), reporters.text.report);
});

for (const path of ['report.docx', 'report', '.md', 'a.json/b']) {
  test(`${path} has no format, and the error names those there are`, () => {
    assert.throws(() => reporterForFile(path), {
      code: 'USAGE',
      message: /known: \.txt, \.json, \.md, \.html, \.xml/,
    });
  });
}

test('a markdown report has exactly its sections, in order', () => {
  const conformance = /^## Conformance results \(\d+ of \d+\)$/;
  for (const results of [[], ...all.map((result) => [result]), all]) {
    const isConform = results.some(({ kind }) => kind === 'conform');
    const wanted = isConform ? sections.toSpliced(2, 0, conformance) : sections;
    const heads = markdown(results, fileReport)
      .split('\n')
      .filter((line) => line.startsWith('## '));
    assert.equal(heads.length, wanted.length, heads.join('\n'));
    for (const [index, head] of heads.entries()) assert.match(head, wanted[index] ?? /never/);
  }
});

test('before and after come from two composed stress runs, or from a comparison', () => {
  const composed = markdown([fixtures.stressPassed(), fixtures.stressLost()], fileReport);
  assert.match(composed, /\| Metric \| Before \| After \| Change \| Direction \|/);
  assert.match(composed, /\| Error rate \| 0 % \| 4\.03 % \| n\/a \| 🔴 worse \|/);
  const comparison = compareResults(fixtures.stressLost(), fixtures.stressPassed());
  assert.match(markdown([fixtures.stressPassed()], { ...fileReport, comparison }), /🟢 better/);
  assert.match(markdown([fixtures.stressPassed()], fileReport), /Nothing to compare with/);
});

test('failed, skipped and warned things remain', () => {
  const text = markdown([fixtures.quickFailed(), fixtures.stressLost()], fileReport);
  const remaining = text.slice(text.indexOf('## Remaining items'));
  for (const part of [
    'Invalid messages',
    'Connections close cleanly',
    'Rate limiting, skipped',
    'ephemeral key',
    '`rtt.p99`',
    'backlog grew',
  ]) {
    assert.ok(remaining.includes(part), part);
  }
  assert.match(
    markdown([fixtures.quickPassed()], fileReport),
    /Nothing failed, was skipped or gave a warning/,
  );
});

test('lost percentiles show the timeout of the run', () => {
  const lost = fixtures.stressLost();
  const impatient = { ...lost, plan: { ...lost.plan, options: { ...lost.plan.options, timeoutMs: 1500 } } };
  assert.match(renderText([impatient], { ...terminal, width: 120 }), /> 1\.5 s \(lost\) +> 1\.5 s \(lost\)/);
  assert.match(renderText([lost], terminal), /> 5 s \(lost\)/);
  assert.match(markdown([lost], fileReport), /&gt; 5 s \(lost\)/);
});

test('one result as JSON is itself, several are an array', () => {
  assert.deepEqual(JSON.parse(json([fixtures.stressLost()], fileReport)), fixtures.stressLost());
  assert.deepEqual(JSON.parse(json(all, fileReport)), JSON.parse(JSON.stringify(all)));
  assert.doesNotMatch(json(all, fileReport), steering);
});

for (const unicode of [true, false]) {
  test(`no line is wider than the terminal, at any width from 60 to 120, ${unicode ? 'Unicode' : 'ASCII'}`, {
    timeout: 120_000,
  }, () => {
    for (let width = 60; width <= 120; width++) {
      const options = { width, color: false, unicode };
      for (const [name, text] of everyText({ ...options, verbose: width % 2 === 0 })) {
        for (const line of text.split('\n')) {
          assert.ok(displayWidth(line) <= width, `${name} at ${width}: ${displayWidth(line)}: ${line}`);
        }
      }
    }
  });
}

/** Each text report that there is, of each fixture. */
function* everyText(options: ReportOptions): Generator<[string, string]> {
  for (const result of all) yield [result.run.id, renderText([result], options)];
  for (const [index, comparison] of comparisons.entries())
    yield [`comparison ${index}`, comparisonText(comparison, options)];
  // Long, and made of nothing else than the above.
  if (options.width % 20 !== 0) return;
  yield ['all of them', renderText(all, options)];
  yield ['checks', checkList(listChecks(), options)];
  yield ['cases', caseList(listCases(), options)];
}

test('without colour there are no escape sequences; with it, only colours, and the same words', () => {
  const codes = new RegExp(`${esc}\\[\\d+m`, 'g');
  for (const result of all) {
    const bare = renderText([result], terminal);
    const coloured = renderText([result], { ...terminal, color: true });
    assert.ok(!bare.includes(esc));
    assert.ok(coloured.includes(esc));
    assert.equal(coloured.replace(codes, ''), bare);
  }
  const comparison = compareResults(fixtures.stressPassed(), fixtures.stressLost());
  const coloured = comparisonText(comparison, { ...terminal, color: true });
  assert.equal(coloured.replace(codes, ''), comparisonText(comparison, terminal));
});

test('without Unicode, text is ASCII', () => {
  const options = {
    ...terminal,
    unicode: false,
    comparison: compareResults(fixtures.quickHostile(), fixtures.quickPassed()),
  };
  assert.match(renderText(all, options), /^[\n\x20-\x7e]*$/);
  for (const [name, text] of everyText({ ...options, verbose: true }))
    assert.match(text, /^[\n\x20-\x7e]*$/, name);
});

test('details line up behind titles of any script', () => {
  const passed = fixtures.quickPassed();
  const checks = ['接続', 'café', '🚀 go', 'plain'].map((title, index) => ({
    ...passed.checks[0],
    id: String(index),
    title,
    detail: 'DETAIL',
  }));
  const text = renderText([{ ...passed, checks: checks as typeof passed.checks }], terminal);
  const columns = text
    .split('\n')
    .filter((line) => line.includes('DETAIL'))
    .map((line) => displayWidth(line.slice(0, line.indexOf('DETAIL'))));
  assert.equal(columns.length, 4);
  assert.equal(new Set(columns).size, 1, text);
});

test('hostile text stays text', () => {
  const results = [
    fixtures.quickHostile(),
    fixtures.stressHostile(),
    conform.conformHostile(fixtures.hostileText),
  ];
  const shown = markdown(results, fileReport);
  assertTables(shown);
  assert.doesNotMatch(shown, steering);
  // Tags: ours only.
  const tags = (shown.match(/<[^>\s]+>/g) ?? []).filter(
    (tag) => !['<details>', '<summary>', '</summary>', '</details>', '<code>', '</code>'].includes(tag),
  );
  assert.deepEqual(tags, []);
  assert.equal(shown.split('<details>').length, 2);
  assert.equal(shown.split('</details>').length, 2);
  assert.doesNotMatch(shown.replace(/`[^`]*`|<code>.*?<\/code>/g, ''), /@everyone|https:\/\/evil|www\.evil/);
  assert.doesNotMatch(renderText(results, terminal), steering);
});

// Anything, and what is most likely to hurt.
const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(
        '|',
        '\\',
        '\\|',
        '`',
        '``',
        '\n',
        '\r\n',
        '<script>',
        '</details>',
        '<!--',
        '&#124;',
        '\0',
        '\x1b[2J',
        '\x9b',
        '\u202e',
        '\u2028',
        '\ud800',
        '\udc00',
        '@a',
        '#1',
        '---',
        '- ',
        '# ',
        '```',
        '~~~',
        '日',
        '👩‍👩‍👧',
        '\ue000',
        '\u200d',
        ' ',
      ),
      { maxLength: 20 },
    )
    .map((parts) => parts.join('')),
);

test('no text from outside breaks a table, a line or a terminal', { timeout: 120_000 }, () => {
  const lines = { quick: 0, stress: 0, conform: 0 };
  fc.assert(
    fc.property(nasty, (text) => {
      const quick = fixtures.quickHostile(text);
      const stress = fixtures.stressHostile(text);
      const conformance = conform.conformHostile(text);
      const comparison = compareResults(quick, fixtures.quickPassed());
      const ofCases = compareResults(conformance, conform.conformAgents());
      const ofConform = markdown([conformance], fileReport);
      const ofQuick = markdown([quick], fileReport);
      const ofStress = markdown([stress], fileReport);
      for (const shown of [
        ofQuick,
        ofStress,
        ofConform,
        comparisonMarkdown(comparison),
        comparisonMarkdown(ofCases),
      ]) {
        assertTables(shown);
        assert.doesNotMatch(shown, steering);
        assert.equal(shown.split('<details>').length, shown.split('</details>').length);
        assert.equal(
          shown.split('\n').filter((line) => line.startsWith('## ')).length,
          shown.startsWith('# ') ? (shown === ofConform ? 5 : 4) : 1,
        );
      }
      // The number of lines of a Markdown report depends on the fields, never on their text.
      lines.quick ||= ofQuick.split('\n').length;
      lines.stress ||= ofStress.split('\n').length;
      assert.equal(ofQuick.split('\n').length, lines.quick);
      assert.equal(ofStress.split('\n').length, lines.stress);
      lines.conform ||= ofConform.split('\n').length;
      assert.equal(ofConform.split('\n').length, lines.conform);
      for (const unicode of [true, false]) {
        const shown = [
          renderText([quick, stress, conformance], { ...terminal, unicode, comparison }),
          comparisonText(ofCases, { ...terminal, unicode }),
        ].join('\n');
        assert.doesNotMatch(shown, steering);
        for (const line of shown.split('\n')) assert.ok(displayWidth(line) <= 80, line);
        if (!unicode) assert.match(shown, /^[\n\x20-\x7e]*$/);
      }
    }),
    { numRuns: 100 },
  );
});

test('a step summary keeps to its limit, dropping how it was measured first', () => {
  const results = [fixtures.quickFailed(), fixtures.stressLost()];
  const whole = markdown(results, fileReport);
  assert.equal(summaryMarkdown()(results, fileReport), whole);
  const size = Buffer.byteLength(whole);
  const shorter = summaryMarkdown(size - 1)(results, fileReport);
  assert.doesNotMatch(shorter, /<details>/);
  assert.match(shorter, /## Remaining items/);
  assert.ok(
    shorter.endsWith('\n*Left out, as the summary of a step may not be longer: how this was measured.*\n'),
  );
  for (const limit of [3000, 1000, 700]) {
    const cut = summaryMarkdown(limit)(results, fileReport);
    assert.ok(Buffer.byteLength(cut) <= limit, `${Buffer.byteLength(cut)} > ${limit}`);
    assert.match(cut, /\n\n\*Left out, .*: \d+ lines of .*; Remaining items; how this was measured\.\*\n$/);
    assert.doesNotMatch(cut, /\ufffd/);
    assertTables(cut);
  }
  assert.equal(summaryMarkdown(100)(results, fileReport), '', 'no room for anything');
  const many = {
    ...fixtures.quickFailed(),
    checks: Array.from({ length: 2000 }, () => fixtures.quickHostile().checks)
      .flat()
      .slice(0, 2000),
  };
  assert.ok(Buffer.byteLength(summaryMarkdown()([many], fileReport)) <= 900_000);
});

test('the plan line says what was sent and how replies were known, whatever the description says', () => {
  const result = fixtures.stressPassed();
  const counters = { ...result.counters, 'messages.sent': 200, 'bytes.sent': 1000 };
  const options = { ...result.plan.options, target: { match: { by: 'marker' } }, sizeBytes: 32 };
  const planLine = (changes: Partial<typeof result>): string => {
    const made = { ...result, counters, plan: { ...result.plan, options }, ...changes };
    return renderText([made], fileReport).replaceAll(/\s+/g, ' ');
  };
  assert.match(planLine({}), / 32 B · .*replies by marker/);
  const own = { ...result.plan, options: { ...options, message: 'hello' } };
  assert.match(planLine({ plan: own }), / 5 B · .*replies by marker/);
  const numberless = [{ code: 'no-marker', message: 'the message has no {{ id }}' }];
  const inOrder = planLine({ plan: own, warnings: numberless });
  assert.match(inOrder, / 5 B · .*replies in order/);
  assert.doesNotMatch(inOrder, /replies by marker/);
});
