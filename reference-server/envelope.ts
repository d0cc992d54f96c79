// From text to a known message, or to the error that says what is wrong with it. Pure.
import { pathOfLossyNumber, scanJson } from './json-scan.ts';
import { type ClientMessage, type ClientType, clientMessages, type ErrorCode } from './messages.ts';
import { typeHint } from './type-hint.ts';

export type Envelope =
  | { ok: true; type: ClientType; id: string | undefined; message: ClientMessage }
  | { ok: false; type: string | null; id: string | undefined; code: ErrorCode; message: string };

const knownTypes = Object.keys(clientMessages) as ClientType[];
const maxIdLength = 64;
/** Keys are the client's: what quotes them is cut. */
const maxExplanation = 256;

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
    return refuse('INVALID_MESSAGE', `/id: must be a string of 1 to ${maxIdLength} characters`);
  }
  if (typeof rawType !== 'string') return refuse('INVALID_MESSAGE', '/type: must be a string');
  const { depth, hasLossyNumber } = scanJson(text);
  if (depth > maxDepth) return refuse('TOO_DEEP', `nested more than ${maxDepth} levels deep`);
  if (!isClientType(rawType)) {
    const hint = typeHint(rawType, knownTypes);
    return refuse('UNKNOWN_TYPE', `unknown type${hint === undefined ? '' : `; did you mean ${hint}?`}`);
  }
  const parsed = clientMessages[rawType].safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const said = `${pointerOf(issue?.path ?? [])}: ${issue?.message ?? 'not valid'}`;
    return refuse('INVALID_MESSAGE', said.slice(0, maxExplanation));
  }
  if (hasLossyNumber) {
    const pointer = pointerOf(pathOfLossyNumber(value) ?? []).slice(0, maxExplanation);
    return refuse('INVALID_MESSAGE', `${pointer}: this number would change; send it as text`);
  }
  return { ok: true, type: rawType, id, message: parsed.data as ClientMessage };
}

function isClientType(type: string): type is ClientType {
  return Object.hasOwn(clientMessages, type);
}

/** A JSON Pointer (RFC 6901) to what a path leads to; empty for the whole message. */
function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
