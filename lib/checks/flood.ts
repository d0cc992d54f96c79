// Bursts of ECHO, and what became of each message: shared by the checks of rate limits.
import { performance } from 'node:perf_hooks';
import type { CheckConnection } from './connection.ts';
import type { Context } from './context.ts';
import type { Limits } from './message.ts';

/** Limits that are finite, as a check that needs `limits` may assume. */
export interface FiniteLimits {
  name: string;
  perMs: number;
  burst: number;
  penaltyMs: number;
}

/** An ERROR RATE_LIMITED as it arrived. */
export interface Notice {
  atMs: number;
  retryAfterMs: number | null;
}

/** The announced limits in the units of the arithmetic. */
export function finiteLimits(limits: Limits | undefined): FiniteLimits {
  const { name = '', messagesPerMinute, burstLimit, violationPenaltyMs } = limits ?? {};
  return {
    name,
    perMs: (messagesPerMinute ?? 0) / 60_000,
    burst: burstLimit ?? 0,
    penaltyMs: violationPenaltyMs ?? 0,
  };
}

/** Opens a connection that keeps its budget to what the check sends: it does not answer typed PINGs, only ping frames. */
export async function openForFlood(context: Context, sub: string): Promise<CheckConnection> {
  return context.connect({ token: await context.mint({ sub }), answerPings: false });
}

/** Sends this many ECHOs in one go and returns their ids. */
export function fire(connection: CheckConnection, count: number): string[] {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const id = `${performance.now()}-${n}`;
    ids.push(id);
    connection.send({ type: 'ECHO', id });
  }
  return ids;
}

/** When the ECHO with this id came back; null: it did not. */
export function acceptedAt(connection: CheckConnection, id: string): number | null {
  const answer = connection.received.find(({ envelope }) => envelope?.type === 'ECHO' && envelope.id === id);
  return answer?.atMs ?? null;
}

/** All ERROR RATE_LIMITED so far. */
export function notices(connection: CheckConnection): Notice[] {
  return connection.received.flatMap(({ atMs, envelope }) =>
    envelope?.type === 'ERROR' && envelope.payload.code === 'RATE_LIMITED'
      ? [{ atMs, retryAfterMs: Number(envelope.payload.retryAfterMs ?? Number.NaN) }]
      : [],
  );
}

/** Waits for the first ERROR RATE_LIMITED. */
export async function firstNotice(
  connection: CheckConnection,
  timeoutMs?: number,
): Promise<Notice | undefined> {
  return connection.waitFor(() => notices(connection)[0], timeoutMs);
}

/** Longest penalty that is waited for without being asked to, in ms. */
const penaltyAtMostMs = 10_000;

/** Why a check that must wait for a penalty is left out. */
export function tooLongToWait(id: string, limits: Limits | undefined, asked: boolean): string | undefined {
  const { penaltyMs } = finiteLimits(limits);
  return penaltyMs > penaltyAtMostMs && !asked
    ? `the announced penalty is ${Math.round(penaltyMs / 1000)} s; ask for it with --only ${id}`
    : undefined;
}
