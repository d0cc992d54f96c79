// HTTP CONNECT. RFC 9110 §9.3.6
import { isIPv6 } from 'node:net';
import { encodeRequest } from '../protocol/handshake.ts';
import { ResponseParser } from '../protocol/response-parser.ts';
import type { Destination, Dialogue, DialogueState, ProxyServer } from './proxy.ts';

/** Asks an HTTP proxy for a tunnel. */
export function connectDialogue({ username, password }: ProxyServer, { host, port }: Destination): Dialogue {
  const target = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const credential = Buffer.from(`${username}:${password}`).toString('base64');
  const headers: [string, string][] = [
    ['Host', target],
    ...(username === '' ? [] : [['Proxy-Authorization', `Basic ${credential}`] satisfies [string, string]]),
  ];
  const parser = new ResponseParser();
  return {
    hello: encodeRequest({ method: 'CONNECT', target, headers }),
    push(chunk): DialogueState {
      const head = parser.push(chunk);
      if (head.state === 'more') return { state: 'more' };
      if (head.state === 'failed') return { state: 'failed', detail: head.problem };
      const { status, reason } = head.response;
      if (status >= 200 && status < 300) return { state: 'done', rest: head.rest };
      return { state: 'failed', status, detail: `HTTP ${status} ${reason}`.trim() };
    },
  };
}
