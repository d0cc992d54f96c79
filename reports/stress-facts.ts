// The lines of a stress report below its table, as label and words: shared by text and markdown.
import { formatDuration, formatRate } from '../lib/duration.ts';
import { type CounterMetric, counterMetrics } from '../lib/metrics/names.ts';
import type { CloseRecord, StressResult } from '../lib/result/result.ts';
import { bytes, count, figure, ms, percent } from './figures.ts';
import { meanRateAsked } from './load-course.ts';
import { recoveryFacts } from './recovery-words.ts';

/** How the two formats write what is not a word. */
export interface FactStyle {
  times: string;
  /** Makes outside text safe for the format. */
  safe: (text: string, max?: number) => string;
}

/** One labelled line. */
export interface Fact {
  label: string;
  parts: readonly string[];
}

const alwaysShown: readonly CounterMetric[] = [
  'messages.scheduled',
  'messages.sent',
  'messages.matched',
  'messages.lost',
];
// Received is said last, and only where it is not simply the matched ones.
const saidApart: readonly CounterMetric[] = [...alwaysShown, 'messages.received'];
const shownWhenSome = counterMetrics.filter(
  (name) => name.startsWith('messages.') && !saidApart.includes(name),
);

/** Everything that a stress result says in counts. */
export function stressFacts(result: StressResult, style: FactStyle): Fact[] {
  const { counters, derived, phases } = result;
  const seconds = phases.measureMs / 1000;
  const asked = askedWords(result);
  const perSecond = (value: number): string => (seconds > 0 ? `${bytes(value / seconds)}/s` : bytes(value));
  const messages = [
    ...alwaysShown,
    ...shownWhenSome.filter((name) => counters[name] > 0),
    ...(counters['messages.received'] !== counters['messages.matched']
      ? (['messages.received'] as const)
      : []),
  ].map((name) => `${count(counters[name])} ${name.slice('messages.'.length)}`);
  const throughput = [
    derived.throughput === null ? 'no replies measured' : `${figure(derived.throughput)} replies/s${asked}`,
    ...(result.generator.throughputIsLowerBound ? ['a lower bound: the generator used its whole CPU'] : []),
    `${perSecond(counters['bytes.sent'])} out`,
    `${perSecond(counters['bytes.received'])} in`,
  ];
  const errors = [
    ...(derived.error_rate === null ? [] : [`${percent(derived.error_rate)} of messages`]),
    ...(derived.errors === null
      ? []
      : [`${count(derived.errors)} error${derived.errors === 1 ? '' : 's'} in all`]),
    `${count(counters.protocol_errors)} protocol error${counters.protocol_errors === 1 ? '' : 's'}`,
    ...(derived['backlog.end'] === null ? [] : [`backlog at the end ${count(derived['backlog.end'])}`]),
  ];
  return [
    ...recoveryFacts(result),
    { label: 'Messages', parts: messages },
    ...breakdown(
      'Unsent',
      result.unsent.map(({ reason, count: n }) => [n, reason]),
      style,
    ),
    ...breakdown(
      'Rejected',
      result.rejections.map(({ code, count: n }) => [n, code]),
      style,
    ),
    ...rateLimited(result),
    ...warmupTrouble(result),
    ...slowConsumers(result),
    { label: 'Throughput', parts: throughput },
    { label: 'Errors', parts: errors },
    ...breakdown(
      'Violations',
      (result.violations ?? []).map(({ detail, count: n }) => [n, detail]),
      style,
    ),
    {
      label: 'Uptime',
      parts: [
        derived.uptime === null
          ? 'not measured'
          : `${percent(derived.uptime)} of the connection time asked for`,
      ],
    },
    { label: 'Connections', parts: connectionWords(result) },
    { label: 'Closes', parts: closeWords(result.closes, style) },
    { label: 'Generator', parts: generatorWords(result) },
  ];
}

function askedWords(result: StressResult): string {
  const asked = meanRateAsked(result);
  if (asked === null) return '';
  const changes = Array.isArray(result.plan.options.stages) && result.plan.options.stages.length > 0;
  const mean = changes ? ' on average' : '';
  return ` (asked ${formatRate(asked)}${mean})`;
}

function breakdown(label: string, parts: readonly [number, string][], style: FactStyle): Fact[] {
  if (parts.length === 0) return [];
  const words = parts.map(([n, what]) => `${count(n)} ${style.times} ${style.safe(what, 120)}`);
  return [{ label, parts: words }];
}

/** Without this, messages that a penalised target swallows look like a target that is too slow. */
function rateLimited({ rejections, target }: StressResult): Fact[] {
  if (!rejections.some(({ code }) => code === 'RATE_LIMITED')) return [];
  return [
    {
      label: 'Rate limit',
      parts: [
        "the target's rate limit was hit; while it lasts it may answer nothing, which counts as lost",
        target.embedded
          ? 'to measure the server itself: --limits off, or a rate below the limit'
          : 'to measure the server itself: a rate below its limit, or more tokens (--tokens-file)',
      ],
    },
  ];
}

