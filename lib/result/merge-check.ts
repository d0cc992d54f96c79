// Whether results are shards of one load, and whole.
import { isDeepStrictEqual } from 'node:util';
import { WsbenchError } from '../errors.ts';
import { brokenIdentities } from '../metrics/counters.ts';
import { damaged, refused } from './merge-refusals.ts';
import type { Result, StressResult } from './result.ts';

/** A result, and what messages call it: its file. */
export interface Shard {
  name: string;
  result: Result;
}

/** A shard that can be merged. */
export interface StressShard {
  name: string;
  result: StressResult;
}

/** @throws WsbenchError `USAGE` that names the shard and what is wrong with it */
export function checkShards(given: readonly Shard[]): [StressShard, ...StressShard[]] {
  const shards = given.map(({ name, result }) => {
    if (result.kind === 'stress') return { name, result };
    throw refused(name, `it is a ${result.kind} run, and only those of stress have counts that add up`);
  });
  const [first, ...others] = shards;
  if (!first || others.length === 0) {
    throw new WsbenchError('USAGE', 'merge: give two or more results, the shards of one load');
  }
  for (const other of others) checkPlan(first, other);
  for (const [at, { name, result }] of shards.entries()) {
    const twin = shards.slice(0, at).find((one) => isSame(one.result, result));
    if (twin) throw refused(name, `it is the same run as ${twin.name} (${result.run.id})`);
    checkBooks(name, result);
  }
  return [first, ...others];
}

const isSame = (one: StressResult, other: StressResult): boolean =>
  one.run.id === other.run.id && isDeepStrictEqual(one, other);

function checkPlan(first: StressShard, { name, result }: StressShard): void {
  const { plan } = first.result;
  if (plan.hash !== result.plan.hash) {
    const keys = [...new Set([...Object.keys(plan.options), ...Object.keys(result.plan.options)])];
    const differing = keys
      .filter(
        (key) => !aside.includes(key) && !isDeepStrictEqual(plan.options[key], result.plan.options[key]),
      )
      .slice(0, 6)
      .map((key) => `${key} ${show(result.plan.options[key])}, not ${show(plan.options[key])}`);
    const what =
      differing.length > 0 ? differing.join('; ') : `${short(result.plan.hash)}, not ${short(plan.hash)}`;
    throw refused(name, `it has another plan than ${first.name}: ${what}`);
  }
  if (first.result.model !== result.model) throw damaged(name, 'its model is not that of its plan');
}

// Do not make another plan by themselves.
const aside: readonly string[] = [
  'seed',
  'workers',
  'spin',
  'thresholds',
  'abortOnFail',
  'delayAbortMs',
  'shape',
];

const short = (hash: string): string => hash.slice(0, 12);
const show = (value: unknown): string =>
  value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing').slice(0, 100);

function checkBooks(name: string, { counters, openAtEnd, metrics, reasons }: StressResult): void {
  // What wsbench itself got wrong is told as such by the sum, too.
  if (reasons.some(({ code }) => code === 'bug')) return;
  const broken = brokenIdentities(counters, openAtEnd);
  if (broken.length > 0) throw damaged(name, `its books do not balance: ${broken.join('; ')}`);
  const { count, censored } = metrics.rtt;
  const { 'messages.matched': matched, 'messages.lost': lost, 'messages.unsent': unsent } = counters;
  if (count !== matched)
    throw damaged(name, `${matched} messages were matched, and ${count} have a round trip`);
  if (censored !== lost + unsent) {
    throw damaged(
      name,
      `${lost + unsent} messages were lost or unsent, and ${censored} stand beside the round trips`,
    );
  }
}
