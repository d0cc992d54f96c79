// From text to a known message, or to the error that says what is wrong with it. Pure.
import { type ClientMessage, type ClientType, clientMessages, type ErrorCode } from './messages.ts';
import { typeHint } from './type-hint.ts';

export type Envelope =
  | { ok: true; type: ClientType; id: string | undefined; message: ClientMessage }
  | { ok: false; type: string | null; id: string | undefined; code: ErrorCode; message: string };

const knownTypes = Object.keys(clientMessages) as ClientType[];
const maxIdLength = 64;

/** Reads one text message that may nest `maxDepth` levels deep. Never throws, whatever the text is. */
export function readEnvelope(text: string, maxDepth: number): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, type: null, id: undefined, code: 'INVALID_JSON', message: 'not JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const message = 'a message is a JSON object with a type';
    return { ok: false, type: null, id: undefined, code: 'INVALID_MESSAGE', message };
  }
  // Object.hasOwn: an own `__proto__` of JSON is data, an inherited name is not.
  const field = (name: string): unknown =>
    Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  const rawId = field('id');
  const rawType = field('type');
  const id = typeof rawId === 'string' && rawId !== '' && rawId.length <= maxIdLength ? rawId : undefined;
  const type = typeof rawType === 'string' ? rawType.slice(0, 64) : null;
  const refuse = (code: ErrorCode, message: string): Envelope => ({ ok: false, type, id, code, message });
  if (rawId !== undefined && id === undefined) {
    return refuse('INVALID_MESSAGE', `id must be a string of 1 to ${maxIdLength} characters`);
  }
  if (typeof rawType !== 'string') return refuse('INVALID_MESSAGE', 'type must be a string');
  if (depthOf(text) > maxDepth) return refuse('TOO_DEEP', `nested more than ${maxDepth} levels deep`);
  if (!isClientType(rawType)) {
    const hint = typeHint(rawType, knownTypes);
    return refuse('UNKNOWN_TYPE', `unknown type${hint === undefined ? '' : `; did you mean ${hint}?`}`);
  }
  const parsed = clientMessages[rawType].safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const path = issue?.path.join('.') ?? '';
    return refuse('INVALID_MESSAGE', `${path === '' ? 'message' : path}: ${issue?.message ?? 'not valid'}`);
  }
  return { ok: true, type: rawType, id, message: parsed.data as ClientMessage };
}

function isClientType(type: string): type is ClientType {
  return Object.hasOwn(clientMessages, type);
}

/** The nesting depth of valid JSON text, without recursion. */
export function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < json.length; index++) {
    const code = json.charCodeAt(index);
    if (inString) {
      if (code === 0x5c) index += 1;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return deepest;
}
