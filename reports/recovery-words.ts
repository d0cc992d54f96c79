// How lost connections came back, in words: the same in every report.
import { closeMeaning } from '../lib/cause/close-code.ts';
import { formatDuration } from '../lib/duration.ts';
import type { TimeStats } from '../lib/metrics/histogram.ts';
import { describeThreshold } from '../lib/result/describe-threshold.ts';
import type { RecoveryRecord, Result, StressResult } from '../lib/result/result.ts';
import { count, figure, planNumber, timeoutMs } from './figures.ts';
import type { Fact } from './stress-facts.ts';

/** A time in words, as exact as anybody asks for: `257 ms`, `4.8 s`. */
function timeText(ms: number): string {
  return formatDuration(ms < 1000 ? Math.round(ms) : Number(ms.toPrecision(3)));
}

const plural = (n: number, word: string): string => `${count(n)} ${word}${n === 1 ? '' : 's'}`;

/** Whether all connections of a run went at once. */
export function isStorm(result: Result): boolean {
  return result.kind === 'stress' && result.recovery?.storm !== undefined;
}

/**
 * What a storm says of the next restart, a sentence each; the first is the verdict. Empty where there was no storm.
 */
export function stormVerdict(result: StressResult): string[] {
  const { recovery, outcome } = result;
  if (!recovery?.storm) return [];
  if (recovery.lost === 0)
    return ['Not known: no connection was lost, so there was nothing to come back from.'];
  return [verdictOf(result, recovery, outcome), windowSentence(recovery), messageSentence(recovery)];
}

function verdictOf(
  result: StressResult,
  { missing, connections, time }: RecoveryRecord,
  outcome: StressResult['outcome'],
): string {
  if (outcome === 'inconclusive') {
    return 'Not known: the load generator was at its limit, so the way back may have taken so long because of it.';
  }
  if (outcome === 'interrupted') return 'Not known: the run was stopped before all were back.';
  if (missing > 0) {
    const storm = result.plan.options.storm as { deadlineMs?: unknown } | undefined;
    const waited = typeof storm?.deadlineMs === 'number' ? ` after ${formatDuration(storm.deadlineMs)}` : '';
    return `Not safe: ${count(missing)} of ${plural(connections, 'connection')} did not come back${waited}.`;
  }
  const back = `all ${plural(connections, 'connection')} were back after ${longest(time)}, half of them after ${shown(time.p50)}`;
  const missed = result.thresholds.filter(({ ok }) => !ok);
  const limit = planNumber(result, 'timeoutMs') ?? timeoutMs(result) ?? 0;
  const [first] = missed;
  if (first) return `Not safe by these limits (${describeThreshold(first, limit)}): ${back}.`;
  return outcome === 'passed'
    ? `Safe by these limits: ${back}.`
    : `Not safe: ${result.reasons[0]?.message ?? 'it failed'}.`;
}

const longest = ({ max }: TimeStats): string => shown(max);
const shown = (ms: number | null): string => (ms === null ? 'never' : timeText(ms));

/** Whether clients kept to what the server asked. */
export function windowSentence(recovery: RecoveryRecord): string {
  const { windows, attempts, connects, storm } = recovery;
  const { given, early, late } = windows;
  if (given === 0 && storm?.by === 'client') {
    return 'The clients went by themselves, so the server could give them no window to come back in: backoff alone spread them.';
  }
  if (given === 0) {
    return 'The server gave no window to come back in (DRAIN, Retry-After): how the herd spread was up to the clients.';
  }
  const window = windowText({ windows });
  const evenly = evenRate(recovery);
  if (early + late === 0 && isHerd(connects.peakPerSecond, evenly)) {
    return `The server gave a window (${window}), and clients did not spread over it: the peak was ${figure(connects.peakPerSecond)} connects/s, evenly it would have been ${figure(evenly)}.`;
  }
  if (early + late === 0) return `The server gave a window (${window}), and every client kept to it.`;
  const what = [
    ...(early > 0 ? [`${count(early)} before it`] : []),
    ...(late > 0 ? [`${count(late)} after it`] : []),
  ].join(' and ');
  const peak = `the peak was ${figure(connects.peakPerSecond)} connects/s`;
  return `The server gave a window (${window}), and clients did not keep to it: of ${plural(attempts.total, 'attempt')} ${what}; ${peak}.`;
}

