// What comes from the server, checked as far as this client relies on it.

/**
 * A message of the server.
 *
 * @example
 * import { createClient, type ServerMessage } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws', { token: getToken });
 * const pushed: ServerMessage[] = [];
 * client.on('push', (message) => pushed.push(message)); // such as AGENT_STATUS
 * await client.connect();
 * await client.request('DASHBOARD_CONNECT');
 * await client.close();
 */
export interface ServerMessage {
  type: string;
  /** That of the request that it answers. */
  id?: string;
  timestamp?: number;
  payload?: unknown;
}

/** The fields of a payload, whatever it is. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * What the server says of itself and of the connection.
 *
 * @example
 * import { createClient, type Welcome } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws', { token: getToken });
 * const welcome: Welcome = await client.connect();
 * console.log(welcome.sub); // whom the token names
 * await client.close();
 */
export interface Welcome {
  connectionId: string;
  /** Whom the token names; null while anonymous. */
  sub: string | null;
  roles: readonly string[];
  heartbeat: { intervalMs: number; timeoutMs: number };
  /** What this connection may send; undefined without limits. */
  limits: { messagesPerMinute: number; burstLimit: number } | undefined;
  /** Longer messages would close the connection. */
  maxMessageBytes: number;
  /** The server's clock, in milliseconds since the epoch. */
  serverTime: number | undefined;
}

// Nothing below is worth a look at each character: what nests in so few takes little memory.
const longText = 64 * 1024;
const maxDepth = 1000;

/** Whether JSON nests so deep that reading it would take many times its size. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length && depth <= maxDepth; at++) {
    const character = text[at] as string;
    if (inString && character === '\\') at++;
    else if (character === '"') inString = !inString;
    else if (!inString) depth += Number('[{'.includes(character)) - Number(']}'.includes(character));
  }
  return depth > maxDepth;
}

/** The message in a text, or undefined when there is none. */
export function readMessage(text: string): ServerMessage | undefined {
  if (text.length > longText && isTooDeep(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { type, id } = value as Fields;
    if (typeof type !== 'string' || (id !== undefined && typeof id !== 'string')) return undefined;
    return value as ServerMessage;
  } catch {
    return undefined;
  }
}

/** The fields of a message's payload; none when it has another form. */
export function fieldsOf({ payload }: ServerMessage): Fields {
  return typeof payload === 'object' && payload !== null ? (payload as Fields) : {};
}

/** A field that has to be a text. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A field that has to be a number, and not below zero. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined;
}

/** Reads WELCOME. What is missing has defaults that restrict nothing. */
export function readWelcome(message: ServerMessage): Welcome {
  const fields = fieldsOf(message);
  const heartbeat = (fields.heartbeat ?? {}) as Fields;
  const limits = (fields.limits ?? {}) as Fields;
  const messagesPerMinute = numberOf(limits.messagesPerMinute);
  const burstLimit = numberOf(limits.burstLimit);
  return {
    connectionId: textOf(fields.connectionId) ?? '',
    sub: textOf(fields.sub) ?? null,
    roles: Array.isArray(fields.roles) ? fields.roles.filter((role) => typeof role === 'string') : [],
    heartbeat: {
      intervalMs: bounded(heartbeat.intervalMs, 25_000),
      timeoutMs: bounded(heartbeat.timeoutMs, 8000),
    },
    limits: messagesPerMinute && burstLimit ? { messagesPerMinute, burstLimit } : undefined,
    maxMessageBytes: numberOf(fields.maxMessageBytes) ?? Number.MAX_SAFE_INTEGER,
    serverTime: numberOf(fields.serverTime),
  };
}

/** A server cannot make its clients ping without pause, nor never. */
function bounded(value: unknown, otherwise: number): number {
  return Math.min(Math.max(numberOf(value) ?? otherwise, 100), 300_000);
}
