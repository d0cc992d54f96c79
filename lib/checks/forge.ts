// Tokens that no server may accept, made from one that it accepts, so that nothing but the flaw gives a reason to refuse them.
import { randomBytes } from 'node:crypto';
import { keepSecret } from '../result/redact.ts';
import { generateSigningKey, mintToken, unsignedToken } from '../token.ts';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function decode(part: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString());
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** The claims of a token, unverified; empty when it is not a JWT. */
export function claimsOf(token: string): Record<string, unknown> {
  return decode(token.split('.')[1]);
}

/** True for three parts, the first of which names an algorithm. */
export function isJwt(token: string): boolean {
  const parts = token.split('.');
  return parts.length === 3 && typeof decode(parts[0]).alg === 'string';
}

/** A token that is no JWT with one character replaced. Almost the real one, so it must not be shown either. */
export function withAlteredCharacter(token: string): string {
  const at = Math.floor(token.length / 2);
  const altered = `${token.slice(0, at)}${token[at] === 'x' ? 'y' : 'x'}${token.slice(at + 1)}`;
  keepSecret(altered);
  return altered;
}

/** The same claims with another `sub` under the old signature. */
export function withAlteredClaims(token: string): string {
  const [header, payload, signature] = token.split('.');
  return `${header}.${encode({ ...decode(payload), sub: 'somebody-else' })}.${signature}`;
}

/** The same claims, signed with the same algorithm by a key of ours; `kid` as in the token. */
export async function withForeignSignature(token: string): Promise<string> {
  const { alg, kid } = decode(token.split('.')[0]);
  const claims = claimsOf(token);
  if (String(alg).startsWith('HS')) {
    return mintToken({ secret: randomBytes(48).toString('base64url') }, { claims });
  }
  const { jwk } = await generateSigningKey();
  return mintToken({ jwk: typeof kid === 'string' ? { ...jwk, kid } : jwk }, { claims });
}

/** The same claims unsigned, with `alg` spelled in the ways that filters have missed (RFC 8725 §3.1). */
export function withoutSignature(token: string): string[] {
  const claims = claimsOf(token);
  const [, payload] = unsignedToken({ claims }).split('.');
  return ['none', 'nOnE'].map((alg) => `${encode({ alg, typ: 'JWT' })}.${payload}.`);
}
