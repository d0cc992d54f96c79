// Whether a token is good: for the server that goes by it.
import {
  createLocalJWKSet,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { WsbenchError } from '../errors.ts';
import { decoded, headerOf } from './compact.ts';
import { hasDuplicateNames } from './duplicate-names.ts';
import { explain, notAccepted, type VerifyFailure } from './failure.ts';
import { KeySet, keyIdOf, type PublicKey, publicKeysOf } from './key-set.ts';

/** The claims that the reference server goes by. */
export interface Claims extends JWTPayload {
  sub: string;
  role: string;
  exp: number;
}

/** A verdict on a token: its claims and, if a key set by URL was asked, which of its keys signed it; or why it is refused. */
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
const maxTokenLength = 8192;

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
      let published: readonly PublicKey[] = [];
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
        published = found.published;
        ({ payload } = await jwtVerify(token, found.resolve, { ...checks, algorithms }));
      }
      const problem = problemOf(token, payload, { nowS: nowMs / 1000, toleranceS, maxLifetimeS });
      if (problem !== undefined) return refused('claims', problem);
      const signer = await signerOf(published, header);
      return { ok: true, claims: payload as Claims, ...(signer ? { keyId: keyIdOf(signer) } : {}) };
    } catch (error) {
      return { ok: false, ...explain(error) };
    }
  };
}

function refused(why: VerifyFailure, message: string): { ok: false; why: VerifyFailure; message: string } {
  return { ok: false, why, message };
}

type Resolvable =
  | { ok: true; resolve: JWTVerifyGetKey; published: readonly PublicKey[] }
  | { ok: false; retryAfterMs: number };

/** How the key of a token with a `kid` is looked up. */
function keySource(
  jwks: VerifierOptions['jwks'],
): ((kid: string | undefined) => Promise<Resolvable>) | undefined {
  if (jwks === undefined) return undefined;
  if (!(jwks instanceof URL || jwks instanceof KeySet)) {
    const resolve = createLocalJWKSet(givenKeys(jwks));
    return async () => ({ ok: true, resolve, published: [] });
  }
  const set = jwks instanceof KeySet ? jwks : new KeySet(jwks);
  const resolvers = new WeakMap<readonly PublicKey[], JWTVerifyGetKey>();
  return async (kid) => {
    const found = await set.keysFor(kid);
    if (!found.ok) return found;
    const resolve = resolvers.get(found.keys) ?? createLocalJWKSet({ keys: [...found.keys] });
    resolvers.set(found.keys, resolve);
    return { ok: true, resolve, published: found.keys };
  };
}

/** Which of the published keys a token with this header was found good with: jose takes one only if no other suits. */
async function signerOf(
  published: readonly PublicKey[],
  header: { alg: string; kid?: string },
): Promise<PublicKey | undefined> {
  const named = published.filter(({ kid }) => header.kid === undefined || header.kid === kid);
  if (named.length <= 1) return named[0];
  for (const key of named) {
    const suits = await createLocalJWKSet({ keys: [key] })(header).catch(() => undefined);
    if (suits) return key;
  }
  return undefined;
}

function givenKeys(jwks: JSONWebKeySet): { keys: PublicKey[] } {
  const keys = publicKeysOf(jwks);
  if (keys.length === jwks.keys.length) return { keys };
  throw new WsbenchError(
    'CONFIG',
    'the key set has keys that are not public ones (EC, RSA or OKP, without d)',
  );
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
