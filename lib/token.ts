// JSON Web Tokens: minting for tests, verifying for the reference server. The only module that imports jose.
import { randomUUID } from 'node:crypto';
import {
  calculateJwkThumbprint,
  compactVerify,
  createLocalJWKSet,
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
import { hasDuplicateNames } from './duplicate-names.ts';
import { messageOf, WsbenchError } from './errors.ts';
import { type FetchOutcome, KeySet, type KeySetOptions, type PublicKey, publicKeysOf } from './key-set.ts';

export type { JSONWebKeySet, JWK };
export { type FetchOutcome, KeySet, type KeySetOptions };

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

function headerAlgorithm(token: string): string | undefined {
  const header: unknown = JSON.parse(decoded(token, 0));
  const alg = (header as { alg?: unknown } | null)?.alg;
  return typeof alg === 'string' ? alg : undefined;
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

/** A verdict on a token: its claims and which published key signed it, or why it is refused. */
export type Verified =
  | { ok: true; claims: Claims; keyId?: string }
  | {
      ok: false;
      why: VerifyFailure;
      message: string;
      /** With `keys unavailable`: when to try again. */
      retryAfterMs?: number;
    };

/** What tokens are checked against. Only the algorithms of what is configured are accepted, whatever a token says. */
export interface VerifierOptions {
  /** Shared secret: enables HS256. */
  secret?: string;
  /** Public keys, or where to fetch them: enables ES256, RS256 and EdDSA. */
  jwks?: JSONWebKeySet | URL | KeySet;
  issuer?: string;
  audience?: string;
  /** Leeway for `exp`, `nbf` and `iat` in seconds; 5 by default. */
  clockToleranceS?: number;
  /** How long a token may live, from `iat` (or from now) to `exp`, in seconds; a week by default. */
  maxLifetimeS?: number;
  /** The wall clock, in ms since the epoch; that of the process by default. */
  epochMs?: () => number;
}

/** Longer ones are refused before anybody looks into them. */
export const maxTokenLength = 8192;

/** The longest life that Supabase lets a project give its tokens. */
export const longestLifetimeS = 7 * 86_400;

/**
 * Makes a function that verifies tokens. That one never throws at what a peer sends, and asks no URL that a token names.
 *
 * @throws WsbenchError `CONFIG` when a given key set holds what is no public key
 */
export function createVerifier(options: VerifierOptions): (token: string) => Promise<Verified> {
  const secret = options.secret === undefined ? undefined : new TextEncoder().encode(options.secret);
  const keysFor = keySource(options.jwks);
  const epochMs = options.epochMs ?? Date.now;
  const toleranceS = options.clockToleranceS ?? 5;
  const maxLifetimeS = options.maxLifetimeS ?? longestLifetimeS;
  const common = {
    requiredClaims: ['sub', 'role', 'exp'],
    clockTolerance: toleranceS,
    ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
    ...(options.audience === undefined ? {} : { audience: options.audience }),
  };
  return async (token) => {
    if (token.length > maxTokenLength) return refused('malformed', 'token is too long');
    try {
      const header = headerOf(token);
      if (!header) return refused('malformed', 'not a valid token');
      const symmetric = header.alg.startsWith('HS');
      if (symmetric ? !secret : !keysFor) return refused('algorithm', notAccepted);
      const nowMs = epochMs();
      const checks = { ...common, currentDate: new Date(nowMs) };
      let payload: JWTPayload;
      if (symmetric && secret) {
        ({ payload } = await jwtVerify(token, secret, { ...checks, algorithms: ['HS256'] }));
      } else {
        const algorithms = ['ES256', 'RS256', 'EdDSA'];
        // Before any fetch: nobody makes us ask for the key of a token that no key could make good.
        if (!algorithms.includes(header.alg)) return refused('algorithm', notAccepted);
        const found = await keysFor?.(header.kid);
        if (!found?.ok) {
          const why = refused('keys unavailable', 'the signing keys could not be fetched');
          return { ...why, retryAfterMs: found?.retryAfterMs ?? 0 };
        }
        ({ payload } = await jwtVerify(token, found.resolve, { ...checks, algorithms }));
      }
      const problem = problemOf(token, payload, { nowS: nowMs / 1000, toleranceS, maxLifetimeS });
      if (problem !== undefined) return refused('claims', problem);
      const signedBy = symmetric || header.kid === undefined ? {} : { keyId: header.kid };
      return { ok: true, claims: payload as Claims, ...signedBy };
    } catch (error) {
      return { ok: false, ...explain(error) };
    }
  };
}

const notAccepted = 'the algorithm of this token is not accepted here';

function refused(why: VerifyFailure, message: string): { ok: false; why: VerifyFailure; message: string } {
  return { ok: false, why, message };
}

type Resolvable = { ok: true; resolve: JWTVerifyGetKey } | { ok: false; retryAfterMs: number };

/** How the key of a token with a `kid` is looked up. */
function keySource(
  jwks: VerifierOptions['jwks'],
): ((kid: string | undefined) => Promise<Resolvable>) | undefined {
  if (jwks === undefined) return undefined;
  if (!(jwks instanceof URL || jwks instanceof KeySet)) {
    const resolve = createLocalJWKSet(givenKeys(jwks));
    return async () => ({ ok: true, resolve });
  }
  const set = jwks instanceof KeySet ? jwks : new KeySet(jwks);
  const resolvers = new WeakMap<readonly PublicKey[], JWTVerifyGetKey>();
  return async (kid) => {
    const found = await set.keysFor(kid);
    if (!found.ok) return found;
    const resolve = resolvers.get(found.keys) ?? createLocalJWKSet({ keys: [...found.keys] });
    resolvers.set(found.keys, resolve);
    return { ok: true, resolve };
  };
}

function givenKeys(jwks: JSONWebKeySet): { keys: PublicKey[] } {
  const keys = publicKeysOf(jwks);
  if (keys.length === jwks.keys.length) return { keys };
  throw new WsbenchError(
    'CONFIG',
    'the key set has keys that are not public ones (EC, RSA or OKP, without d)',
  );
}

/** The header of a token of the form that RFC 7515 §7.1 gives it, letter by letter; undefined for anything else. */
function headerOf(token: string): { alg: string; kid?: string } | undefined {
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return undefined;
  // Spare bits of the last letter must be zero: a token has one spelling.
  const isCanonical = token
    .split('.')
    .every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
  if (!isCanonical) return undefined;
  const header: unknown = JSON.parse(decoded(token, 0));
  if (header === null || typeof header !== 'object' || !('alg' in header)) return undefined;
  const { alg, kid } = header as { alg: unknown; kid?: unknown };
  if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')) return undefined;
  return { alg, ...(kid === undefined ? {} : { kid }) };
}

function decoded(token: string, part: number): string {
  return Buffer.from(token.split('.')[part] ?? '', 'base64url').toString();
}

/** What is wrong with the claims of a token whose signature is right; undefined: nothing. */
function problemOf(
  token: string,
  payload: JWTPayload,
  { nowS, toleranceS, maxLifetimeS }: { nowS: number; toleranceS: number; maxLifetimeS: number },
): string | undefined {
  const { sub, role, exp, iat, nbf } = payload;
  const isNamed = [sub, role].every((name) => typeof name === 'string' && name !== '');
  if (!isNamed || !Number.isSafeInteger(exp)) {
    return 'sub, role and exp are required, each of its type';
  }
  // 1e400 is a number to JSON.
  if (![iat ?? 0, nbf ?? 0].every(Number.isFinite)) return 'iat and nbf must be times';
  if (iat !== undefined && iat > nowS + toleranceS) return 'claim iat is in the future';
  if (Number(exp) - (iat ?? nowS) > maxLifetimeS) {
    return `the token lives longer than ${maxLifetimeS} s, which is more than is accepted here`;
  }
  const isTwofold = [0, 1].some((part) => hasDuplicateNames(decoded(token, part)));
  return isTwofold ? 'a claim is given twice' : undefined;
}

function explain(error: unknown): { why: VerifyFailure; message: string } {
  if (error instanceof errors.JWTExpired) return { why: 'expired', message: 'token has expired' };
  if (error instanceof errors.JWTClaimValidationFailed) {
    const claim = error.claim === 'nbf' ? 'nbf is in the future' : `${error.claim} is not accepted`;
    return {
      why: 'claims',
      message: error.reason === 'missing' ? `claim ${error.claim} is missing` : `claim ${claim}`,
    };
  }
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey) {
    return { why: 'signature', message: 'signature does not match' };
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return { why: 'algorithm', message: notAccepted };
  }
  if (error instanceof errors.JWKSMultipleMatchingKeys) {
    return { why: 'signature', message: 'the token does not say which of several keys signed it' };
  }
  return { why: 'malformed', message: 'not a valid token' };
}
