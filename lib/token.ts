// JSON Web Tokens: minting for tests, verifying for the reference server. The only module that imports jose.
import { randomUUID } from 'node:crypto';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { messageOf, WsbenchError } from './errors.ts';

export type { JSONWebKeySet, JWK };

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
export async function mintToken(key: SigningKey, options: TokenOptions = {}): Promise<string> {
  try {
    const payload = claimsOf(options);
    if ('secret' in key) {
      const header = { alg: 'HS256', typ: 'JWT' };
      return await new SignJWT(payload).setProtectedHeader(header).sign(new TextEncoder().encode(key.secret));
    }
    const alg = key.jwk.alg ?? (key.jwk.kty === 'EC' ? 'ES256' : key.jwk.kty === 'OKP' ? 'EdDSA' : 'RS256');
    const header = { alg, typ: 'JWT', ...(key.jwk.kid === undefined ? {} : { kid: key.jwk.kid }) };
    return await new SignJWT(payload).setProtectedHeader(header).sign(await importJWK(key.jwk, alg));
  } catch (cause) {
    throw new WsbenchError('USAGE', `cannot sign a token with this key: ${messageOf(cause)}`, { cause });
  }
}

/** A token with `alg: none`: no server may accept it (RFC 8725 §3.1). */
export function unsignedToken(options: TokenOptions = {}): string {
  return new UnsecuredJWT(claimsOf(options)).encode();
}

/** A new ES256 key: the private JWK to sign with, and the public set to verify with. */
export async function generateSigningKey(): Promise<{ jwk: JWK; jwks: JSONWebKeySet }> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const kid = randomUUID();
  const extra = { kid, alg: 'ES256', use: 'sig' };
  return {
    jwk: { ...(await exportJWK(privateKey)), ...extra },
    jwks: { keys: [{ ...(await exportJWK(publicKey)), ...extra }] },
  };
}

/** The claims that the reference server goes by. */
export interface Claims extends JWTPayload {
  sub: string;
  role: string;
  exp: number;
}

export type VerifyFailure =
  | 'expired'
  | 'malformed'
  | 'signature'
  | 'algorithm'
  | 'claims'
  | 'keys unavailable';

/** A verdict on a token: its claims, or why it is refused. */
export type Verified = { ok: true; claims: Claims } | { ok: false; why: VerifyFailure; message: string };

/** What tokens are checked against. Only the algorithms of what is configured are accepted, whatever a token says. */
export interface VerifierOptions {
  /** Shared secret: enables HS256. */
  secret?: string;
  /** Public keys, or where to fetch them: enables ES256, RS256 and EdDSA. */
  jwks?: JSONWebKeySet | URL;
  issuer?: string;
  audience?: string;
  /** Leeway for `exp` and `nbf` in seconds; 5 by default. */
  clockToleranceS?: number;
}

const maxTokenLength = 16_384;

/** Makes a function that verifies tokens. It never throws at what a peer sends. */
export function createVerifier(options: VerifierOptions): (token: string) => Promise<Verified> {
  const secret = options.secret === undefined ? undefined : new TextEncoder().encode(options.secret);
  const keys: JWTVerifyGetKey | undefined =
    options.jwks === undefined
      ? undefined
      : options.jwks instanceof URL
        ? createRemoteJWKSet(options.jwks, { cooldownDuration: 5000, timeoutDuration: 2000 })
        : createLocalJWKSet(options.jwks);
  const common = {
    requiredClaims: ['sub', 'role', 'exp'],
    clockTolerance: options.clockToleranceS ?? 5,
    ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
    ...(options.audience === undefined ? {} : { audience: options.audience }),
  };
  return async (token) => {
    if (token.length > maxTokenLength) return { ok: false, why: 'malformed', message: 'token is too long' };
    try {
      const symmetric = headerAlgorithm(token)?.startsWith('HS') ?? false;
      if (symmetric ? !secret : !keys) {
        return { ok: false, why: 'algorithm', message: 'the algorithm of this token is not accepted here' };
      }
      const { payload } =
        symmetric && secret
          ? await jwtVerify(token, secret, { ...common, algorithms: ['HS256'] })
          : await jwtVerify(token, keys as JWTVerifyGetKey, {
              ...common,
              algorithms: ['ES256', 'RS256', 'EdDSA'],
            });
      const { sub, role, exp } = payload;
      if (typeof sub !== 'string' || sub === '' || typeof role !== 'string' || !Number.isSafeInteger(exp)) {
        return { ok: false, why: 'claims', message: 'sub, role and exp are required, each of its type' };
      }
      return { ok: true, claims: payload as Claims };
    } catch (error) {
      return { ok: false, ...explain(error) };
    }
  };
}

function headerAlgorithm(token: string): string | undefined {
  const header: unknown = JSON.parse(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString());
  const alg = (header as { alg?: unknown } | null)?.alg;
  return typeof alg === 'string' ? alg : undefined;
}

function explain(error: unknown): { why: VerifyFailure; message: string } {
  if (error instanceof errors.JWTExpired) return { why: 'expired', message: 'token has expired' };
  if (error instanceof errors.JWTClaimValidationFailed) {
    return {
      why: 'claims',
      message: `claim ${error.claim} is ${error.reason === 'missing' ? 'missing' : 'not accepted'}`,
    };
  }
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey) {
    return { why: 'signature', message: 'signature does not match' };
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return { why: 'algorithm', message: 'the algorithm of this token is not accepted here' };
  }
  if (error instanceof errors.JWKSMultipleMatchingKeys) {
    return { why: 'signature', message: 'the token does not say which of several keys signed it' };
  }
  // jose has no class of its own for an answer other than 200, and lets the errors of fetch through.
  const unfetched =
    (error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC') ||
    (error instanceof TypeError && error.message === 'fetch failed');
  if (unfetched || error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) {
    return { why: 'keys unavailable', message: 'the signing keys could not be fetched' };
  }
  return { why: 'malformed', message: 'not a valid token' };
}
