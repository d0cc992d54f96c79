// Messages and texts of a target file with `{{ placeholders }}`. Pure, and no language: a name stands for a value.
import { z } from 'zod';

/** Schema of a message: text as it is sent, or a mapping or list that is sent as JSON. */
export const messageSchema = z
  .union([z.string().min(1), z.record(z.string(), z.unknown()), z.array(z.unknown())], {
    error: 'a text, or a mapping or list that is sent as JSON',
  })
  .meta({
    id: 'message',
    description:
      'A message: text that is sent as it is, or a mapping or list that is sent as JSON. {{ placeholders }} are filled in.',
  });

/** A message of a target file. */
export type MessageSource = z.output<typeof messageSchema>;

const placeholder = /\{\{\s*([^{}\s]+)\s*\}\}/g;

/** Every name that stands in `{{ }}` anywhere in a value, with the path to the text that holds it. */
export function placeholdersIn(
  value: unknown,
  path: readonly (string | number)[] = [],
): { name: string; path: (string | number)[] }[] {
  if (typeof value === 'string') {
    return [...value.matchAll(placeholder)].map((match) => ({ name: match[1] ?? '', path: [...path] }));
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => placeholdersIn(item, [...path, index]));
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => placeholdersIn(inner, [...path, key]));
}

/** Every text in a value, keys of mappings too, with its path. */
export function textsIn(
  value: unknown,
  path: readonly (string | number)[] = [],
): { text: string; path: (string | number)[]; isKey: boolean }[] {
  if (typeof value === 'string') return [{ text: value, path: [...path], isKey: false }];
  if (Array.isArray(value)) return value.flatMap((item, index) => textsIn(item, [...path, index]));
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    { text: key, path: [...path, key], isKey: true },
    ...textsIn(inner, [...path, key]),
  ]);
}

/**
 * A copy of a value with the placeholders in all its texts replaced by what `lookup` says; undefined leaves one as it is.
 * A text that is nothing but one placeholder takes over the type of its value.
 */
export function substitute<T>(value: T, lookup: (name: string) => unknown): T {
  return substituteAny(value, lookup) as T;
}

function substituteAny(value: unknown, lookup: (name: string) => unknown): unknown {
  if (typeof value === 'string') {
    const whole = /^\{\{\s*([^{}\s]+)\s*\}\}$/.exec(value)?.[1];
    const found = whole === undefined ? undefined : lookup(whole);
    if (found !== undefined) return found;
    return value.replace(placeholder, (all, name: string) => {
      const one = lookup(name);
      if (one === undefined) return all;
      return typeof one === 'string' ? one : JSON.stringify(one);
    });
  }
  if (Array.isArray(value)) return value.map((item) => substituteAny(item, lookup));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, substituteAny(inner, lookup)]));
}

/** The text of a message: itself, or its JSON. */
export function messageText(message: MessageSource): string {
  return typeof message === 'string' ? message : JSON.stringify(message);
}
