// Keys to sign with, and what of them may be published.
import { randomUUID } from 'node:crypto';
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
} from 'jose';
import { messageOf, WsbenchError } from '../errors.ts';

const algorithms: Record<string, string> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  OKP: 'EdDSA',
  oct: 'HS256',
  RSA: 'RS256',
};

/** The algorithm of a key: what it says, or what its kind is commonly used with. */
export function algorithmOf({ alg, crv, kty }: JWK): string {
  return alg ?? algorithms[crv ?? ''] ?? algorithms[kty ?? ''] ?? 'RS256';
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
