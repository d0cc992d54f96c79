// Keys to sign with, and what of them may be published.
import { createPrivateKey, generateKeyPair, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, importJWK, type JSONWebKeySet, type JWK } from 'jose';
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

const generate = promisify(generateKeyPair);
const publicKeyEncoding = { type: 'spki', format: 'pem' } as const;
const privateKeyEncoding = { type: 'pkcs8', format: 'pem' } as const;

const generators = {
  ES256: () => generate('ec', { namedCurve: 'P-256', publicKeyEncoding, privateKeyEncoding }),
  RS256: () => generate('rsa', { modulusLength: 2048, publicKeyEncoding, privateKeyEncoding }),
  EdDSA: () => generate('ed25519', { publicKeyEncoding, privateKeyEncoding }),
};

/** A new key, ES256 by default: the private JWK to sign with, and the public set to verify with. */
export async function generateSigningKey(
  alg: keyof typeof generators = 'ES256',
): Promise<{ jwk: JWK; jwks: JSONWebKeySet }> {
  // By way of PEM: Node 20 waits for ever when the garbage collector takes the job that generated a key in the midst of
  // exporting it, because both hold the key's one lock. What was read from text has no such job.
  const { privateKey } = await generators[alg]();
  const bare = createPrivateKey(privateKey).export({ format: 'jwk' }) as JWK;
  const jwk = { ...bare, kid: randomUUID(), alg, use: 'sig' };
  return { jwk, jwks: { keys: [await publicJwk(jwk)] } };
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
