// Which protocol a message or a close code gives away. Pure.
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
