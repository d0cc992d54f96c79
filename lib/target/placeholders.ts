// Which placeholders may stand where in a target, and those that may not. Pure.
import { list, mapping } from './loose.ts';
import { placeholdersIn, textsIn } from './template.ts';

/** A placeholder that means nothing where it stands. */
export interface Misplaced {
  path: (string | number)[];
  message: string;
  /** What stands in its braces, and which of the same in its text it is. */
  params?: { placeholder: string; nth: number } | { spot: 'key' };
}

type Allowed = (name: string) => boolean;

const none: Allowed = () => false;
const isToken: Allowed = (name) => name === 'token' || name === 'token.base64url';
const ofConnection: Allowed = (name) => name === 'connection' || isToken(name);
const ofRequest: Allowed = (name) => ['id', 'seq', 'pad'].includes(name) || ofConnection(name);

interface Part {
  path: (string | number)[];
  value: unknown;
  allowed: Allowed;
  /** A message came before, to point into. */
  after: boolean;
}

/** Every placeholder of a target that has no meaning where it stands. Takes values that do not fit the schema, too. */
export function misplacedIn(target: unknown, isVariable: (name: string) => boolean): Misplaced[] {
  return partsOf(target).flatMap(({ path, value, allowed, after }) => {
    const counts = new Map<string, number>();
    const found: Misplaced[] = placeholdersIn(value, path).flatMap(({ name, path: where }) => {
      const key = `${where.join('/')} ${name}`;
      const nth = counts.get(key) ?? 0;
      counts.set(key, nth + 1);
      // A regular expression takes none at all, as its schema says.
      if (allowed === none && /^(matches|pattern)$/.test(String(where.at(-1)))) return [];
      const isPointer = name.startsWith('/');
      if (name.startsWith('env.') || isVariable(name) || allowed(name) || (isPointer && after)) return [];
      return [{ path: where, message: why(name, isPointer), params: { placeholder: name, nth } }];
    });
    return [...found, ...textsIn(value, path).flatMap(unreadable)];
  });
}

function why(name: string, isPointer: boolean): string {
  if (isPointer) return `{{ ${name} }} points into a message, and none came before`;
  const elsewhere = /^(id|seq|pad)$/.test(name)
    ? 'it belongs in the request'
    : /^(token|token\.base64url|connection)$/.test(name)
      ? 'it belongs in what is sent'
      : 'variables are declared in vars';
  return `{{ ${name} }} means nothing here; ${elsewhere}`;
}

/** Braces that are no placeholder, and placeholders in keys: they would be sent as they stand. */
function unreadable({
  text,
  path,
  isKey,
}: {
  text: string;
  path: (string | number)[];
  isKey: boolean;
}): Misplaced[] {
  if (isKey) {
    const inKey = placeholdersIn(text).length > 0;
    return inKey
      ? [{ path, message: 'placeholders in keys are not filled in', params: { spot: 'key' } }]
      : [];
  }
  const rest = text.replace(/\{\{\s*[^{}\s]+\s*\}\}/g, '');
  const braces = /\{\{\s*([^{}\s]*)[^{}]*(\}\}?)?/.exec(rest);
  if (!braces) return [];
  const message = `${braces[0].trim().slice(0, 40)} is no placeholder; write one like {{ name }}`;
  return [{ path, message, params: { placeholder: braces[1] ?? '', nth: 0 } }];
}

/** The parts of a target with what may be filled in there. Conditions take variables only. */
function partsOf(target: unknown): Part[] {
  const { connect, auth, join, heartbeat, request, error, push, match } = mapping(target);
  const { message, refresh, ...credential } = mapping(auth);
  const { when, send: fresh, ...answers } = mapping(refresh);
  const { every: _, send: beat, reply } = mapping(heartbeat);
  return [
    { path: ['connect'], value: connect, allowed: none, after: false },
    { path: ['auth'], value: credential, allowed: isToken, after: false },
    ...stepParts(message, ['auth', 'message'], false),
    { path: ['auth', 'refresh'], value: { when, ...answers }, allowed: none, after: false },
    { path: ['auth', 'refresh', 'send'], value: fresh, allowed: ofConnection, after: when !== undefined },
    ...list(join).flatMap((step, index) =>
      stepParts(step, ['join', index], waitsBefore(list(join), index, message)),
    ),
    { path: ['heartbeat', 'send'], value: beat, allowed: ofConnection, after: false },
    ...list(reply).flatMap((item, index) => stepParts(item, ['heartbeat', 'reply', index], true)),
    { path: ['request'], value: request, allowed: ofRequest, after: false },
    { path: ['match'], value: match, allowed: none, after: false },
    { path: ['error'], value: error, allowed: none, after: false },
    { path: ['push'], value: push, allowed: none, after: false },
  ];
}

function stepParts(step: unknown, path: (string | number)[], after: boolean): Part[] {
  const { send, if: _if, unless: _unless, ...conditions } = mapping(step);
  return [
    { path: [...path, 'send'], value: send, allowed: ofConnection, after },
    { path, value: conditions, allowed: none, after: false },
  ];
}

/** Whether a step of `join` may have waited for a message before this one. */
function waitsBefore(steps: readonly unknown[], index: number, message: unknown): boolean {
  return [message, ...steps.slice(0, index)].some((step) => mapping(step).expect !== undefined);
}
