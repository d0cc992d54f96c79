// How the load of a stress run changed over time, in words.
import { formatDuration, formatRate } from '../lib/duration.ts';
import type { StressResult } from '../lib/result/result.ts';
import { count, planNumber } from './figures.ts';

/** A stage as a result keeps it. */
export interface StageRecord {
  durationMs: number;
  connections?: number;
  ratePerSecond?: number;
}

type Changing = 'connections' | 'ratePerSecond';

// More than this is no sentence any more.
const mostPoints = 6;

/** The stages of a run; none: its load was the same all the time. */
export function stagesOf(result: StressResult): StageRecord[] {
  const { stages } = result.plan.options;
  return Array.isArray(stages) ? (stages as StageRecord[]) : [];
}

/** The values that something takes at the ends of the stages, with the one that it begins with. */
function pointsOf(result: StressResult, key: Changing): number[] {
  const points = [planNumber(result, key) ?? 0];
  let elapsedMs = 0;
  for (const { durationMs, [key]: to } of stagesOf(result)) {
    // What holds from the beginning takes the place of what the plan began with.
    if (elapsedMs + durationMs === 0 && to !== undefined) points.pop();
    elapsedMs += durationMs;
    if (to !== undefined && to !== points.at(-1)) points.push(to);
  }
  return points;
}

function path(points: readonly number[], words: (value: number) => string): string {
  const plain = points.map((value) => words(value).replace(/\/s$/, ''));
  const last = words(points.at(-1) ?? 0);
  if (points.length <= mostPoints) return [...plain.slice(0, -1), last].join(' → ');
  return `${plain[0]} → … → ${last}, ${words(Math.max(...points))} at most`;
}

/** `10 connections`, `10 → 200 connections`. */
export function connectionsAsked(result: StressResult): string | null {
  if (planNumber(result, 'connections') === null) return null;
  const points = pointsOf(result, 'connections');
  return `${path(points, count)} connection${points.length === 1 && points[0] === 1 ? '' : 's'}`;
}

/** `100/s`, `ramp 0 → 5000/s over 30 s`; null in the closed model, which has no rate. */
export function rateAsked(result: StressResult): string | null {
  const rate = planNumber(result, 'ratePerSecond');
  if (rate === null || result.model === 'closed') return null;
  const stages = stagesOf(result);
  if (stages.length === 0) return formatRate(rate);
  const points = pointsOf(result, 'ratePerSecond');
  const over = formatDuration(stages.reduce((sum, { durationMs }) => sum + durationMs, 0));
  const { shape } = result.plan.options;
  const name = typeof shape === 'string' && shape !== 'constant' ? `${shape} ` : '';
  return points.length === 1 ? formatRate(points[0] ?? 0) : `${name}${path(points, formatRate)} over ${over}`;
}

/** The messages a second that a run was asked for, on average where they changed; null: it was not asked for a rate, or stopped before its end. */
export function meanRateAsked(result: StressResult): number | null {
  const start = planNumber(result, 'ratePerSecond');
  if (start === null || result.model === 'closed') return null;
  const stages = stagesOf(result);
  const measured = 1 - slowShare(result);
  if (stages.length === 0) return start * measured;
  if (!result.run.complete || (planNumber(result, 'messages') ?? 0) > 0) return null;
  let [rate, messages, ms] = [start, 0, 0];
  for (const { durationMs, ratePerSecond } of stages) {
    const to = ratePerSecond ?? rate;
    messages += ((rate + to) / 2) * durationMs;
    ms += durationMs;
    rate = to;
  }
  return (messages / ms) * measured;
}

/** The share of the messages that slow consumers send, which are counted apart. */
function slowShare({ slowConsumers: slow, counters }: StressResult): number {
  const apart = slow ? slow.sent + slow.unsent : 0;
  return apart === 0 ? 0 : apart / (apart + counters['messages.scheduled']);
}

/** What else a load was: `5 connections/s replaced`; the parts that were asked for. */
export function turnoverWords(result: StressResult): string[] {
  const number = (key: string): number => planNumber(result, key) ?? 0;
  const [connects, churn, each] = [
    number('connectRatePerSecond'),
    number('churnPerSecond'),
    number('messagesPerConnection'),
  ];
  const slow = number('slowConsumers');
  const [from = 0, to = 0] = thinkTime(result);
  return [
    ...(number('messages') > 0 ? [`${count(number('messages'))} messages`] : []),
    ...(connects > 0 ? [`${formatRate(connects)} connects`] : []),
    ...(churn > 0 ? [`${formatRate(churn)} connections replaced`] : []),
    ...(each > 0 ? [`${count(each)} message${each === 1 ? '' : 's'} per connection`] : []),
    ...(to > 0
      ? [`think time ${from === to ? '' : `${formatDuration(from)} to `}${formatDuration(to)}`]
      : []),
    ...(slow > 0 ? [`${Number((slow * 100).toFixed(2))} % slow consumers`] : []),
    ...stormPlanWords(result),
  ];
}

const drops = { rst: 'TCP reset', fin: 'hanging up', close: 'close frame' } as const;

/** How connections go and come back, where somebody asked for it. */
function stormPlanWords({ recovery }: StressResult): string[] {
  if (!recovery) return [];
  const { policy, storm } = recovery;
  const back = policy === 'jitter' ? 'reconnect with jitter' : 'reconnect at once';
  if (!storm) return [back];
  return [storm.drop === null ? 'dropped by the server' : `dropped by us (${drops[storm.drop]})`, back];
}

function thinkTime(result: StressResult): number[] {
  const { thinkTimeMs } = result.plan.options;
  return Array.isArray(thinkTimeMs) ? thinkTimeMs.map(Number) : [];
}
