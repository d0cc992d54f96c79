// A scenario as the YAML that would load it again.
import { stringify } from 'yaml';
import type { StressScenario } from './scenario.ts';

const durations = ['duration', 'rampUp', 'settle', 'warmup', 'timeout', 'connectTimeout'] as const;

/** The YAML text of a stress scenario, durations and rate with their units. */
export function scenarioText(scenario: StressScenario): string {
  const written: Record<string, unknown> = { ...scenario, rate: `${scenario.rate}/s` };
  for (const key of durations) written[key] = durationText(scenario[key]);
  return stringify(written);
}

function durationText(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
