// What a client does after each close code and each refused handshake: one table for the code, the documentation and the tests.

/**
 * What to do when a connection has ended.
 *
 * @example
 * import { type CloseAction, closePolicies } from 'wsbench/client';
 * const names = (wanted: CloseAction) => closePolicies.filter(({ action }) => action === wanted).map(({ name }) => name);
 * console.log(names('window').join()); // GOING_AWAY,SERVICE_RESTART
 */
export type CloseAction =
  /** Do not come back. */
  | 'stop'
  /** Come back within the window that the server named; it is no failure. */
  | 'window'
  /** Come back after a random time that grows. */
  | 'back-off'
  /** Come back when the server said, and not before the back-off. */
  | 'retry-after'
  /** Come back with another token, once. */
  | 'refresh-token';

/**
 * A row of the table of close codes.
 *
 * @example
 * import { type ClosePolicy, closePolicies } from 'wsbench/client';
 * const slow = (row: ClosePolicy) => (row.minMs ?? 0) >= 1000;
 * console.log(closePolicies.filter(slow).map(({ code }) => code).join()); // 1008
 */
export interface ClosePolicy {
  code: number;
  name: string;
  action: CloseAction;
  /** At least so long before the next attempt: what was wrong does not pass in a moment. */
  minMs?: number;
}

/**
 * By close code of the server. What is not listed is {@link otherCloses}.
 *
 * @example
 * import { closePolicies } from 'wsbench/client';
 * const row = closePolicies.find(({ code }) => code === 4409);
 * console.log(row?.name, row?.action); // REPLACED stop
 */
// biome-ignore format: a table
export const closePolicies: readonly ClosePolicy[] = [
  { code: 1000, name: 'NORMAL',            action: 'stop' },
  { code: 1001, name: 'GOING_AWAY',        action: 'window' },
  { code: 1002, name: 'PROTOCOL_ERROR',    action: 'stop' },
  { code: 1003, name: 'UNSUPPORTED_DATA',  action: 'stop' },
  { code: 1005, name: 'NO_CODE',           action: 'back-off' },
  { code: 1006, name: 'ABNORMAL',          action: 'back-off' },
  { code: 1007, name: 'INVALID_DATA',      action: 'stop' },
  { code: 1008, name: 'POLICY',            action: 'back-off', minMs: 5000 },
  { code: 1009, name: 'TOO_LARGE',         action: 'stop' },
  { code: 1010, name: 'EXTENSION_MISSING', action: 'stop' },
  { code: 1011, name: 'INTERNAL',          action: 'back-off' },
  { code: 1012, name: 'SERVICE_RESTART',   action: 'window' },
  { code: 1013, name: 'TRY_AGAIN_LATER',   action: 'retry-after' },
  { code: 4400, name: 'BAD_REQUEST',       action: 'stop' },
  { code: 4401, name: 'UNAUTHORIZED',      action: 'refresh-token' },
  { code: 4403, name: 'FORBIDDEN',         action: 'stop' },
  { code: 4408, name: 'TIMEOUT',           action: 'back-off' },
  { code: 4409, name: 'REPLACED',          action: 'stop' },
  { code: 4429, name: 'RATE_LIMITED',      action: 'retry-after' },
];

/** Every other code: nothing is known of it, so nothing forbids to come back. */
const otherCloses: ClosePolicy = { code: 0, name: 'OTHER', action: 'back-off' };

/** The row of a close code. */
export function closePolicy(code: number): ClosePolicy {
  return closePolicies.find((row) => row.code === code) ?? otherCloses;
}

/** What to do when the handshake was refused with a status. Browsers do not tell it: there a refusal is a 1006. */
export function refusalAction(status: number): CloseAction {
  if (status === 401) return 'refresh-token';
  if (status === 429 || status === 503) return 'retry-after';
  // What a proxy or a captive portal says on the server's behalf passes; redirects are never followed.
  if (status < 400 || status >= 500 || status === 408 || status === 425) return 'back-off';
  return 'stop';
}
