// What the live view of a load knows: the events of a run, added up. Pure.
import type { Phase, RunEvent, Snapshot } from '../lib/result/events.ts';

/** Seconds that are remembered. */
const longestSeconds = 120;

/** A load as it was last heard of. */
export interface LiveState {
  phase: Phase;
  /** How long connecting took, or has taken; undefined: it has not begun. */
  connectMs: number | undefined;
  /** The newest snapshot. */
  snapshot: Snapshot | undefined;
  /** Replies a second, of the seconds since the load began, the newest last. */
  rates: readonly number[];
  /** The measure phase as it ended, or the newest of it. */
  measured: Snapshot | undefined;
  startedMs: number;
  measureStartedMs: number;
}

/** Before anything was heard. */
export function noState(nowMs: number): LiveState {
  return {
    phase: 'connect',
    connectMs: undefined,
    snapshot: undefined,
    rates: [],
    measured: undefined,
    startedMs: nowMs,
    measureStartedMs: nowMs,
  };
}

/** What is known after an event that came at `nowMs`. */
export function heard(state: LiveState, event: RunEvent, nowMs: number): LiveState {
  if (event.type === 'phase') return entered(state, event.phase, nowMs);
  if (event.type !== 'interval') return state;
  const { snapshot } = event;
  const { phase } = snapshot;
  const isLoad = phase === 'warmup' || phase === 'measure';
  return {
    ...state,
    phase,
    snapshot,
    ...(phase === 'connect' ? { connectMs: nowMs - state.startedMs } : {}),
    ...(isLoad ? { rates: [...state.rates, snapshot.receivedPerSecond].slice(-longestSeconds) } : {}),
    ...(phase === 'measure' ? { measured: snapshot } : {}),
  };
}

function entered(state: LiveState, phase: Phase, nowMs: number): LiveState {
  if (phase === 'connect') return { ...state, phase, startedMs: nowMs, connectMs: 0 };
  const next = {
    ...state,
    phase,
    ...(state.phase === 'connect' ? { connectMs: nowMs - state.startedMs } : {}),
    ...(phase === 'measure' ? { measureStartedMs: nowMs } : {}),
  };
  if (phase !== 'drain' || state.measured === undefined) return next;
  const { plannedMs } = state.measured;
  const elapsedMs = Math.min(plannedMs, nowMs - state.measureStartedMs);
  return { ...next, measured: { ...state.measured, elapsedMs } };
}
