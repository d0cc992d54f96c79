// Credentials that must be refused: how they are tried, and how the refusals are judged.
import { type Check, type Finding, failed, passed } from './check.ts';
import { describeClosed } from './closed.ts';
import { CheckConnection } from './connection.ts';
import type { ConnectOptions, Context } from './context.ts';
import { hasSiblings } from './endpoints.ts';
import { describeFailure } from './failure.ts';

/** What came of a credential that should be refused. */
export interface Refusal {
  name: string;
  /** Judged by the reference protocol, which says 401, rather than by what servers at large do. */
  strict: boolean;
  /** HTTP status; null: it was not an HTTP refusal. */
  status: number | null;
  /** Code of the close that followed; null: none did. */
  closeCode: number | null;
  /** A step of the join said no. */
  joinRefused: boolean;
  /** What happened, in words. */
  got: string;
  /** Whether the body is a JSON object with an `error`. */
  json: boolean;
}

/** What checks of refused credentials have in common: where they try, and how they judge. */
export const refusalCheck: Pick<Check<Refusal[]>, 'tags' | 'impact' | 'dependsOn' | 'judge'> = {
  tags: ['quick'],
  impact: 'none',
  dependsOn: ['connect', 'dashboard-connect'],
  judge: (refusals) => judgeRefusals(refusals, 401),
};

/** Tries tokens that must be refused, up to the first that is not. */
export async function tryRefusedTokens(
  context: Context,
  tokens: readonly (readonly [name: string, token: string])[],
): Promise<Refusal[]> {
  const strict = isStrict(context);
  const refusals: Refusal[] = [];
  for (const [name, token] of tokens) {
    const refusal = await tryRefused(context, name, strict ? { endpoint: 'dashboard', token } : { token });
    refusals.push(refusal);
    if (refusal.got === opened) break;
  }
  return refusals;
}

/** True for the reference protocol, whose other endpoints refuse at the handshake whoever has no role. */
export function isStrict({ facts, url }: Context): boolean {
  return facts.speaks === 'wsbench' && hasSiblings(url);
}

const opened = 'the connection was opened';

/** Tries a connection that should be refused. */
export async function tryRefused(context: Context, name: string, options: ConnectOptions): Promise<Refusal> {
  const strict = isStrict(context);
  const outcome = await context.attempt(options);
  const nothing = { name, strict, status: null, closeCode: null, joinRefused: false, json: false };
  if (!(outcome instanceof CheckConnection)) {
    const { status = null, body = '', closeCode = null, join } = outcome;
    const got = describeFailure(outcome);
    return { ...nothing, status, closeCode, joinRefused: join === 'refused', got, json: isErrorBody(body) };
  }
  const closed = strict ? null : await outcome.waitForClose();
  outcome.terminate();
  if (closed) return { ...nothing, closeCode: closed.code, got: describeClosed(closed) };
  return { ...nothing, got: strict ? opened : `${opened} and stayed open for ${context.timeoutMs} ms` };
}

function isErrorBody(body: string): boolean {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && 'error' in value;
  } catch {
    return false;
  }
}

/** Judges refusals: on the reference protocol each must have this status and a JSON body that names the error. */
export function judgeRefusals(refusals: readonly Refusal[], status: number): Finding {
  const lax = refusals.find((refusal) => !refusal.strict && !refusesAtAll(refusal));
  if (lax) {
    return failed(`HTTP 401 or 403, a refused join or a close code that says no for ${lax.name}`, lax.got);
  }
  const wrong = refusals.find((refusal) => refusal.strict && refusal.status !== status);
  if (wrong) return failed(`HTTP ${status} for ${wrong.name}`, wrong.got);
  const mute = refusals.find(({ strict, json }) => strict && !json);
  if (mute)
    return failed(`HTTP ${status} with a JSON body {error, message} for ${mute.name}`, 'another body');
  const how = [...new Set(refusals.map(describeRefusal))].join(', ');
  return passed(`${refusals.map(({ name }) => name).join(', ')}: ${how}`);
}

/** 1008 is a violated policy, 3000 to 4999 are the application's own: 3000 unauthorized, 3003 forbidden, 4401, 4403, … */
function refusesAtAll({ status, closeCode, joinRefused }: Refusal): boolean {
  if (status !== null) return status === 401 || status === 403;
  return joinRefused || closeCode === 1008 || (closeCode !== null && closeCode >= 3000 && closeCode <= 4999);
}

function describeRefusal({ status, closeCode, joinRefused }: Refusal): string {
  if (status !== null) return `HTTP ${status}`;
  return joinRefused ? 'the join was refused' : `close code ${closeCode}`;
}
