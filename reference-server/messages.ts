// The reference protocol, version 1: every message, in both directions. docs/protocol.md explains them.
import { z } from 'zod';

/** Version announced in WELCOME. */
export const protocolVersion = 1;

/** Every code that an ERROR may carry. */
export const errorCodes = [
  'INVALID_JSON',
  'INVALID_MESSAGE',
  'UNKNOWN_TYPE',
  'UNAUTHENTICATED',
  'AUTH_UNAVAILABLE',
  'FORBIDDEN',
  'RATE_LIMITED',
  'NOT_DELIVERED',
  'LIMIT_EXCEEDED',
  'UNSUPPORTED_DATA',
  'TOO_LARGE',
  'TOO_DEEP',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

const id = z.string().min(1).max(64);
const name = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\w.:/-]+$/, 'letters, digits and . : / - _ only');
const text = z.string().min(1).max(256);
const offset = z.int().min(0);

const message = <T extends string, P extends z.ZodType>(type: T, payload: P) =>
  z.object({ type: z.literal(type), id: id.optional(), timestamp: z.number().optional(), payload });

const anything = z.record(z.string(), z.unknown()).optional();

/** What a client may send, by type. Unknown fields are ignored. */
export const clientMessages = {
  PING: message('PING', anything),
  PONG: message('PONG', anything),
  ECHO: message('ECHO', z.unknown().optional()),
  AUTH: message('AUTH', z.object({ token: z.string().min(1) })),
  DASHBOARD_CONNECT: message('DASHBOARD_CONNECT', anything),
  SUBSCRIBE: message(
    'SUBSCRIBE',
    z.object({ channel: name, since: z.object({ epoch: text, offset }).optional() }),
  ),
  UNSUBSCRIBE: message('UNSUBSCRIBE', z.object({ channel: name })),
  COMMAND: message('COMMAND', z.object({ agentId: name, command: text, args: z.unknown().optional() })),
  PUBLISH: message('PUBLISH', z.object({ channel: name, data: z.unknown() })),
  AGENT_CONNECT: message('AGENT_CONNECT', z.object({ agentId: name })),
  AGENT_STATUS: message(
    'AGENT_STATUS',
    z.object({ status: z.enum(['online', 'idle', 'busy']), detail: z.string().max(256).optional() }),
  ),
  COMMAND_RESULT: message(
    'COMMAND_RESULT',
    z.object({ commandId: id, status: z.enum(['ok', 'error']), result: z.unknown().optional() }),
  ),
} as const;

export type ClientType = keyof typeof clientMessages;
export type ClientMessage = { [T in ClientType]: z.output<(typeof clientMessages)[T]> }[ClientType];

const agentStatus = z.enum(['online', 'idle', 'busy', 'offline']);

const limits = z.strictObject({
  name: z.enum(['development', 'production', 'test', 'off']),
  messagesPerMinute: z.number().nullable(),
  burstLimit: z.number().nullable(),
  violationPenaltyMs: z.number().nullable(),
});

const reply = <T extends string, P extends z.ZodType>(type: T, payload: P) =>
  z.strictObject({ type: z.literal(type), id: id.optional(), timestamp: z.number(), payload });

const ackFor = <T extends ClientType, S extends z.ZodRawShape>(type: T, context: S) =>
  z.strictObject({ for: z.literal(type), duplicate: z.literal(true).optional(), ...context });

/** The context that an ACK carries beside `for`, by the type that it answers. */
export const acks = {
  AUTH: ackFor('AUTH', { sub: z.string(), roles: z.array(z.string()), expiresAt: z.number() }),
  DASHBOARD_CONNECT: ackFor('DASHBOARD_CONNECT', {
    sessionId: z.string(),
    agents: z.array(z.strictObject({ agentId: z.string(), status: agentStatus })),
  }),
  SUBSCRIBE: ackFor('SUBSCRIBE', { channel: z.string(), epoch: z.string(), offset, recovered: z.boolean() }),
  UNSUBSCRIBE: ackFor('UNSUBSCRIBE', { channel: z.string() }),
  COMMAND: ackFor('COMMAND', { agentId: z.string(), commandId: z.string() }),
  PUBLISH: ackFor('PUBLISH', { channel: z.string(), epoch: z.string(), offset, receivers: z.number() }),
  AGENT_CONNECT: ackFor('AGENT_CONNECT', { agentId: z.string(), sessionId: z.string() }),
  AGENT_STATUS: ackFor('AGENT_STATUS', { agentId: z.string(), status: agentStatus }),
  COMMAND_RESULT: ackFor('COMMAND_RESULT', { commandId: z.string() }),
} as const;

/** What the server may send, by type. */
export const serverMessages = {
  WELCOME: reply(
    'WELCOME',
    z.strictObject({
      protocol: z.literal(protocolVersion),
      connectionId: z.string(),
      /** `ephemeral`: the server made its own key at start; nobody should mistake that for real authentication. */
      auth: z.enum(['secret', 'jwks', 'ephemeral']),
      /** Null while anonymous. */
      sub: z.string().nullable(),
      roles: z.array(z.string()),
      heartbeat: z.strictObject({ intervalMs: z.number(), timeoutMs: z.number() }),
      limits,
      maxMessageBytes: z.number(),
      serverTime: z.number(),
    }),
  ),
  PING: reply('PING', z.strictObject({ serverTime: z.number() })),
  PONG: reply('PONG', z.strictObject({ serverTime: z.number() })),
  ECHO: reply('ECHO', z.unknown().optional()),
  ACK: reply('ACK', z.discriminatedUnion('for', Object.values(acks) as unknown as [(typeof acks)['AUTH']])),
  ERROR: reply(
    'ERROR',
    z.strictObject({
      /** The type that was refused; null when it could not be read. */
      for: z.string().nullable(),
      code: z.enum(errorCodes),
      message: z.string(),
      retryAfterMs: z.number().optional(),
      /** Refusals since the last ERROR RATE_LIMITED. */
      suppressed: z.number().optional(),
    }),
  ),
  TOKEN_EXPIRING: reply('TOKEN_EXPIRING', z.strictObject({ inMs: z.number() })),
  DRAIN: reply('DRAIN', z.strictObject({ minMs: z.number(), maxMs: z.number() })),
  GAP: reply('GAP', z.strictObject({ channel: z.string(), epoch: z.string(), offset })),
  AGENT_STATUS: reply(
    'AGENT_STATUS',
    z.strictObject({ agentId: z.string(), status: agentStatus, detail: z.string().optional() }),
  ),
  COMMAND: reply(
    'COMMAND',
    z.strictObject({
      commandId: z.string(),
      agentId: z.string(),
      command: z.string(),
      args: z.unknown().optional(),
    }),
  ),
  COMMAND_RESULT: reply(
    'COMMAND_RESULT',
    z.strictObject({
      commandId: z.string(),
      agentId: z.string(),
      status: z.enum(['ok', 'error', 'timeout']),
      result: z.unknown().optional(),
    }),
  ),
  MESSAGE: reply(
    'MESSAGE',
    z.strictObject({ channel: z.string(), epoch: z.string(), offset, data: z.unknown() }),
  ),
} as const;

export type ServerType = keyof typeof serverMessages;
export type ServerMessage = { [T in ServerType]: z.output<(typeof serverMessages)[T]> }[ServerType];
