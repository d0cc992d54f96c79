// SOCKS version 5, with a user name or without. RFC 1928, RFC 1929
import { isIPv4, isIPv6 } from 'node:net';
import type { Destination, Dialogue, DialogueState, ProxyServer } from './proxy.ts';

const version = 5;
const noAuth = 0;
const userName = 2;
const connectCommand = 1;

// RFC 1928 §6
const replies: readonly string[] = [
  'succeeded',
  'general failure',
  'not allowed by the rules',
  'network unreachable',
  'host unreachable',
  'connection refused',
  'TTL expired',
  'command not supported',
  'address type not supported',
];

/** Asks a SOCKS proxy for a connection; a name goes to the proxy as it is. */
export function socksDialogue(proxy: ProxyServer, destination: Destination): Dialogue {
  const { username, password } = proxy;
  const methods = username === '' ? [noAuth] : [noAuth, userName];
  let stage: 'method' | 'auth' | 'reply' = 'method';
  let bytes: Buffer = Buffer.alloc(0);
  const failed = (detail: string): DialogueState => ({ state: 'failed', detail: `SOCKS: ${detail}` });
  const ask = (): DialogueState => {
    stage = 'reply';
    return { state: 'more', say: request(destination) };
  };
  const step = (): DialogueState => {
    if (stage !== 'reply') {
      if (bytes.length < 2) return { state: 'more' };
      const [first, second] = bytes;
      bytes = bytes.subarray(2);
      if (stage === 'auth') return second === 0 ? ask() : failed('user name or password refused');
      if (first !== version) return failed('what answers does not speak version 5');
      if (second === noAuth) return ask();
      if (second !== userName || username === '')
        return failed('it wants a way to log in that we do not have');
      stage = 'auth';
      return { state: 'more', say: Buffer.concat([Buffer.of(1), counted(username), counted(password)]) };
    }
    const size = replySize(bytes);
    // The code comes before the address, and refusals may come without one.
    if (bytes.length >= 2 && bytes[1] !== 0) return failed(replies[bytes[1] ?? 0] ?? `reply ${bytes[1]}`);
    if (size === undefined || bytes.length < size) return { state: 'more' };
    return { state: 'done', rest: bytes.subarray(size) };
  };
  return {
    hello: Buffer.of(version, methods.length, ...methods),
    push(chunk) {
      bytes = Buffer.concat([bytes, chunk]);
      return step();
    },
  };
}

function request({ host, port }: Destination): Buffer {
  const address = isIPv4(host)
    ? Buffer.of(1, ...host.split('.').map(Number))
    : isIPv6(host)
      ? Buffer.of(4, ...ipv6Bytes(host))
      : Buffer.concat([Buffer.of(3), counted(host)]);
  return Buffer.concat([Buffer.of(version, connectCommand, 0), address, Buffer.of(port >> 8, port & 255)]);
}

/** Bytes of a reply, once that can be told. */
function replySize(bytes: Buffer): number | undefined {
  const [, , , type, length = 0] = bytes;
  if (bytes.length < 5) return undefined;
  return 4 + (type === 1 ? 4 : type === 4 ? 16 : 1 + length) + 2;
}

/** A text behind its length, in at most 255 bytes. */
function counted(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 255);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

function ipv6Bytes(address: string): number[] {
  // The URL parser writes out what is left out, IPv4 at the end included.
  const groups = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const [head = [], rest = []] = groups.map((part) => (part === '' ? [] : part.split(':')));
  const middle = Array.from({ length: 8 - head.length - rest.length }, () => '0');
  const all = groups.length === 2 ? [...head, ...middle, ...rest] : head;
  return all.flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}
