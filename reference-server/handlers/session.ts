// AUTH: the first credential of an anonymous connection, or a fresh token for the same subject.
import { closes } from '../close-codes.ts';
import { Refusal } from '../refusal.ts';
import type { Authenticated, TokenRefusal } from '../server-context.ts';
import { ack, type Handler } from './handler.ts';

export const auth: Handler<'AUTH'> = {
  access: 'session',
  // Not remembered: a stored ACK must never stand in for the verdict on another token.
  async handle({ payload, connection, server }) {
    const verdict = await server.authenticate(payload.token);
    if (!verdict.ok) throw refusalOf(verdict);
    const { identity } = verdict;
    const before = connection.identity;
    if (before && before.sub !== identity.sub) {
      throw new Refusal('FORBIDDEN', 'a refreshed token must have the same sub');
    }
    if (before && before.tenant !== identity.tenant) {
      throw new Refusal('FORBIDDEN', 'a refreshed token must have the same tenant');
    }
    await server.identify(connection, identity);
    if (!identity.roles.includes('agent')) await connection.releaseAgent();
    if (!identity.roles.includes('dashboard')) connection.releaseDashboard();
    if (identity.roles.length === 0) await connection.releaseSubscriptions();
    const { sub, roles, expiresAtMs } = identity;
    return ack({ for: 'AUTH', sub, roles: [...roles], expiresAt: expiresAtMs });
  },
};

// biome-ignore format: a table
const closeOf: Record<Exclude<TokenRefusal, 'AUTH_UNAVAILABLE'>, { code: number; reason: string }> = {
  TOKEN_INVALID: closes.tokenInvalid,
  TOKEN_EXPIRED: closes.tokenExpired,
  TOKEN_REVOKED: closes.tokenRevoked,
};

function refusalOf({ reason, message, retryAfterMs }: Authenticated & { ok: false }): Refusal {
  // Nothing is known against this token: the connection stays as it is, and may try again.
  return reason === 'AUTH_UNAVAILABLE'
    ? new Refusal('AUTH_UNAVAILABLE', message, undefined, retryAfterMs)
    : new Refusal('UNAUTHENTICATED', message, closeOf[reason]);
}
