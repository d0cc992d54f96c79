// How a stress run talked with its target, as far as its plan says: what replies are known by, where tokens went.
import type { StressResult } from '../lib/result/result.ts';
import { count, planNumber } from './figures.ts';

const numberless = new Set(['no-marker', 'small-message']);

/** The parts that are known: `replies by id at /id`, `token in query`. Results of other versions may lack any of them. */
export function talkWords({ plan, warnings }: Pick<StressResult, 'plan' | 'warnings'>): string[] {
  const described = objectAt(objectAt(plan.options, 'target'), 'match');
  // Without a number in the message the order is all that there is, whatever the description says.
  const match = warnings.some(({ code }) => numberless.has(code)) ? { by: 'order' } : described;
  const place = objectAt(plan.options, 'tokenPlace');
  const tokens = planNumber({ plan }, 'tokens') ?? 0;
  const by = matchWords(match);
  return [
    ...(by === undefined ? [] : [by]),
    ...(tokens > 0 && typeof place.in === 'string'
      ? [`${tokens === 1 ? 'token' : `${count(tokens)} tokens`} in ${place.in}`]
      : []),
  ];
}

function matchWords({ by, pointer, pattern }: Record<string, unknown>): string | undefined {
  switch (by) {
    case 'id':
      return `replies by id at ${String(pointer)}`;
    case 'regex':
      return `replies by ${String(pattern)}`;
    case 'marker':
      return 'replies by marker';
    case 'order':
      return 'replies in order';
    case 'pong':
      return 'pongs instead of replies';
    default:
      return undefined;
  }
}

function objectAt(value: Record<string, unknown>, key: string): Record<string, unknown> {
  const inner = value[key];
  return typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
}
