// Handshakes that must be refused: how they are tried, and how the refusals are judged.
import { type Finding, failed, passed } from './check.ts';
import { CheckConnection } from './connection.ts';
import type { ConnectOptions, Context } from './context.ts';
import { describeFailure } from './failure.ts';

/** What came of a handshake that should be refused. */
export interface Refusal {
  name: string;
  /** HTTP status; null: it was not an HTTP refusal. */
  status: number | null;
  /** What happened, in words. */
  got: string;
  /** Whether the body is a JSON object with an `error`. */
  json: boolean;
}

/** Tries a handshake that should be refused. */
export async function tryRefused(context: Context, name: string, options: ConnectOptions): Promise<Refusal> {
  const outcome = await context.attempt(options);
  if (outcome instanceof CheckConnection) {
    outcome.terminate();
    return { name, status: null, got: 'the connection was opened', json: false };
  }
  const { status = null, body = '' } = outcome;
  return { name, status, got: describeFailure(outcome), json: isErrorBody(body) };
}

function isErrorBody(body: string): boolean {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && 'error' in value;
  } catch {
    return false;
  }
}

/** Judges refusals: each must have this status and a JSON body that names the error. */
export function judgeRefusals(refusals: readonly Refusal[], status: number): Finding {
  const wrong = refusals.find((refusal) => refusal.status !== status);
  if (wrong) return failed(`HTTP ${status} for ${wrong.name}`, wrong.got);
  const mute = refusals.find(({ json }) => !json);
  if (mute)
    return failed(`HTTP ${status} with a JSON body {error, message} for ${mute.name}`, 'another body');
  return passed(`${refusals.map(({ name }) => name).join(', ')}: HTTP ${status}`);
}
