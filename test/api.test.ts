// The public API: every type that a result leads to can be named, and importing it does nothing.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import {
  type CheckChange,
  type Comparison,
  type ComparisonRow,
  compareResults,
  createServer,
  exitCode,
  parseResult,
  quick,
  type Series,
  type Snapshot,
  type StressResult,
  type StressScenario,
  stress,
  type TimeStats,
} from '../lib/index.ts';

test('api: the functions work together on a server of ours, in the types that they export', {
  timeout: 30_000,
}, async (t) => {
  const server = await createServer({ limits: 'off' });
  t.after(() => server.close());
  await server.listen();
  const seen: Snapshot[] = [];
  const before: StressResult = await stress(
    `${server.url}/ws/echo`,
    { preset: 'echo', connections: 2, durationMs: 200, warmupMs: 0 },
    { onEvent: (event) => event.type === 'interval' && seen.push(event.snapshot) },
  );
  const after = parseResult(JSON.stringify(before), 'memory');
  const comparison: Comparison = compareResults(before, after);
  const rows: ComparisonRow[] = comparison.rows;
  const changes: CheckChange[] = comparison.checks;
  const rtt: TimeStats = before.metrics.rtt;
  const series: Series = before.series;
  const scenario: Pick<StressScenario, 'connections'> = { connections: 2 };
  assert.ok(rows.length > 0 && changes.length === 0 && rtt.count === 20 && series !== undefined);
  assert.equal(before.plan.options.connections, scenario.connections);
  const checked = await quick(server, { only: ['connect'] });
  assert.equal(exitCode(checked), 0);
});

test('api: importing it starts nothing and listens to nothing', () => {
  const index = new URL('../lib/index.js', import.meta.url).href;
  const script = `
    const seen = () => [...process.getActiveResourcesInfo(), ...process.eventNames()].map(String);
    const before = seen();
    await import(${JSON.stringify(index)});
    // The files that were imported are still being closed.
    await new Promise((done) => setTimeout(done, 200));
    // PipeWrap: a dependency asks whether standard error is a terminal.
    const fresh = seen().filter((name) => !before.includes(name) && name !== 'PipeWrap');
    process.stdout.write(fresh.join());`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(output, '');
});
