// Which protocol a message, a close code or a refusal gives away, and what to do about it. Pure.
import { parseJson } from './matcher.ts';
import type { PresetName } from './presets.ts';

/** The preset that speaks the protocol that a message from the target belongs to; undefined: none that we know. */
export function presetOfMessage(text: string): PresetName | undefined {
  // Engine.IO: an open packet with its handshake. Socket.IO has no other transport of note.
  if (/^0\{"sid":"/.test(text)) return 'socket.io';
  const body = parseJson(text);
  if (Array.isArray(body)) {
    // Phoenix, version 2 of its serializer: [join_ref, ref, topic, event, payload].
    const [, , topic, event] = body;
    return body.length === 5 && typeof topic === 'string' && isPhoenixEvent(event) ? 'phoenix' : undefined;
  }
  if (body === null || typeof body !== 'object') return undefined;
  const { type, payload, jsonrpc, topic, event } = body as Record<string, unknown>;
  if (type === 'WELCOME' && (payload as { protocol?: unknown } | null | undefined)?.protocol === 1)
    return 'wsbench';
  if (typeof topic === 'string' && isPhoenixEvent(event)) return 'phoenix';
  if (jsonrpc === '2.0') return 'json-rpc';
  if (type === 'connection_ack') return 'graphql-ws';
  return undefined;
}

const isPhoenixEvent = (event: unknown): boolean => typeof event === 'string' && event.startsWith('phx_');

/** The preset that a close code gives away: graphql-ws says with 4406 that its subprotocol was not offered. */
export function presetOfClose(code: number): PresetName | undefined {
  return code === 4406 ? 'graphql-ws' : undefined;
}

/** The preset that a subprotocol, once the target has chosen it, gives away. */
export function presetOfSubprotocol(subprotocol: string): PresetName | undefined {
  return subprotocol === 'graphql-transport-ws' ? 'graphql-ws' : undefined;
}

// What Engine.IO says when EIO=4 and transport=websocket are not in the query.
const engineIoRefusal = /^HTTP 400\b.*\b(Transport unknown|Unsupported protocol version)\b/;

/** The preset that the text of a refused upgrade gives away. */
export function presetOfRefusal(detail: string): PresetName | undefined {
  return engineIoRefusal.test(detail) ? 'socket.io' : undefined;
}

/**
 * A message that Phoenix answers and nobody else minds much, for a target that may be one by its URL; undefined for others.
 * Phoenix says nothing of its own accord, and its sockets always end in /websocket.
 */
export function phoenixQuestion(url: string): string | undefined {
  const { pathname, searchParams } = new URL(url);
  if (!pathname.endsWith('/websocket')) return undefined;
  return searchParams.get('vsn')?.startsWith('2.')
    ? '[null,"wsbench","phoenix","heartbeat",{}]'
    : '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"wsbench"}';
}

const advice: Record<PresetName, { speaks: string; use: string }> = {
  wsbench: { speaks: 'the wsbench reference protocol', use: '--preset wsbench' },
  echo: { speaks: 'raw echo', use: '--preset echo' },
  'socket.io': { speaks: 'Socket.IO', use: '--preset socket.io -e event=NAME' },
  phoenix: { speaks: 'Phoenix Channels', use: '--preset phoenix -e topic=TOPIC' },
  'phoenix-v2': { speaks: 'Phoenix Channels', use: '--preset phoenix-v2 -e topic=TOPIC' },
  'json-rpc': { speaks: 'JSON-RPC 2.0', use: '--preset json-rpc -e method=NAME' },
  'graphql-ws': { speaks: 'GraphQL (graphql-transport-ws)', use: "--preset graphql-ws -e query='{ FIELD }'" },
};

/** What to tell a user whose target gave itself away: `the target speaks Socket.IO: use --preset socket.io -e event=NAME`. */
export function presetAdvice(preset: PresetName, at?: string): string {
  const { speaks, use } = advice[preset];
  return at === undefined
    ? `the target speaks ${speaks}: use ${use}`
    : `the target speaks ${speaks} at ${at}: use that URL, and ${use}`;
}
