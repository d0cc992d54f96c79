// Runs cases against servers: placeholder until the session is here.
import type { RunEvent } from '../result/events.ts';
import type { ConformResult } from '../result/result.ts';
import type { ConformPlan } from './plan.ts';

export async function* runConform(
  _plan: ConformPlan,
  _signal: AbortSignal,
): AsyncGenerator<RunEvent, ConformResult, void> {
  throw new Error('not yet');
}
