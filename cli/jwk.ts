// What a JSON Web Key is, and what of it is secret.
import { keepSecret } from '../lib/result/redact.ts';
import type { JWK } from '../lib/token.ts';

const privateParts = ['d', 'k', 'p', 'q', 'dp', 'dq', 'qi'] as const;

/** Has the private parts of a key masked in every output from then on. */
export function keepKey(key: JWK): void {
  for (const part of privateParts) {
    const value = key[part];
    if (typeof value === 'string') keepSecret(value);
  }
}

/** Whether a value has the form of a key. */
export function isJwk(value: unknown): value is JWK {
  return isObject(value) && typeof value.kty === 'string';
}

/** Whether a value is an object or list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object';
}
