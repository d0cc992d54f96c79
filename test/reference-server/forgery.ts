// What tokens are made of, the right ones and the others: keys, claims, signatures by hand.
import { createHmac, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto';

/** The time at which all of this is judged, in s since the epoch. */
export const nowS = 1_700_000_000;
export const secret = 'a secret that has thirty-two byte';
export const issuer = 'https://demo.example/auth/v1';
export const audience = 'authenticated';

interface Pair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

export const keys = {
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }) as Pair,
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }) as Pair,
  ed: generateKeyPairSync('ed25519') as Pair,
};
/** Keys that nobody trusts. */
export const attacker = {
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }) as Pair,
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }) as Pair,
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }) as Pair,
};

export const jwkOf = ({ publicKey }: Pair, kid: string): Record<string, unknown> => ({
  ...publicKey.export({ format: 'jwk' }),
  kid,
  use: 'sig',
});

/** What the servers under attack verify with, beside the secret. */
export const jwks = {
  keys: [jwkOf(keys.ec, 'ec'), jwkOf(keys.rsa, 'rsa'), jwkOf(keys.ed, 'ed')] as { kty: string }[],
};

export type Json = Record<string, unknown>;

/** Claims that are accepted. */
export const claims: Json = {
  iss: issuer,
  aud: audience,
  sub: 'mallory',
  role: 'authenticated',
  iat: nowS - 10,
  exp: nowS + 3600,
};

export const b64 = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

export type Signer = (input: string) => Buffer;

export const hmac =
  (key: string | Buffer, hash = 'sha256'): Signer =>
  (input) =>
    createHmac(hash, key).update(input).digest();
export const ecdsa =
  ({ privateKey }: Pair, hash = 'sha256'): Signer =>
  (input) =>
    signBytes(hash, Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
export const rsa =
  ({ privateKey }: Pair, hash = 'sha256', padding?: number): Signer =>
  (input) =>
    signBytes(hash, Buffer.from(input), { key: privateKey, ...(padding === undefined ? {} : { padding }) });
export const eddsa =
  ({ privateKey }: Pair): Signer =>
  (input) =>
    signBytes(null, Buffer.from(input), privateKey);
export const pss = 6;

/** A token; header and payload may be raw text. */
export function token(header: unknown, payload: unknown, signer: Signer): string {
  const input = `${b64(header)}.${b64(payload)}`;
  return `${input}.${signer(input).toString('base64url')}`;
}

export const good = {
  hs: (payload: unknown = claims, more: Json = {}): string =>
    token({ alg: 'HS256', typ: 'JWT', ...more }, payload, hmac(secret)),
  es: (payload: unknown = claims, more: Json = {}): string =>
    token({ alg: 'ES256', typ: 'JWT', kid: 'ec', ...more }, payload, ecdsa(keys.ec)),
  rs: (payload: unknown = claims): string => token({ alg: 'RS256', kid: 'rsa' }, payload, rsa(keys.rsa)),
  ed: (payload: unknown = claims): string => token({ alg: 'EdDSA', kid: 'ed' }, payload, eddsa(keys.ed)),
};
export const both = (payload: unknown): string[] => [good.hs(payload), good.es(payload)];
export const without = (name: string): Json =>
  Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
export const range = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => from + index * step);
