// What is wrong with a target although each of its parts is as it should be. Pure.
import { headerTrouble, subprotocolTrouble } from './headers.ts';
import { type Misplaced, misplacedIn } from './placeholders.ts';
import type { Target } from './shape.ts';
import { placeholdersIn } from './template.ts';

/** The parts of a target that are there: others may not fit the schema. */
type Partial<T> = { [K in keyof T]?: T[K] | undefined };
type Add = (issue: Misplaced) => void;

/** Tells every mistake of a target that no part alone shows. Parts that do not fit the schema may be missing. */
export function mistakesOf(target: Partial<Target>, add: Add): void {
  const vars = target.vars ?? {};
  for (const misplaced of misplacedIn(target, (name) => Object.hasOwn(vars, name))) add(misplaced);
  nestedVariables(vars, add);
  conditionsOfSteps(target, vars, add);
  matching(target, add);
  credential(target, add);
  upgrade(target, add);
  const { size, limits } = target;
  if (size !== undefined && limits?.size !== undefined && size > limits.size) {
    add({ path: ['size'], message: 'more than limits.size allows' });
  }
}

/** Variables may be made of others, which are not: no circles, and nothing that grows. */
function nestedVariables(vars: Readonly<Record<string, unknown>>, add: Add): void {
  const namesIn = (name: string): string[] =>
    placeholdersIn(vars[name]).flatMap((found) => (Object.hasOwn(vars, found.name) ? [found.name] : []));
  for (const name of Object.keys(vars)) {
    for (const inner of new Set(namesIn(name))) {
      const deeper = namesIn(inner)[0];
      if (deeper === undefined) continue;
      const path =
        placeholdersIn(vars[name], ['vars', name]).find((found) => found.name === inner)?.path ?? [];
      const message = `{{ ${inner} }} has {{ ${deeper} }} in it; a variable may be made of others, but not those of others again`;
      add({ path, message, params: { placeholder: inner, nth: 0 } });
    }
  }
}

function conditionsOfSteps(target: Partial<Target>, vars: Readonly<Record<string, unknown>>, add: Add): void {
  const steps = (target.join ?? []).map((step, index) => ({ step, path: ['join', index] }));
  const { message } = target.auth ?? {};
  for (const { step, path } of message ? [...steps, { step: message, path: ['auth', 'message'] }] : steps) {
    for (const key of ['if', 'unless'] as const) {
      const name = step?.[key];
      if (typeof name !== 'string' || name === 'token' || Object.hasOwn(vars, name)) continue;
      add({ path: [...path, key], message: `${name} is neither token nor a variable of vars` });
    }
  }
}

function matching({ request, match, vars = {}, echoes, push = [] }: Partial<Target>, add: Add): void {
  if (match === undefined || typeof match.by !== 'string') return;
  // Variables may bring the id.
  const names = placeholdersIn([request, vars]).map(({ name }) => name);
  const numbered = names.includes('id') || names.includes('seq');
  if (request !== undefined && !numbered && ['marker', 'id', 'regex'].includes(match.by)) {
    add({ path: ['match', 'by'], message: `${match.by} needs {{ id }} or {{ seq }} in the request` });
  }
  if (match.by === 'regex' && typeof match.pattern === 'string' && !hasGroup(match.pattern)) {
    add({ path: ['match', 'pattern'], message: 'the pattern needs a group (…) around the id' });
  }
  if (match.by === 'pong' && echoes === true) {
    add({ path: ['echoes'], message: 'a target that does not reply (match by pong) does not echo' });
  }
  if (match.by === 'pong' && push.length > 0) {
    add({ path: ['push'], message: 'means nothing with match by pong: whatever comes is a push' });
  }
}

function credential({ auth, join = [] }: Partial<Target>, add: Add): void {
  if (!auth) return;
  const holdsToken = (value: unknown): boolean =>
    placeholdersIn(value).some(({ name }) => /^token(\.|$)/.test(name));
  if (auth.in === 'message' && auth.message === undefined && auth.value === undefined && !holdsToken(join)) {
    add({ path: ['auth', 'in'], message: 'needs auth.message, or a step of join with {{ token }}' });
  }
  if (typeof auth.value === 'string' && !holdsToken(auth.value)) {
    add({ path: ['auth', 'value'], message: 'holds no {{ token }}: none would be sent' });
  }
  if (auth.name === undefined) return;
  if (auth.in === 'message' || auth.in === 'subprotocol') {
    add({
      path: ['auth', 'name'],
      message: `a token in a ${auth.in} has no name; its place is told by value`,
    });
  } else if (auth.in !== 'query') {
    const trouble = headerTrouble(auth.name, '');
    if (trouble) add({ path: ['auth', 'name'], message: trouble });
  }
}

function upgrade({ connect }: Partial<Target>, add: Add): void {
  for (const [name, value] of Object.entries(connect?.headers ?? {})) {
    const trouble = headerTrouble(name, typeof value === 'string' ? value : '');
    if (trouble) add({ path: ['connect', 'headers', name], message: trouble, params: { spot: 'key' } });
  }
  const names = connect?.subprotocols ?? [];
  for (const [index, name] of names.entries()) {
    const trouble = names.indexOf(name) < index ? 'offered twice' : subprotocolTrouble(name);
    if (trouble) add({ path: ['connect', 'subprotocols', index], message: trouble });
  }
}

/** Whether a regular expression has a capturing group: with an empty alternative it matches anything. */
function hasGroup(pattern: string): boolean {
  try {
    return (new RegExp(`${pattern}|`, 'u').exec('')?.length ?? 1) > 1;
  } catch {
    return true; // It is none, which its own schema says.
  }
}
