// docs/asyncapi.yaml as tests read it: references followed, and each message with a validator that is not ours.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { parse } from 'yaml';

interface Reference {
  $ref: string;
}

interface Listed {
  messages: Reference[];
}

interface Operation extends Listed {
  action: 'send' | 'receive';
  channel: Reference;
  reply?: Listed & { channel: Reference };
  traits?: Reference[];
}

interface AsyncApi {
  channels: Record<string, { address: string; messages: Record<string, Reference> }>;
  operations: Record<string, Operation>;
  components: {
    messages: Record<string, { name: string; payload: object; examples: { payload: unknown }[] }>;
  };
  'x-close-codes': { code: number; reasons: string[] }[];
  'x-handshake-refusals': { status: number }[];
}

// From dist/test/reference-server to the root of the package.
const docs = new URL('../../../docs/', import.meta.url);

/** The text of docs/protocol.md. */
export const protocolText = readFileSync(new URL('protocol.md', docs), 'utf8');
/** The text of docs/asyncapi.yaml. */
export const asyncapiText = readFileSync(new URL('asyncapi.yaml', docs), 'utf8');
export const asyncapi = parse(asyncapiText) as AsyncApi;

const ajv = new Ajv({ strict: true, allErrors: true, strictTypes: false });
const validators = new Map<string, ValidateFunction>(
  Object.entries(asyncapi.components.messages).map(([key, { payload }]) => [key, ajv.compile(payload)]),
);

/** What a `#/…` reference points to. */
export function resolve({ $ref }: Reference): unknown {
  const value = $ref
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], asyncapi);
  assert.ok(value !== undefined, `${$ref} leads nowhere`);
  return value;
}

/** The keys of the messages that a list of a channel names. */
export const keysOf = ({ messages }: Listed): string[] =>
  messages.map(({ $ref }) => $ref.split('/').at(-1) ?? '');

/** Whether `value` is what the schema of that message says. */
export function fits(key: string, value: unknown): boolean {
  const validate = validators.get(key);
  assert.ok(validate, key);
  return validate(value);
}
