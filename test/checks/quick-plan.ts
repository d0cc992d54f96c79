// Plans and runs for the tests of checks.
import { readFileSync } from 'node:fs';
import { allChecks, type QuickPlan, runChecks } from '../../lib/checks/index.ts';
import type { RunEvent } from '../../lib/result/events.ts';
import type { QuickResult } from '../../lib/result/result.ts';
import { type Target, targetSchema } from '../../lib/target/target.ts';
import { parseYaml } from '../../lib/yaml.ts';

/** A target description as it is shipped. */
export function preset(name: 'echo' | 'wsbench'): Target {
  const file = new URL(`../../../scenarios/presets/${name}.target.yml`, import.meta.url);
  return parseYaml(readFileSync(file, 'utf8'), targetSchema, `${name}.target.yml`);
}

/** A plan of all checks against `url`, nothing known about it. */
export function planFor(url: string, changes: Partial<QuickPlan> = {}): QuickPlan {
  return {
    name: 'quick',
    url,
    target: null,
    embedded: false,
    checks: allChecks.map(({ id }) => id),
    only: [],
    timeoutMs: 3000,
    connections: 10,
    headers: {},
    subprotocols: [],
    tokenPlace: { in: 'header' },
    insecure: false,
    caCertificates: [],
    intrusive: false,
    reproduceBase: `wsbench quick ${url}`,
    seed: 1,
    version: '0.0.0',
    ...changes,
  };
}

/** Runs a plan to its end. */
export async function quick(
  plan: QuickPlan,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ result: QuickResult; events: RunEvent[] }> {
  const events: RunEvent[] = [];
  const runner = runChecks(plan, signal);
  for (;;) {
    const step = await runner.next();
    if (step.done) return { result: step.value, events };
    events.push(step.value);
  }
}

/** Verdicts by id: `passed`, `skipped`, or for a failure what was expected and got. */
export function verdicts(result: QuickResult): Record<string, string> {
  return Object.fromEntries(
    result.checks.map(({ id, status, detail }) => [id, status === 'failed' ? `failed: ${detail}` : status]),
  );
}
