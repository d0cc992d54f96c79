// How a server sends its clients away: how many at a time, and when they should come back. Pure.

/** Within what time after its DRAIN a client should come back, at a time left to chance. */
export interface ReconnectWindow {
  minMs: number;
  maxMs: number;
}

export interface DrainPlan {
  window: ReconnectWindow;
  /** Clients that are told to go at a time. */
  batchSize: number;
  /** Time between two batches, in which everybody else is served. */
  batchEveryMs: number;
  /** How long a connection may take to have what is under way answered. */
  settleMs: number;
}

/** What instances take that the clients of one come to: connections a second, each with a token to verify. */
const reconnectsPerSecond = 2000;

/** Before this time the connection that ends is in the way of the one that begins, and balancers have seen nothing yet. */
const soonestMs = 100;

/** Between the first that may come back and the last: few clients are no herd, but should not come in one instant either. */
const [narrowestMs, widestMs] = [500, 60_000];

/** So many clients a second are sent away, unless that would take more than half of the time that there is. */
const departuresPerSecond = 5000;
const batchEveryMs = 50;

/** Longest wait for the answers to what is under way: no call to Redis takes longer than half a second, and several may be queued. */
const longestSettleMs = 2000;

/**
 * Plans the drain of a server.
 *
 * The window is 0.5 ms wide for each client, so that 2,000 of them come back in a second, however many there are; at least 500 ms,
 * at most 60 s. It counts from the DRAIN that a client got, and is the same for all: that batches go one after the other spreads them
 * further, and takes nothing from it.
 *
 * @param clients connections that are open
 * @param options `drainTimeoutMs`: time until the last must be gone. `drainWindowMs`: the end of the window, in place of ours
 */
export function planDrain(
  clients: number,
  options: { drainTimeoutMs: number; drainWindowMs?: number | undefined },
): DrainPlan {
  const { drainTimeoutMs, drainWindowMs } = options;
  const wantedMs = (clients / reconnectsPerSecond) * 1000;
  const maxMs = drainWindowMs ?? soonestMs + Math.min(Math.max(wantedMs, narrowestMs), widestMs);
  const spreadMs = Math.min((clients / departuresPerSecond) * 1000, drainTimeoutMs / 2);
  const batches = Math.max(1, Math.floor(spreadMs / batchEveryMs));
  return {
    window: { minMs: Math.min(soonestMs, maxMs), maxMs: Math.round(maxMs) },
    batchSize: Math.max(1, Math.ceil(clients / batches)),
    batchEveryMs,
    settleMs: Math.min(longestSettleMs, drainTimeoutMs / 4),
  };
}
