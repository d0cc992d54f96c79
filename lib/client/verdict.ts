// What follows from the end of a connection. Pure: the table of close codes, applied.
import { afterMs, defaultWindow, fullJitterMs, type Window, withinMs } from './back-off.ts';
import { closePolicy, refusalAction } from './close-policy.ts';
import { ClientError, type ClientErrorDetails } from './errors.ts';
import type { SocketEnd } from './transport.ts';

/** What is known when a connection ends, beside how it ended. */
export interface Situation {
  /** Exponent of the back-off: attempts since the last stable connection. */
  step: number;
  backOff: Window;
  /** The longest wait that a server may ask for. */
  serverCapMs: number;
  /** Time left until the moment in the window of DRAIN that was picked. */
  drainLeftMs: number | undefined;
  /** Whether another token can be had, and none has been asked for since the last stable connection. */
  mayRefresh: boolean;
  /** From 0 to 1. */
  chance: number;
}

/** Come back after `delayMs` (`grows`: and longer the next time), or never. */
export type Verdict =
  | {
      again: true;
      why: 'window' | 'back-off' | 'retry-after' | 'refresh-token';
      delayMs: number;
      grows: boolean;
    }
  | { again: false; error: ClientError };

/** Decides. */
export function verdictOn(end: SocketEnd, now: Situation): Verdict {
  const { code, httpStatus, retryAfterMs } = end;
  // What this side found fault with is no statement of the server's: it may be another one next time.
  const row = closePolicy(end.by === 'client' ? 1006 : code);
  const action = httpStatus === undefined ? row.action : refusalAction(httpStatus);
  const backOffMs = (row.minMs ?? 0) + fullJitterMs(now.step, now.backOff, now.chance);
  const forgiving = action !== 'stop' && action !== 'refresh-token';
  if (forgiving && now.drainLeftMs !== undefined) {
    return { again: true, why: 'window', delayMs: now.drainLeftMs, grows: false };
  }
  switch (action) {
    case 'stop':
      return { again: false, error: stopped(end) };
    case 'refresh-token':
      return now.mayRefresh
        ? { again: true, why: action, delayMs: backOffMs, grows: true }
        : {
            again: false,
            error: new ClientError('TOKEN', 'the server does not accept the token', facts(end)),
          };
    case 'window':
      return {
        again: true,
        why: action,
        delayMs: withinMs(defaultWindow, now.serverCapMs, now.chance),
        grows: false,
      };
    case 'retry-after': {
      if (retryAfterMs === undefined) break;
      const askedMs = afterMs(retryAfterMs, now.serverCapMs, now.chance);
      return { again: true, why: action, delayMs: Math.max(askedMs, backOffMs), grows: true };
    }
  }
  return { again: true, why: 'back-off', delayMs: backOffMs, grows: true };
}

function stopped(end: SocketEnd): ClientError {
  const what =
    end.httpStatus === undefined
      ? `closed the connection with ${end.code}${end.reason && ` ${end.reason}`}`
      : `refused the handshake with ${end.httpStatus}`;
  return new ClientError('STOPPED', `the server ${what}, which forbids coming back`, facts(end));
}

function facts({ code, httpStatus }: SocketEnd): ClientErrorDetails {
  return httpStatus === undefined ? { closeCode: code } : { httpStatus };
}
