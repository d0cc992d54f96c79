// What an engine told before it was gone.
import type { Share } from './share.ts';

/** The last share of an engine that is lost: what was under way then is interrupted, and was never tried to its end. */
export function lastShare(share: Share): Share {
  const { counters, outstanding, connecting } = share;
  return {
    ...share,
    counters: {
      ...counters,
      'messages.interrupted': counters['messages.interrupted'] + outstanding,
      'connections.attempted': counters['connections.attempted'] - connecting,
    },
    outstanding: 0,
    connecting: 0,
  };
}
