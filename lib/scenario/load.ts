// Reading scenario files: the shipped ones by default.
import type { z } from 'zod';
import { parseYaml, readYamlText } from '../yaml.ts';
import {
  type QuickScenario,
  quickScenarioSchema,
  type StressScenario,
  stressScenarioSchema,
} from './scenario.ts';

/**
 * Loads a stress scenario; without a file, the shipped `scenarios/stress.yml`.
 *
 * @throws WsbenchError `USAGE` when the file cannot be read, `CONFIG` with `file:line:col` when it is wrong
 */
export function loadStressScenario(file?: string): StressScenario {
  return load(file, 'stress.yml', stressScenarioSchema);
}

/**
 * Loads a quick scenario; without a file, the shipped `scenarios/quick.yml`.
 *
 * @throws WsbenchError `USAGE` when the file cannot be read, `CONFIG` with `file:line:col` when it is wrong
 */
export function loadQuickScenario(file?: string): QuickScenario {
  return load(file, 'quick.yml', quickScenarioSchema);
}

function load<T>(file: string | undefined, shipped: string, schema: z.ZodType<T>): T {
  const source = file ?? new URL(`../../../scenarios/${shipped}`, import.meta.url);
  const name = file ?? `scenarios/${shipped}`;
  return parseYaml(readYamlText(source, name, 'scenario'), schema, name);
}
