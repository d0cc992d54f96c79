// Where a WebSocket URL leads. RFC 6455 §3
import { WsbenchError } from '../errors.ts';

/** Where to connect, and what to ask for there. */
export interface Endpoint {
  secure: boolean;
  /** A name or an address, without brackets. */
  host: string;
  port: number;
  /** A Unix socket: then host and port are not used. */
  socketPath?: string;
  /** What belongs into the Host header. */
  authority: string;
  /** Path and query. */
  target: string;
}

/**
 * Reads a URL: `ws://`, `wss://`, or `ws+unix:/path/of/socket:/path?query` as the ws package writes it.
 *
 * @throws WsbenchError `USAGE` for any other
 */
export function endpointOf(text: string): Endpoint {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw new WsbenchError('USAGE', `${JSON.stringify(text)} is no URL: write ws://host:port/path`);
  if (url.protocol === 'ws+unix:') return unixEndpoint(url);
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new WsbenchError('USAGE', `${url.protocol}// is no WebSocket URL: ws://, wss:// and ws+unix: are`);
  }
  const secure = url.protocol === 'wss:';
  return {
    secure,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (secure ? 443 : 80)),
    authority: url.host,
    target: `${url.pathname}${url.search}`,
  };
}

function unixEndpoint({ pathname, search }: URL): Endpoint {
  const colon = pathname.indexOf(':');
  const path = colon < 0 ? pathname : pathname.slice(0, colon);
  if (path === '' || path === '/') {
    throw new WsbenchError('USAGE', 'a ws+unix: URL without a socket: write ws+unix:/path/of/socket:/path');
  }
  return {
    secure: false,
    host: 'localhost',
    port: 0,
    socketPath: decodeURIComponent(path),
    authority: 'localhost',
    target: `${colon < 0 ? '/' : pathname.slice(colon + 1)}${search}`,
  };
}
