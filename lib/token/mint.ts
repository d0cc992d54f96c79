// Tokens to test with: the claims of a Supabase user, signed by whatever key is given.
import { randomUUID } from 'node:crypto';
import { importJWK, type JWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { messageOf, WsbenchError } from '../errors.ts';
import { algorithmOf } from './keys.ts';

/** What a token is signed with: a shared HS256 secret (its raw UTF-8 bytes) or a private JWK. */
export type SigningKey = { secret: string } | { jwk: JWK };

/** Who a token speaks for. Everything has a default that the reference server accepts. */
export interface TokenOptions {
  /** Subject; a random UUID by default. */
  sub?: string;
  /** Supabase role; `authenticated` by default. */
  role?: string;
  /** Reference-server roles, `app_metadata.wsbench.roles`. */
  roles?: readonly string[];
  /** Reference-server tenant, `app_metadata.wsbench.tenant`. */
  tenant?: string;
  /** Lifetime in seconds, 3600 by default; negative for a token that has expired. */
  expiresInS?: number;
  issuer?: string;
  /** `authenticated` by default. */
  audience?: string;
  /** More claims, which win over the ones above. */
  claims?: Record<string, unknown>;
}

function claimsOf(options: TokenOptions): JWTPayload {
  const nowS = Math.floor(Date.now() / 1000);
  const lifetimeS = options.expiresInS ?? 3600;
  const sub = options.sub ?? randomUUID();
  const wsbench = {
    ...(options.roles ? { roles: [...options.roles] } : {}),
    ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
  };
  return {
    ...(options.issuer === undefined ? {} : { iss: options.issuer }),
    aud: options.audience ?? 'authenticated',
    sub,
    role: options.role ?? 'authenticated',
    iat: nowS + Math.min(0, lifetimeS) - (lifetimeS < 0 ? 3600 : 0),
    exp: nowS + lifetimeS,
    session_id: randomUUID(),
    is_anonymous: false,
    app_metadata:
      Object.keys(wsbench).length > 0 ? { provider: 'wsbench', wsbench } : { provider: 'wsbench' },
    user_metadata: {},
    ...options.claims,
  };
}

/**
 * Mints a token with the claims of a Supabase user access token.
 *
 * @throws WsbenchError `USAGE` when the key cannot sign
 */
export function mintToken(key: SigningKey, options: TokenOptions = {}): Promise<string> {
  return signClaims(key, claimsOf(options));
}

/**
 * Signs claims as they are.
 *
 * @throws WsbenchError `USAGE` when the key cannot sign
 */
export async function signClaims(key: SigningKey, claims: Record<string, unknown>): Promise<string> {
  try {
    if ('secret' in key) {
      const header = { alg: 'HS256', typ: 'JWT' };
      return await new SignJWT(claims).setProtectedHeader(header).sign(new TextEncoder().encode(key.secret));
    }
    const alg = algorithmOf(key.jwk);
    const header = { alg, typ: 'JWT', ...(key.jwk.kid === undefined ? {} : { kid: key.jwk.kid }) };
    return await new SignJWT(claims).setProtectedHeader(header).sign(await importJWK(key.jwk, alg));
  } catch (cause) {
    throw new WsbenchError('USAGE', `cannot sign a token with this key: ${messageOf(cause)}`, { cause });
  }
}

/** A token with `alg: none`: no server may accept it (RFC 8725 §3.1). */
export function unsignedToken(options: TokenOptions = {}): string {
  return new UnsecuredJWT(claimsOf(options)).encode();
}
