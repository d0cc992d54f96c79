// Ways through a proxy: what is said to it before the connection is ours. No I/O.
import { WsbenchError } from '../errors.ts';
import { connectDialogue } from './connect-proxy.ts';
import { socksDialogue } from './socks-proxy.ts';

/** A proxy to go through. */
export interface ProxyServer {
  kind: 'http' | 'socks5';
  host: string;
  port: number;
  username: string;
  password: string;
}

/** Where a proxy is to connect to. */
export interface Destination {
  host: string;
  port: number;
}

/** What a dialogue makes of the bytes so far. */
export type DialogueState =
  /** It goes on; `say` is written, if there is something to say. */
  | { state: 'more'; say?: Buffer }
  /** The connection is there; `rest` already belongs to it. */
  | { state: 'done'; rest: Buffer }
  | { state: 'failed'; status?: number; detail: string };

/** What is said to a proxy. */
export interface Dialogue {
  /** What we begin with. */
  readonly hello: Buffer;
  /** Takes what the proxy says. */
  push(chunk: Buffer): DialogueState;
}

/**
 * Reads the URL of a proxy: `http://user:password@host:port`, or `socks5://`. The proxy resolves the names of targets.
 *
 * @throws WsbenchError `USAGE` for any other
 */
export function proxyOf(text: string): ProxyServer {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const kind = url && kinds[url.protocol];
  if (!url || !kind || url.hostname === '') {
    throw new WsbenchError('USAGE', 'no URL of a proxy: write http://host:port or socks5://host:port');
  }
  return {
    kind,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (kind === 'http' ? 80 : 1080)),
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
}

const kinds: Record<string, ProxyServer['kind']> = {
  'http:': 'http',
  'socks5:': 'socks5',
  'socks5h:': 'socks5',
};

/** What is said to this proxy. */
export function dialogueWith(proxy: ProxyServer, destination: Destination): Dialogue {
  return proxy.kind === 'http' ? connectDialogue(proxy, destination) : socksDialogue(proxy, destination);
}
