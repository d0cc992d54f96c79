// What is wrong with a target although each of its parts is as it should be. Pure.
import { headerTrouble, subprotocolTrouble } from './headers.ts';
import { list, mapping } from './loose.ts';
import { type Misplaced, misplacedIn } from './placeholders.ts';
import { placeholdersIn } from './template.ts';

type Add = (issue: Misplaced) => void;
type Values = Readonly<Record<string, unknown>>;

/** Tells every mistake of a target that no part alone shows. Takes values that do not fit the schema, too. */
export function mistakesOf(target: unknown, add: Add): void {
  const parts = mapping(target);
  const vars = mapping(parts.vars);
  for (const misplaced of misplacedIn(target, (name) => Object.hasOwn(vars, name))) add(misplaced);
  nestedVariables(vars, add);
  conditionsOfSteps(parts, vars, add);
  matching(parts, vars, add);
  credential(parts, vars, add);
  upgrade(mapping(parts.connect), add);
  const { size, limits } = parts;
  const largest = mapping(limits).size;
  if (typeof size === 'number' && typeof largest === 'number' && size > largest) {
    add({ path: ['size'], message: 'more than limits.size allows' });
  }
}

/** Variables may be made of others, which are not: no circles, and nothing that grows. */
function nestedVariables(vars: Values, add: Add): void {
  const namesIn = (name: string): string[] =>
    placeholdersIn(vars[name]).flatMap((found) => (Object.hasOwn(vars, found.name) ? [found.name] : []));
  for (const name of Object.keys(vars)) {
    for (const inner of new Set(namesIn(name))) {
      const deeper = namesIn(inner)[0];
      if (deeper === undefined) continue;
      const found = placeholdersIn(vars[name], ['vars', name]).find((one) => one.name === inner);
      const message = `{{ ${inner} }} has {{ ${deeper} }} in it; variables may be made of others, but only of plain ones`;
      add({ path: found?.path ?? ['vars', name], message, params: { placeholder: inner, nth: 0 } });
    }
  }
}

function conditionsOfSteps({ join, auth }: Values, vars: Values, add: Add): void {
  const steps = list(join).map((step, index) => ({ step, path: ['join', index] }));
  for (const { step, path } of [...steps, { step: mapping(auth).message, path: ['auth', 'message'] }]) {
    for (const key of ['if', 'unless'] as const) {
      const name = mapping(step)[key];
      if (typeof name !== 'string' || name === 'token' || Object.hasOwn(vars, name)) continue;
      add({ path: [...path, key], message: `${name} is neither token nor a variable of vars` });
    }
  }
}

function matching({ request, match, echoes, push, error }: Values, vars: Values, add: Add): void {
  const { by, pattern } = mapping(match);
  // Variables may bring the id.
  const names = placeholdersIn([request, vars]).map(({ name }) => name);
  const numbered = names.includes('id') || names.includes('seq');
  if (request !== undefined && !numbered && ['marker', 'id', 'regex'].includes(String(by))) {
    add({ path: ['match', 'by'], message: `${by} needs {{ id }} or {{ seq }} in the request` });
  }
  if (by === 'regex' && typeof pattern === 'string' && !hasGroup(pattern)) {
    add({ path: ['match', 'pattern'], message: 'the pattern needs a group (…) around the id' });
  }
  if (mapping(error).id !== undefined && by !== undefined && by !== 'id') {
    add({ path: ['error', 'id'], message: 'goes with match by id' });
  }
  if (by === 'pong' && echoes === true) {
    add({ path: ['echoes'], message: 'a target that does not reply (match by pong) does not echo' });
  }
  if (by === 'pong' && list(push).length > 0) {
    add({ path: ['push'], message: 'means nothing with match by pong: whatever comes is a push' });
  }
}

function credential({ auth, join }: Values, vars: Values, add: Add): void {
  const { in: place, name, value, subprotocol, message } = mapping(auth);
  const holdsToken = (held: unknown): boolean =>
    placeholdersIn(held).some((found) => /^token(\.|$)/.test(found.name));
  if (place === 'message' && message === undefined && value === undefined && !holdsToken([join, vars])) {
    add({ path: ['auth', 'in'], message: 'needs auth.message, or a step of join with {{ token }}' });
  }
  if (typeof value === 'string' && !holdsToken(value)) {
    add({ path: ['auth', 'value'], message: 'holds no {{ token }}: none would be sent' });
  }
  if (typeof subprotocol === 'string' && subprotocol !== '') {
    const trouble = subprotocolTrouble(subprotocol);
    if (trouble) add({ path: ['auth', 'subprotocol'], message: trouble });
  }
  if (typeof name !== 'string') return;
  if (place === 'message' || place === 'subprotocol') {
    add({ path: ['auth', 'name'], message: `a token in a ${place} has no name; value says what is sent` });
  } else if (place !== 'query') {
    const trouble = headerTrouble(name, '');
    if (trouble) add({ path: ['auth', 'name'], message: trouble });
  }
}

function upgrade({ headers, subprotocols }: Values, add: Add): void {
  for (const [name, value] of Object.entries(mapping(headers))) {
    const trouble = headerTrouble(name, typeof value === 'string' ? value : '');
    if (trouble) add({ path: ['connect', 'headers', name], message: trouble, params: { spot: 'key' } });
  }
  const names = list(subprotocols);
  for (const [index, name] of names.entries()) {
    if (typeof name !== 'string' || name === '') continue;
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
