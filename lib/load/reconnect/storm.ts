// A storm: all connections go at once, and the run lasts until they are back.

/** How a client lets its connections go. `rst`: a TCP reset; `fin`: it hangs up without a close frame; `close`: with 1001. */
export const dropKinds = ['rst', 'fin', 'close'] as const;
export type DropKind = (typeof dropKinds)[number];

/** When connections go, and how long they are waited for; times in ms. */
export interface StormPlan {
  /** How the client lets them go; null: the server is waited for. */
  drop: DropKind | null;
  /** From the begin of the measure phase to the drop; when the server is waited for, for how long. */
  beforeMs: number;
  /** From the first loss until those that are not back are given up. */
  deadlineMs: number;
  /** How long the load goes on when all are back. */
  afterMs: number;
}

/** How long the measure phase of a storm is at the most, in ms. */
export function stormMs({ beforeMs, deadlineMs, afterMs }: StormPlan): number {
  return beforeMs + deadlineMs + afterMs;
}

/** What is known of a storm so far. */
export interface StormState {
  lost: number;
  away: number;
  firstLostUs: number;
  lastBackUs: number;
  /** Until when all engines have told what happened. */
  toldUs: number;
}

/**
 * When the measure phase of a storm ends; undefined: not known yet, and it goes on.
 *
 * @param startUs when it began
 */
export function stormEndUs(
  plan: StormPlan,
  state: StormState,
  startUs: number,
  atUs: number,
): number | undefined {
  const { beforeMs, deadlineMs, afterMs } = plan;
  if (state.lost === 0) {
    const waitedUs = startUs + beforeMs * 1000;
    // Nobody went: there is nothing to come back from.
    return plan.drop === null && atUs >= waitedUs ? atUs : undefined;
  }
  const { lastBackUs, toldUs } = state;
  // An engine that has not told yet may have lost connections since.
  if (state.away === 0 && toldUs > lastBackUs && atUs >= lastBackUs + afterMs * 1000) return atUs;
  const givenUpUs = state.firstLostUs + deadlineMs * 1000;
  return state.away > 0 && atUs >= givenUpUs ? atUs : undefined;
}
