// What an engine counted of lost connections that came back: plain data that adds up.
import { Histogram, type HistogramData } from '../../metrics/histogram.ts';
import { mergeCloses } from '../../result/closes.ts';
import type { CloseRecord } from '../../result/result.ts';

/** What happened in 100 ms: bins count from the begin of the measure phase, those before it are negative. */
export interface RecoveryBin {
  bin: number;
  lost: number;
  attempts: number;
  back: number;
}

/** How long a bin is. */
export const binUs = 100_000;

/** All that is known of losses and returns. */
export interface RecoveryData {
  /** Connections that were lost, those of them that came back, and attempts that were begun for them. */
  lost: number;
  returned: number;
  attempts: number;
  /** The most attempts that one loss took so far. */
  mostAttempts: number;
  /** Connections that are away. */
  away: number;
  /** When the first was lost, and the last came back; infinite, and 0: none. */
  firstLostUs: number;
  lastBackUs: number;
  /** From the loss of a connection to its return. */
  gap: HistogramData;
  /** When each of those that were lost came back last, and is there still: of storms. */
  backUs: Float64Array;
  /** Losses or refusals with a window that the server gave; attempts before it, and after it. Its widest bounds, in ms. */
  windows: { given: number; early: number; late: number; minMs: number; maxMs: number };
  /** Messages that were under way on connections when they were lost. */
  inFlight: number;
  /** How connections were lost. */
  closes: CloseRecord[];
  bins: RecoveryBin[];
  /** Bins were left out, as there were too many. */
  cut: boolean;
}

/** The sum of what engines counted; null: none of them was asked to come back. */
export function mergeRecoveries(all: readonly (RecoveryData | null)[]): RecoveryData | null {
  const known = all.filter((one) => one !== null);
  const [only] = known;
  if (!only || known.length === 1) return only ?? null;
  const sum = (of: (one: RecoveryData) => number): number => known.reduce((total, one) => total + of(one), 0);
  const gap = new Histogram();
  for (const one of known) gap.addData(one.gap);
  return {
    lost: sum(({ lost }) => lost),
    returned: sum(({ returned }) => returned),
    attempts: sum(({ attempts }) => attempts),
    mostAttempts: Math.max(...known.map(({ mostAttempts }) => mostAttempts)),
    away: sum(({ away }) => away),
    firstLostUs: Math.min(...known.map(({ firstLostUs }) => firstLostUs)),
    lastBackUs: Math.max(...known.map(({ lastBackUs }) => lastBackUs)),
    gap: gap.data(),
    backUs: joined(known.map(({ backUs }) => backUs)),
    windows: {
      given: sum(({ windows }) => windows.given),
      early: sum(({ windows }) => windows.early),
      late: sum(({ windows }) => windows.late),
      minMs: Math.min(...known.map(({ windows }) => windows.minMs)),
      maxMs: Math.max(...known.map(({ windows }) => windows.maxMs)),
    },
    inFlight: sum(({ inFlight }) => inFlight),
    closes: mergeCloses(known.flatMap(({ closes }) => closes)),
    bins: mergeBins(known.flatMap(({ bins }) => bins)),
    cut: known.some(({ cut }) => cut),
  };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function mergeBins(all: readonly RecoveryBin[]): RecoveryBin[] {
  const byBin = new Map<number, RecoveryBin>();
  for (const one of all) {
    const known = byBin.get(one.bin);
    if (!known) byBin.set(one.bin, { ...one });
    else {
      known.lost += one.lost;
      known.attempts += one.attempts;
      known.back += one.back;
    }
  }
  return [...byBin.values()].sort((a, b) => a.bin - b.bin);
}
