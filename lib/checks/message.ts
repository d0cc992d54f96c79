// Messages of the reference protocol as a tester sees them: anything may be missing or wrong.
import { redactText } from '../result/redact.ts';

/** A message that is a JSON object with a type. Everything else in it is unproven. */
export interface Envelope {
  type: string;
  id?: string;
  payload: Record<string, unknown>;
}

/** A request and every message that carried its id. */
export interface Exchange {
  type: string;
  id: string;
  answers: Envelope[];
}

/** What WELCOME announces and checks go by. */
export interface Welcome {
  sub: string | null;
  roles: string[];
  heartbeat: { intervalMs: number; timeoutMs: number };
  limits: Limits;
  maxMessageBytes: number;
}

/** Limits in force; null where there is none. */
export interface Limits {
  name: string;
  messagesPerMinute: number | null;
  burstLimit: number | null;
  violationPenaltyMs: number | null;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** Reads a text message as an envelope, if it is one. A payload that is no object becomes `{ value }`. */
export function readEnvelope(text: string): Envelope | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value) || typeof value.type !== 'string') return undefined;
    const payload = isObject(value.payload)
      ? value.payload
      : value.payload === undefined
        ? {}
        : { value: value.payload };
    return { type: value.type, ...(typeof value.id === 'string' ? { id: value.id } : {}), payload };
  } catch {
    return undefined;
  }
}

const finiteOrNull = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

/** Reads a WELCOME; undefined when what checks go by is missing. */
export function readWelcome(envelope: Envelope): Welcome | undefined {
  const { sub, roles, heartbeat, limits, maxMessageBytes } = envelope.payload;
  if (envelope.type !== 'WELCOME' || !isObject(heartbeat) || !isObject(limits)) return undefined;
  const { intervalMs, timeoutMs } = heartbeat;
  if (
    typeof intervalMs !== 'number' ||
    typeof timeoutMs !== 'number' ||
    typeof maxMessageBytes !== 'number' ||
    !Array.isArray(roles) ||
    typeof limits.name !== 'string'
  ) {
    return undefined;
  }
  return {
    sub: typeof sub === 'string' ? sub : null,
    roles: roles.map(String),
    heartbeat: { intervalMs, timeoutMs },
    limits: {
      name: limits.name,
      messagesPerMinute: finiteOrNull(limits.messagesPerMinute),
      burstLimit: finiteOrNull(limits.burstLimit),
      violationPenaltyMs: finiteOrNull(limits.violationPenaltyMs),
    },
    maxMessageBytes,
  };
}

/** Longer than any token. */
const lookedAt = 65_536;

/** How a message begins, in quotes, for a report. Secrets are masked first: half a token would not be known for one. */
export function excerptOf(data: Buffer | string): string {
  const text = redactText(data.toString().slice(0, lookedAt));
  const begin = JSON.stringify(text.slice(0, 80));
  return text.length > 80 ? `${begin}…` : begin;
}

/** A message in a few words, for a report: `ERROR FORBIDDEN`, `ACK for COMMAND`, `PONG`. */
export function describeMessage({ type, payload }: Envelope): string {
  if (type === 'ERROR') return `ERROR ${String(payload.code)} (${String(payload.message)})`;
  if (type === 'ACK') return payload.for === undefined ? 'a bare ACK' : `ACK for ${String(payload.for)}`;
  return type;
}

/** The answers of an exchange in words. */
export function describeAnswers({ answers }: Pick<Exchange, 'answers'>): string {
  if (answers.length === 0) return 'no answer';
  const said = answers.map(describeMessage).join(' and ');
  return answers.length === 1 ? said : `${answers.length} answers: ${said}`;
}

/** The answer of this type. That there is no other one is for the check of typed answers to say. */
export function answerOf({ answers }: Pick<Exchange, 'answers'>, type: string): Envelope | undefined {
  return answers.find((answer) => answer.type === type);
}

/** The ACK for the type of this request. */
export function ackOf({ type, answers }: Exchange): Envelope | undefined {
  return answers.find((answer) => answer.type === 'ACK' && answer.payload.for === type);
}
