// Counters and the identities that must hold between them.
import { type CounterMetric, type Counters, counterMetrics } from './names.ts';

/** All counters at zero. */
export function zeroCounters(): Counters {
  return Object.fromEntries(counterMetrics.map((name) => [name, 0])) as Counters;
}

/** Adds every counter of `other` to `into`. */
export function addCounters(into: Counters, other: Counters): void {
  for (const name of counterMetrics) into[name] += other[name];
}

interface Identity {
  whole: CounterMetric;
  parts: readonly CounterMetric[];
}

// Every message and every connection ends in exactly one of the parts.
const identities: readonly Identity[] = [
  { whole: 'messages.scheduled', parts: ['messages.sent', 'messages.unsent'] },
  {
    whole: 'messages.sent',
    parts: ['messages.matched', 'messages.rejected', 'messages.lost', 'messages.interrupted'],
  },
  {
    whole: 'messages.received',
    parts: [
      'messages.matched',
      'messages.rejected',
      'messages.late',
      'messages.duplicate',
      'messages.push',
      'messages.unexpected',
    ],
  },
  { whole: 'connections.attempted', parts: ['connections.opened', 'connections.failed'] },
];

/**
 * The identities that do not hold, in words; empty when the books balance.
 * A mismatch is a bug of wsbench, never of the target.
 *
 * @param openAtEnd connections still open when the counters were read
 */
export function brokenIdentities(counters: Counters, openAtEnd = 0): string[] {
  const broken = identities
    .filter(({ whole, parts }) => counters[whole] !== parts.reduce((sum, part) => sum + counters[part], 0))
    .map(({ whole, parts }) => {
      const sides = parts.map((part) => `${part} ${counters[part]}`).join(' + ');
      return `${whole} ${counters[whole]} ≠ ${sides}`;
    });
  if (counters['connections.opened'] !== counters['connections.closed'] + openAtEnd) {
    broken.push(
      `connections.opened ${counters['connections.opened']} ≠ ` +
        `connections.closed ${counters['connections.closed']} + open at end ${openAtEnd}`,
    );
  }
  return broken;
}
