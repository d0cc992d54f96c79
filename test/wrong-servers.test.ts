// Every wrong server of the table: said to be what it is by stress and by quick, with the right exit code.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exitCode, type QuickResult, quick, stress } from '../lib/index.ts';
import { brokenIdentities } from '../lib/metrics/counters.ts';
import { decidingReason } from '../lib/result/exit-code.ts';
import type { Result } from '../lib/result/result.ts';
import { renderText } from '../reports/index.ts';
import { type Expected, wrongServers } from './fixtures/wrong-servers.ts';

const scenario = new URL('../../test/fixtures/wrong-servers.yml', import.meta.url).pathname;

/** What a person reads: the summary, and the last line on stderr. */
function assertSays(result: Result, { exit, says }: Expected): void {
  // Whether this machine was fast enough is another test's question.
  const reasons = result.reasons.filter(({ code }) => code !== 'generator-limited');
  const summary = renderText([result], { width: 400, color: false, unicode: true });
  const last = `exit ${exitCode({ reasons })}: ${decidingReason({ reasons })?.message ?? ''}`;
  const text = `${summary} ${last}`.replace(/\s+/g, ' ');
  assert.equal(exitCode({ reasons }), exit, text);
  for (const pattern of says) assert.match(text, pattern);
}

describe('wrong servers', { concurrency: 6 }, () => {
  for (const server of wrongServers) {
    test(`stress: ${server.name}`, { timeout: 60_000 }, async (t) => {
      const { url, options = {} } = await server.start(t);
      const result = await stress(url, {
        scenario,
        ...(server.unknown ? {} : { preset: 'echo' }),
        ...options,
        ...server.load,
      });
      assertSays(result, server.stress);
      assert.equal(result.failures[0]?.kind, server.stress.kind);
      assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
      const violations = (result.violations ?? []).reduce((sum, { count }) => sum + count, 0);
      assert.equal(violations, result.counters.protocol_errors);
    });

    test(`quick: ${server.name}`, { timeout: 60_000 }, async (t) => {
      const { url, options = {} } = await server.start(t);
      const result: QuickResult = await quick(url, {
        ...(server.unknown ? {} : { preset: 'echo' }),
        timeoutMs: 600,
        connections: 5,
        ...options,
      });
      assertSays(result, server.quick);
      const failed = result.checks.filter(({ status }) => status === 'failed').map(({ id }) => id);
      if (server.quick.check) assert.ok(failed.includes(server.quick.check), `failed: ${failed.join(', ')}`);
      else if (server.quick.exit === 0) assert.deepEqual(failed, []);
    });
  }
});