/** The warm-up counts nowhere, so it is only worth a line when something went wrong in it. */
function warmupTrouble({ warmup }: StressResult): Fact[] {
  if (!warmup || warmup.unsent + warmup.rejected + warmup.lost === 0) return [];
  const parts = Object.entries(warmup).map(([name, n]) => `${count(n)} ${name}`);
  return [{ label: 'Warm-up', parts: [...parts, 'not counted above'] }];
}

/** Their replies wait for themselves, so they say little of the target, and stand apart. */
function slowConsumers({ slowConsumers: slow }: StressResult): Fact[] {
  if (!slow) return [];
  const { connections, ...fates } = slow;
  const parts = Object.entries(fates)
    .filter(([name, n]) => n > 0 || name === 'sent')
    .map(([name, n]) => `${count(n)} ${name}`);
  const who = `${count(connections)} connection${connections === 1 ? '' : 's'}`;
  return [{ label: 'Slow readers', parts: [who, ...parts, 'not counted above'] }];
}

function connectionWords(result: StressResult): string[] {
  const { counters } = result;
  return [
    `${count(counters['connections.opened'])} of ${count(counters['connections.attempted'])} opened`,
    `${count(counters['connections.failed'])} failed`,
    ...(counters['connections.abnormal'] > 0
      ? [`${count(counters['connections.abnormal'])} ended abnormally`]
      : []),
    `${count(result.openAtEnd)} open at the end`,
  ];
}

const closers: Record<CloseRecord['by'], string[]> = { us: ['ours'], peer: ["the target's"], none: [] };

// A target may use thousands of codes of its own; the JSON has them all.
const mostCloses = 12;

function closeWords(closes: readonly CloseRecord[], style: FactStyle): string[] {
  if (closes.length === 0) return ['none'];
  const words = closes.slice(0, mostCloses).map(({ code, by, clean, count: n }) => {
    const frame = code === 1006 ? ['no close frame'] : code === 1005 ? ['no code'] : [];
    const how = [...frame, ...closers[by], ...(clean ? [] : ['unclean'])].join(', ');
    return `${count(n)} ${style.times} ${code}${how === '' ? '' : ` (${how})`}`;
  });
  const others = closes.slice(mostCloses);
  if (others.length === 0) return words;
  const closed = others.reduce((sum, { count: n }) => sum + n, 0);
  return [...words, `${count(closed)} in ${count(others.length)} other ways`];
}

/** How the generator fared: the words that decide whether the latencies can be believed. */
export function generatorWords(result: StressResult): string[] {
  const { generator, metrics } = result;
  const lag = metrics.send_lag.p99;
  return [
    `${generator.limited ? 'LIMITED' : 'healthy'}: loop delay p99 ${ms(generator.loopDelay.p99)} ms`,
    `CPU ${percent(Math.round(generator.cpu * 100) / 100)} of a core, ${generator.workers} worker${generator.workers === 1 ? '' : 's'}${busiest(generator)}`,
    ...(lag === null ? [] : [`send lag p99 ${ms(lag)} ms`]),
    generator.gc.count === 0
      ? 'no GC pause'
      : `GC ${count(generator.gc.count)} ${generator.gc.count === 1 ? 'pause' : 'pauses'}, longest ${ms(generator.gc.maxMs)} ms`,
    ...(generator.throttled && generator.throttled.periods > 0
      ? [`stopped by a CPU quota for ${ms(generator.throttled.ms)} ms`]
      : []),
    ...(generator.waitedLong > 0 ? [`${percent(generator.waitedLong)} of messages waited over 50 ms`] : []),
  ];
}

/** Where a worker has no core left, the others' idle ones do not help it. */
function busiest({ perWorker = [] }: StressResult['generator']): string {
  if (perWorker.length < 2) return '';
  return `, the busiest ${percent(Math.round(Math.max(...perWorker.map(({ cpu }) => cpu)) * 100) / 100)}`;
}

/** The causes of connections that never opened, each with its hint. */
export function failureLines(result: StressResult, style: FactStyle): { cause: string; hint?: string }[] {
  return result.failures.map((failure) => ({
    cause: `${count(failure.count)} ${style.times} ${style.safe(failure.kind, 40)}: ${style.safe(failure.detail, 400)}`,
    ...(failure.hint === undefined ? {} : { hint: style.safe(failure.hint, 400) }),
  }));
}

/** How long each phase took. */
export function phaseWords(result: StressResult): string {
  const { phases } = result;
  const of = (name: string, value: number): string => `${name} ${formatDuration(Math.round(value))}`;
  return [
    of('connect', phases.connectMs),
    of('settle', phases.settleMs),
    of('warm-up', phases.warmupMs),
    of('measure', phases.measureMs),
    of('drain', phases.drainMs),
  ].join(', ');
}
