// What a result needs of the plan of its run: plain data without secrets, so that it may also be kept in a file.
import { redactText, redactUrl } from '../result/redact.ts';
import type { PlanRecord } from '../result/result.ts';
import { planRecord, type StressPlan } from './plan.ts';
import { mostConnections } from './profile.ts';

/** See the fields of {@link StressPlan} of the same names; texts are masked. */
export interface PlanFacts
  extends Pick<
    StressPlan,
    | 'durationMs'
    | 'embedded'
    | 'model'
    | 'ratePerSecond'
    | 'reconnect'
    | 'reproduce'
    | 'seed'
    | 'slowConsumers'
    | 'storm'
    | 'thresholds'
    | 'timeoutMs'
    | 'url'
    | 'version'
  > {
  record: PlanRecord;
  /** What the target was taken for. */
  description: string;
  /** The most connections that are ever asked for at the same time. */
  mostConnections: number;
}

/** Takes them from a plan. Pure. */
export function planFacts(plan: StressPlan): PlanFacts {
  const { durationMs, embedded, model, ratePerSecond, seed, slowConsumers, thresholds, timeoutMs } = plan;
  const { reconnect, reproduce, storm, version } = plan;
  return {
    ...{ durationMs, embedded, model, ratePerSecond, seed, slowConsumers, thresholds, timeoutMs },
    ...(reconnect === undefined ? {} : { reconnect }),
    ...(reproduce === undefined ? {} : { reproduce: redactText(reproduce) }),
    ...(storm === undefined ? {} : { storm }),
    ...(version === undefined ? {} : { version }),
    url: redactUrl(plan.url),
    record: planRecord(plan),
    description: plan.targetKnown ? plan.target.name : 'any',
    mostConnections: mostConnections(plan),
  };
}
