// What a target says before it goes: the time within which its clients should come back. Pure.
import { compileMatcher, pathOf, type Received, valueAt } from './matcher.ts';
import type { Target } from './target.ts';

/** The window that a message gives, in ms from its arrival; undefined: it is no such message, or its bounds are no times. */
export type DrainReader = (message: Received) => { minMs: number; maxMs: number } | undefined;

// Nobody is asked to stay away for longer; what is more is a mistake, or malice.
const mostMs = 3_600_000;

/** Compiles `drain` of a target; undefined: it has none. */
export function compileDrain({ drain }: Target): DrainReader | undefined {
  if (!drain) return undefined;
  const is = compileMatcher(drain.when);
  const [min, max] = [pathOf(drain.minMs), pathOf(drain.maxMs)];
  return (message) => {
    if (!is(message)) return undefined;
    const [minMs, maxMs] = [valueAt(message.body, min), valueAt(message.body, max)];
    if (typeof minMs !== 'number' || typeof maxMs !== 'number') return undefined;
    return minMs >= 0 && maxMs >= minMs && maxMs <= mostMs ? { minMs, maxMs } : undefined;
  };
}