/** Connects a second, if those that were lost had come evenly over the window; none where it has no end. */
function evenRate({ lost, windows: { minMs, maxMs } }: RecoveryRecord): number {
  const widthMs = (maxMs ?? 0) - (minMs ?? 0);
  return widthMs > 0 ? (lost / widthMs) * 1000 : Number.POSITIVE_INFINITY;
}

/**
 * Whether so many came in the busiest 100 ms that they cannot have picked their time at random: attempts that fail and are repeated may
 * double and double again what is due there, and chance adds its five standard deviations.
 */
function isHerd(peakPerSecond: number, evenPerSecond: number): boolean {
  const due = evenPerSecond / 10;
  return peakPerSecond / 10 > 4 * due + 5 * Math.sqrt(due);
}

function windowText({ windows }: Pick<RecoveryRecord, 'windows'>): string {
  const { minMs, maxMs } = windows;
  return minMs === maxMs
    ? `from ${timeText(minMs ?? 0)} on`
    : `${timeText(minMs ?? 0)} to ${timeText(maxMs ?? 0)}`;
}

function messageSentence({ messages }: RecoveryRecord): string {
  const { inFlight, unsent } = messages;
  if (inFlight + unsent === 0) return 'No message fell into the gap.';
  return `${plural(inFlight + unsent, 'message')} fell into the gap: ${count(inFlight)} on the way, ${count(unsent)} due while their connection was away.`;
}

/** The figures, as lines of a report; none where connections were not asked to come back. */
export function recoveryFacts({ recovery }: StressResult): Fact[] {
  if (!recovery) return [];
  if (recovery.lost === 0) return [{ label: 'Recovery', parts: ['no connection was lost'] }];
  const { time, gap, lost, returned, missing, attempts, connects, windows, messages, storm } = recovery;
  const { meanPerSecond: mean, peakPerSecond: peak } = connects;
  const ratio = mean === null || mean === 0 ? '' : ` (${figure(peak / mean)} times)`;
  return [
    {
      label: 'Recovery',
      parts: [
        `50 % back after ${shown(time.p50)}`,
        `95 % after ${shown(time.p95)}`,
        time.max === null ? 'never all' : `all after ${longest(time)}`,
        `${count(returned)} of ${plural(lost, 'loss')}`.replace(/losss$/, 'losses'),
        ...(missing > 0 ? [`${count(missing)} missing at the end`] : []),
      ],
    },
    // Elsewhere that is the same.
    ...(storm
      ? [
          {
            label: 'Client gap',
            parts: [
              `p50 ${shown(gap.p50)}`,
              `p95 ${shown(gap.p95)}`,
              `p99 ${shown(gap.p99)}`,
              `max ${shown(gap.max)}`,
            ],
          },
        ]
      : []),
    {
      label: 'Attempts',
      parts: [
        count(attempts.total),
        ...(attempts.mean === null ? [] : [`${figure(attempts.mean)} a client`]),
        `${count(attempts.max)} at most`,
        `peak ${figure(peak)} connects/s in 100 ms`,
        ...(mean === null ? [] : [`mean ${figure(mean)}/s${ratio}`]),
      ],
    },
    {
      label: 'Windows',
      parts:
        windows.given === 0
          ? ['none given by the server']
          : [
              windowText({ windows }),
              `given ${plural(windows.given, 'time')}`,
              windows.early + windows.late === 0
                ? isHerd(peak, evenRate(recovery))
                  ? 'kept, and NOT spread over'
                  : 'all honoured'
                : `NOT honoured: ${count(windows.early)} early, ${count(windows.late)} late`,
            ],
    },
    {
      label: 'In the gap',
      parts: [
        `${plural(messages.inFlight, 'message')} on the way`,
        `${count(messages.unsent)} due while away`,
      ],
    },
    { label: 'Lost by', parts: lostBy(recovery) },
  ];
}

function lostBy({ closes }: RecoveryRecord): string[] {
  const words = closes.slice(0, 8).map(({ code, by, count: n }) => {
    const who = by === 'us' ? ', ours' : '';
    return `${count(n)} with ${code} (${closeMeaning(code)}${who})`;
  });
  return closes.length > 8 ? [...words, `${count(closes.length - 8)} more kinds`] : words;
}
