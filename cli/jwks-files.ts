// Files with JSON Web Keys: one key, or a set of them.
import { WsbenchError } from '../lib/errors.ts';
import type { JWK } from '../lib/token.ts';
import type { Io } from './io.ts';
import { isJwk, isObject, keepKey } from './jwk.ts';
import { readText } from './options.ts';

/**
 * The keys of a file that holds a JWK or a JWKS. What is private in them is masked in every output from then on.
 *
 * @throws WsbenchError `USAGE` when it cannot be read or is neither
 */
export function readJwks(path: string, option: string, io: Io): JWK[] {
  const text = readText(path, option, io);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const keys = isObject(value) && Array.isArray(value.keys) ? (value.keys as unknown[]) : [value];
  if (!keys.every(isJwk)) {
    throw new WsbenchError(
      'USAGE',
      `${option}: ${path} is neither a JSON Web Key (JWK) nor a set of them (JWKS)`,
    );
  }
  keys.forEach(keepKey);
  return keys;
}
