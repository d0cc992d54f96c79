// JSON Web Tokens: minting for tests, verifying for the reference server. The only module that imports jose.
import { randomUUID } from 'node:crypto';
import {
  calculateJwkThumbprint,
  compactVerify,
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

const algorithms: Record<string, string> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  OKP: 'EdDSA',
  oct: 'HS256',
  RSA: 'RS256',
};

/** The algorithm of a key: what it says, or what its kind is commonly used with. */
function algorithmOf({ alg, crv, kty }: JWK): string {
  return alg ?? algorithms[crv ?? ''] ?? algorithms[kty ?? ''] ?? 'RS256';
}

/** A token with `alg: none`: no server may accept it (RFC 8725 §3.1). */
export function unsignedToken(options: TokenOptions = {}): string {
  return new UnsecuredJWT(claimsOf(options)).encode();
}

/** A new key, ES256 by default: the private JWK to sign with, and the public set to verify with. */
export async function generateSigningKey(
  alg: 'ES256' | 'RS256' | 'EdDSA' = 'ES256',
): Promise<{ jwk: JWK; jwks: JSONWebKeySet }> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomUUID();
  const extra = { kid, alg, use: 'sig' };
  return {
    jwk: { ...(await exportJWK(privateKey)), ...extra },
    jwks: { keys: [{ ...(await exportJWK(publicKey)), ...extra }] },
  };
}

/**
 * The public half of a key, for a JWKS: nothing of it lets anybody sign. Its `kid` is the key's own or its thumbprint (RFC 7638).
 *
 * @throws WsbenchError `USAGE` for a symmetric key, which has no such half, and for what is no key
 */
export async function publicJwk(jwk: JWK): Promise<JWK> {
  if (jwk.kty === 'oct') {
    throw new WsbenchError(
      'USAGE',
      'a symmetric key (kty oct) has no public half: whoever can check its tokens can sign them, so it belongs in no JWKS',
    );
  }
  // Named one by one: what is not named here stays private.
  const { kty, crv, x, y, n, e } = jwk;
  const bare = Object.fromEntries(
    Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined),
  ) as JWK;
  const alg = algorithmOf(jwk);
  try {
    await importJWK(bare, alg);
    return { ...bare, kid: jwk.kid ?? (await calculateJwkThumbprint(bare)), alg, use: jwk.use ?? 'sig' };
  } catch (cause) {
    throw new WsbenchError('USAGE', `not a usable JSON Web Key: ${messageOf(cause)}`, { cause });
  }
}

/** What a signature is checked against: an HS256 secret, or keys, public or private. */
export type CheckingKey = { secret: string } | { jwks: JSONWebKeySet };

/** Whether the signature of a token is good; its claims are not looked at. Never throws at what is in a token. */
export async function checkSignature(
  token: string,
  key: CheckingKey,
): Promise<{ good: true } | { good: false; why: string }> {
  try {
    const alg = headerAlgorithm(token) ?? '';
    const symmetric = alg.startsWith('HS');
    if (/^none$/i.test(alg)) return { good: false, why: 'alg none: nothing is signed' };
    if ('secret' in key) {
      if (!symmetric) return { good: false, why: `the token says alg ${alg}, which no shared secret signs` };
      const secret = new TextEncoder().encode(key.secret);
      if (await isSignedWith(token, secret)) return { good: true };
      const decoded = Buffer.from(key.secret, 'base64');
      const base64 = decoded.length > 0 && (await isSignedWith(token, decoded));
      const hint =
        '; it does with the secret base64-decoded: whoever signed it decoded the secret, and Supabase does not';
      return { good: false, why: `it does not match this secret${base64 ? hint : ''}` };
    }
    if (symmetric) return await checkSymmetric(token, alg, key.jwks);
    const keys: JWK[] = [];
    for (const jwk of key.jwks.keys) {
      if (jwk.kty === 'oct') continue;
      // Without the kid that a thumbprint would give it: a token can only name one that the key has.
      const { kid: _thumbprint, ...rest } = await publicJwk(jwk);
      keys.push({ ...rest, ...(jwk.kid === undefined ? {} : { kid: jwk.kid }) });
    }
    return await checkAsymmetric(token, alg, keys);
  } catch (error) {
    return { good: false, why: explain(error).message };
  }
}

async function checkSymmetric(
  token: string,
  alg: string,
  jwks: JSONWebKeySet,
): Promise<{ good: true } | { good: false; why: string }> {
  const shared = jwks.keys.filter(({ kty }) => kty === 'oct');
  for (const { k = '' } of shared)
    if (await isSignedWith(token, Buffer.from(k, 'base64url'))) return { good: true };
  const why =
    shared.length > 0 ? 'it does not match' : `the token says alg ${alg}, which no public key checks`;
  return { good: false, why };
}

async function checkAsymmetric(
  token: string,
  alg: string,
  keys: JWK[],
): Promise<{ good: true } | { good: false; why: string }> {
  try {
    await compactVerify(token, createLocalJWKSet({ keys }));
    return { good: true };
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) {
      for await (const candidate of error) {
        if (await isSignedWith(token, candidate)) return { good: true };
      }
      return { good: false, why: 'it matches none of these keys' };
    }
    if (error instanceof errors.JWKSNoMatchingKey) {
      return { good: false, why: `none of these keys has its kid and suits alg ${alg}` };
    }
    return { good: false, why: explain(error).message };
  }
}

async function isSignedWith(token: string, key: Parameters<typeof compactVerify>[1]): Promise<boolean> {
  try {
    await compactVerify(token, key);
    return true;
  } catch {
    return false;
  }
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
