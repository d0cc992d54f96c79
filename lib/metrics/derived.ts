// Figures that follow from the counters alone.
import type { Counters } from './names.ts';

/** Everything that went wrong: `errors`. */
export function errorsOf(counters: Counters): number {
  return (
    counters['connections.failed'] +
    counters['connections.abnormal'] +
    unansweredOf(counters) +
    counters.protocol_errors
  );
}

/** Share of the scheduled messages without a right answer, 0–1: `error_rate`; null when none was scheduled. */
export function errorRateOf(counters: Counters): number | null {
  const { 'messages.scheduled': scheduled } = counters;
  return scheduled > 0 ? unansweredOf(counters) / scheduled : null;
}

function unansweredOf(counters: Counters): number {
  return (
    counters['messages.unsent'] +
    counters['messages.rejected'] +
    counters['messages.lost'] +
    counters['messages.corrupt']
  );
}
