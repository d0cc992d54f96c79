// What may be a shared secret. Pure.

/** HS256 is as strong as its key: RFC 7518 §3.2 wants 256 bits. */
export const minSecretBytes = 32;

const fewestLetters = 8;

/** Secrets that stand in documents and images for everybody to read. */
const published = new Set([
  'your-super-secret-jwt-token-with-at-least-32-characters-long',
  'super-secret-jwt-token-with-at-least-32-characters-long',
]);

/**
 * Why a text can never be a shared secret; undefined: it can. With a public key as the secret, everybody could sign
 * (RFC 8725 §2.1).
 */
export function noSecret(text: string): string | undefined {
  if (text.trim() === '') return 'the secret is empty';
  if (/-----BEGIN /.test(text))
    return 'the secret is a key or certificate in PEM; publish keys as a JWKS instead';
  if (/"kty"\s*:/.test(text)) return 'the secret is a JSON Web Key; publish keys as a JWKS instead';
  return undefined;
}

/** Why a secret is too weak to protect anything; undefined: it is not. */
export function weakSecret(secret: string): string | undefined {
  const bytes = Buffer.byteLength(secret);
  if (bytes < minSecretBytes)
    return `the secret has ${bytes} bytes; production needs at least ${minSecretBytes}`;
  if (published.has(secret)) return 'the secret is one that Supabase documents as an example; make your own';
  if (new Set(secret).size < fewestLetters) {
    return `the secret has fewer than ${fewestLetters} different characters; make a random one`;
  }
  return undefined;
}
