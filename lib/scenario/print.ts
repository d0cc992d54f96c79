// A scenario as the YAML that would load it again.
import { stringify } from 'yaml';
import { type StressScenario, stressKeys } from './scenario.ts';

const durations = ['duration', 'rampUp', 'settle', 'warmup', 'timeout', 'connectTimeout'] as const;

const rates = ['rate', 'connectRate', 'churn'] as const;

/** The YAML text of a stress scenario, durations and rates with their units. */
export function scenarioText(scenario: StressScenario): string {
  const { stages, thinkTime, slowConsumers } = scenario;
  const asked = stressKeys.filter((key) => scenario[key] !== undefined);
  const written: Record<string, unknown> = Object.fromEntries(asked.map((key) => [key, scenario[key]]));
  for (const key of durations) {
    const ms = scenario[key];
    if (ms !== undefined) written[key] = durationText(ms);
  }
  for (const key of rates) {
    const rate = scenario[key];
    if (rate !== undefined) written[key] = `${rate}/s`;
  }
  if (thinkTime) written.thinkTime = [...new Set(thinkTime)].map(durationText).join('-');
  if (slowConsumers !== undefined)
    written.slowConsumers = `${Number((100 * slowConsumers).toPrecision(12))}%`;
  if (stages) {
    written.stages = stages.map(({ duration, connections, rate }) => ({
      duration: durationText(duration),
      ...(connections === undefined ? {} : { connections }),
      ...(rate === undefined ? {} : { rate: `${rate}/s` }),
    }));
    // They say it themselves.
    delete written.duration;
  }
  return stringify(written);
}

function durationText(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
