// HTML from the command line: of saved results, of a comparison, of a run with a token.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as conform from '../fixtures/conform-results.ts';
import * as fixtures from '../fixtures/results.ts';
import { emptyFolder, run, runConclusive } from './spawn.ts';

test('html: report writes one page of several results, compare one of both sides', {
  timeout: 60_000,
}, async (t) => {
  const cwd = emptyFolder(t);
  const results = {
    'quick.json': fixtures.quickFailed(),
    'before.json': fixtures.stressPassed(),
    'after.json': fixtures.stressLost(),
    'conform.json': conform.conformFailed(),
  };
  for (const [name, result] of Object.entries(results))
    writeFileSync(join(cwd, name), JSON.stringify(result));
  const report = await run(['report', ...Object.keys(results), '-o', 'all.html'], { cwd });
  assert.equal(report.code, 0, report.stderr);
  const page = readFileSync(join(cwd, 'all.html'), 'utf8');
  for (const words of ['Quick test of', 'Stress test of', 'Conformance of', 'Performance improvements']) {
    assert.ok(page.includes(words), words);
  }
  const compare = await run(['compare', 'before.json', 'after.json', '-o', 'changes.HTML'], { cwd });
  assert.equal(compare.code, 0, compare.stderr);
  assert.match(
    readFileSync(join(cwd, 'changes.HTML'), 'utf8'),
    /Round trips before and after, by percentile/,
  );
});

test('html: a token and a password of the run are nowhere in the page', { timeout: 60_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const canary = 'canary-7f3a91c2';
  const args = ['-c', '2', '-r', '20/s', '-d', '1s', '--warmup', '0s', '-q', '--no-save', '-o', 'run.html'];
  const result = await runConclusive(
    ['stress', ...args, '-H', `X-Api-Key: ${canary}`, '-H', `Cookie: sid=${canary}`],
    {
      cwd,
    },
  );
  assert.equal(result.code, 0, result.stderr);
  const page = readFileSync(join(cwd, 'run.html'), 'utf8');
  assert.ok(page.includes('[redacted]'));
  assert.ok(!page.includes(canary));
  assert.match(page, /The command that makes this run again/);
});
