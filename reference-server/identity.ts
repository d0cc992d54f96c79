// Who a connection speaks for, read from the claims of its token.
import type { Claims } from '../lib/token.ts';

export const roles = ['dashboard', 'agent'] as const;

export type Role = (typeof roles)[number];

export interface Identity {
  sub: string;
  tenant: string;
  roles: readonly Role[];
  /** `exp`, in ms since the epoch. */
  expiresAtMs: number;
  /** `iat`, in ms since the epoch; 0 when the token does not say. */
  issuedAtMs: number;
  /** The key at a URL that signed the token; undefined when it was a secret or a key that the server was given. */
  keyId: string | undefined;
}

/** Reads `app_metadata.wsbench`: `roles` (`dashboard` for Supabase's role `authenticated` if unsaid) and `tenant` (default: `sub`). */
export function identityOf(claims: Claims, keyId?: string): Identity {
  const wsbench = property(property(claims, 'app_metadata'), 'wsbench');
  const named = property(wsbench, 'roles');
  const tenant = property(wsbench, 'tenant');
  return {
    sub: claims.sub,
    tenant: typeof tenant === 'string' && tenant !== '' ? tenant : claims.sub,
    roles: Array.isArray(named)
      ? roles.filter((role) => named.includes(role))
      : claims.role === 'authenticated'
        ? ['dashboard']
        : [],
    expiresAtMs: claims.exp * 1000,
    issuedAtMs: typeof claims.iat === 'number' ? claims.iat * 1000 : 0,
    keyId,
  };
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
