// The words that stand in every output, whatever is tested: those of the result's schema, and some that messages are made of.
import { z } from 'zod';
import { resultSchema } from './schema.ts';

const ofMessages = [
  'wsbench',
  'websocket',
  'localhost',
  'redacted',
  'subprotocol',
  'reference-server',
  'authenticated',
  'authorization',
  'bearer',
  'cookie',
  'password',
  'secret',
  'tokens',
];

let words: string[] | undefined;

/**
 * Whether a text is a part of such a word. Masking one would break the result (`"kind": "[redacted]"`), and tell the secret:
 * everybody knows what stands there.
 */
export function isPartOfOwnWord(text: string): boolean {
  if (!/^[a-z\d_.-]+$/i.test(text)) return false;
  words ??= [...ofMessages, ...wordsOf(z.toJSONSchema(resultSchema, { unrepresentable: 'any' }))];
  return words.some((word) => word.includes(text));
}

/** The names of members and the fixed values in a JSON Schema. */
function wordsOf(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(wordsOf);
  if (schema === null || typeof schema !== 'object') return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    const fixed = (key === 'enum' ? value : key === 'const' ? [value] : []) as unknown[];
    const names = key === 'properties' ? Object.keys(value) : [];
    return [...names, ...fixed.filter((one) => typeof one === 'string'), ...wordsOf(value)];
  });
}
