// Our own server's /ws/echo against all cases, and again and again: the same verdicts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createServer } from '../../lib/index.ts';
import { idsOf, linesOf, runCases, verdictsOf, wordOf } from './run-cases.ts';

const isLong = process.env.WSBENCH_TEST_LONG !== undefined;

test('/ws/echo of the reference server: every verdict is OK or INFORMATIONAL, those of 6.4 may be NON-STRICT', {
  timeout: 280_000,
}, async (t) => {
  const server = await createServer({ environment: 'development', limits: 'off' });
  t.after(() => server.close());
  await server.listen();
  const result = await runCases(new URL('/ws/echo', server.url).href, idsOf('*'), { messages: 10 });
  const others = verdictsOf(result)
    .map((verdict) => `${verdict.caseId} ${wordOf(verdict)}`)
    .filter((line) => !line.endsWith(' OK/OK') && !line.endsWith(' INFORMATIONAL/INFORMATIONAL'));
  assert.deepEqual(
    others.filter((line) => !/^6\.4\.[1-4] NON-STRICT\/OK$/.test(line)),
    [],
  );
  assert.equal(verdictsOf(result).length, 517);
});

test('runs are repeated with the same verdicts', { timeout: 280_000 }, async (t) => {
  const server = await createServer({ environment: 'development', limits: 'off' });
  t.after(() => server.close());
  await server.listen();
  const url = new URL('/ws/echo', server.url).href;
  const ids = idsOf(...['1', '2', '3', '4', '5', '6', '7', '9', '10']);
  const first = linesOf(await runCases(url, ids));
  for (let run = 2; run <= (isLong ? 20 : 5); run++)
    assert.deepEqual(linesOf(await runCases(url, ids)), first);
});
