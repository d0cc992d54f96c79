// What a schema says against a value, in words for the person who wrote the file. Pure.
import type { z } from 'zod';
import { meant, nearest } from '../nearest.ts';
import { isSecretName } from '../result/redact.ts';
import type { Spot } from './document.ts';
import { homeOf, keysAt } from './schema-at.ts';

type RawIssue = z.core.$ZodIssue;

/** A mistake in a value, told. */
export interface Told {
  path: PropertyKey[];
  spot: Spot;
  message: string;
}

/** All that a schema says against a value; not what is missing where a key is misspelt. */
export function tell(issues: readonly RawIssue[], schema: z.core.$ZodType, value: unknown): Told[] {
  const misspelt = new Map<string, string[]>();
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') misspelt.set(issue.path.join('/'), issue.keys);
  }
  // A key that is there, misspelt, is not missing as well.
  const isMeant = ({ path }: RawIssue): boolean => {
    const keys = misspelt.get(path.slice(0, -1).join('/')) ?? [];
    return (
      at(value, path) === undefined && keys.some((key) => nearest(key, [String(path.at(-1))]) !== undefined)
    );
  };
  return issues
    .filter((issue) => issue.code !== 'custom' || !misspelt.has(issue.path.join('/')))
    .filter((issue) => issue.code === 'unrecognized_keys' || issue.path.length === 0 || !isMeant(issue))
    .flatMap((issue) => tellOne(issue, schema, value));
}

function tellOne(issue: RawIssue, schema: z.core.$ZodType, value: unknown): Told[] {
  const path = [...issue.path];
  const one = (message: string, spot: Spot = 'value'): Told[] => [{ path, spot, message }];
  const given = at(value, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        spot: 'key',
        message: unknownKey(key, path, schema, value),
      }));
    case 'invalid_type':
      return one(
        given === undefined
          ? 'is missing'
          : `wants ${kinds[issue.expected] ?? issue.expected}, not ${kindOf(given)}`,
      );
    case 'invalid_value':
      return one(none(given, issue.values.map(String), path));
    case 'invalid_union':
      return tellUnion(issue, schema, value, path);
    case 'too_small':
      return one(
        issue.origin === 'number'
          ? `must be at least ${issue.minimum}`
          : issue.minimum === 1
            ? 'must not be empty'
            : `needs at least ${issue.minimum}`,
      );
    case 'too_big':
      return one(`may be at most ${issue.maximum}`);
    case 'invalid_format':
      return one('prefix' in issue ? `must start with ${issue.prefix}` : issue.message);
    case 'invalid_key':
      return one(
        `cannot be a name: ${issue.issues[0]?.message ?? 'it has characters that a name has not'}`,
        'key',
      );
    case 'custom':
      return one(issue.message, spotOf(issue.params));
    default:
      return one(issue.message);
  }
}

/** The options of a union that fits none: those that fit the kind of the value, or what the union itself says. */
function tellUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  schema: z.core.$ZodType,
  value: unknown,
  path: PropertyKey[],
): Told[] {
  const given = at(value, path);
  const { discriminator, options } = issue as { discriminator?: string; options?: unknown[] };
  if (discriminator !== undefined) {
    const known = (options ?? []).map(String);
    if (given === undefined)
      return [{ path, spot: 'value', message: `is missing: one of ${known.join(', ')}` }];
    return [{ path, spot: 'value', message: none(given, known, path) }];
  }
  if (given === undefined) return [{ path, spot: 'value', message: 'is missing' }];
  const near = issue.errors.filter(
    (inner) => !inner.some((one) => one.code === 'invalid_type' && one.path.length === 0),
  );
  const only = near.length === 1 ? near[0] : undefined;
  if (only) {
    return only.flatMap((inner) =>
      tellOne({ ...inner, path: [...path, ...inner.path] } as RawIssue, schema, value),
    );
  }
  return [{ path, spot: 'value', message: `wants ${issue.message}, not ${kindOf(given)}` }];
}

function unknownKey(
  key: string,
  path: readonly PropertyKey[],
  schema: z.core.$ZodType,
  value: unknown,
): string {
  const known = keysAt(schema, value, path) ?? [];
  const home = path.length === 0 && nearest(key, known) === undefined ? homeOf(schema, key) : undefined;
  return `unknown key "${key}"${home === undefined ? meant(key, known) : `; it belongs in ${home}`}`;
}

function none(given: unknown, known: readonly string[], path: readonly PropertyKey[]): string {
  const secret = path.some((step) => isSecretName(String(step), ''));
  const shown = typeof given === 'string' && !secret && given.length <= 60 ? `"${given}"` : kindOf(given);
  const near = typeof given === 'string' ? nearest(given, known) : undefined;
  if (given === undefined) return `is missing: ${known.length === 1 ? '' : 'one of '}${known.join(', ')}`;
  if (known.length === 1) return `must be ${known[0]}, not ${shown}`;
  return `${shown} is none of ${known.join(', ')}${near === undefined ? '' : `; did you mean "${near}"?`}`;
}

/** A check of our own may say which placeholder of a text it is about, or that it is about the key. */
function spotOf(params: Record<string, unknown> | undefined): Spot {
  if (params?.spot === 'key') return 'key';
  const { placeholder, nth } = params ?? {};
  return typeof placeholder === 'string' ? { placeholder, nth: Number(nth ?? 0) } : 'value';
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'null',
};

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'boolean' ? String(value) : (kinds[typeof value] ?? typeof value);
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let inner = value;
  for (const step of path) {
    if (inner === null || typeof inner !== 'object' || !Object.hasOwn(inner, step)) return undefined;
    inner = (inner as Record<PropertyKey, unknown>)[step];
  }
  return inner;
}
