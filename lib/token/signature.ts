// Whether a signature is good, whatever a token claims: for people who look into one.
import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet, type JWK } from 'jose';
import { decoded } from './compact.ts';
import { explain } from './failure.ts';
import { publicJwk } from './keys.ts';

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
