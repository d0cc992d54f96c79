// What to do about a failure, for each kind.
import type { FailureKind } from './cause.ts';
import { describeRetryAfter } from './retry-after.ts';

const hints: Record<FailureKind, (detail: string) => string | undefined> = {
  refused: () => 'nothing listens there: check host and port, and that the server is running',
  dns: (detail) =>
    /EAI_AGAIN/.test(detail) ? 'the name server did not answer' : 'no such host: check the name in the URL',
  tls: tlsHint,
  http: httpHint,
  timeout: timeoutHint,
  reset: () =>
    'the target accepted and then hung up: are port and path right? is it out of file descriptors, or does it cap connections?',
  'accept-key': () =>
    'what answered did not read our Sec-WebSocket-Key: a cache or proxy in between, or a server that answers by rote',
  subprotocol: (detail) =>
    /chose none/.test(detail)
      ? 'the target does not speak what --subprotocol offers, or needs no subprotocol'
      : 'the target may choose only what it was offered: offer its subprotocol with --subprotocol',
  extension: () => 'a target may only accept extensions that were offered, and wsbench offers none',
  handshake: () => 'what answered does not speak WebSocket: check the path and the port',
  network: (detail) =>
    /EADDRNOTAVAIL/.test(detail)
      ? 'this machine has no IPv6: use an IPv4 address'
      : 'the network does not lead there: check routes and firewalls',
  resources: resourcesHint,
  protocol: () => undefined,
  join: joinHint,
};

/** What to do about a failure; undefined: nothing that could be said of every such one. */
export function hintOf(kind: FailureKind, detail: string): string | undefined {
  return hints[kind](detail);
}

function resourcesHint(detail: string): string {
  if (/no free local port in/.test(detail))
    return 'all ports of the local addresses are taken: name more of them';
  if (/EADDRNOTAVAIL/.test(detail)) {
    return 'this machine has no local port left for the target: fewer connections, --local-address a,b, or widen net.ipv4.ip_local_port_range';
  }
  if (/ENFILE/.test(detail)) return 'this machine may not open more files: raise fs.file-max';
  if (/ENOBUFS|ENOMEM/.test(detail)) {
    return 'the kernel has no memory for another connection: fewer of them, more memory, or raise net.ipv4.tcp_mem';
  }
  return 'this process may not open more files: raise `ulimit -n`';
}

function joinHint(detail: string): string {
  // graphql-ws says with this code that its subprotocol was not offered.
  if (/it closed with 4406\b/.test(detail))
    return 'offer the subprotocol that it wants: --subprotocol, or --preset graphql-ws';
  return 'does it want a token (--token, --token-in)? Else check the join of the target file, or whether it is the right preset';
}

function tlsHint(detail: string): string {
  if (/speaks TLS/.test(detail)) return 'the port speaks TLS: use wss://';
  if (/wrong version number|packet length too long/i.test(detail))
    return 'the port speaks plain text: use ws://';
  if (/altname|ALTNAME/.test(detail)) return 'the certificate is for another host name';
  if (/NOT_YET_VALID/i.test(detail)) return 'the certificate is not valid yet: are the clocks right?';
  if (/EXPIRED/i.test(detail)) return 'the certificate has expired; --insecure accepts it';
  if (/SELF_SIGNED|UNABLE_TO|LEAF|ISSUER/i.test(detail)) {
    return 'the certificate is not trusted: name its authority with --cacert, or accept it with --insecure';
  }
  if (/certificate required/i.test(detail)) return 'the target wants a certificate of the client';
  if (/protocol version|unsupported protocol/i.test(detail))
    return 'the target speaks no version of TLS that is still safe: it needs TLS 1.2 or later';
  return 'the TLS handshake failed: check protocol versions and certificates on the server';
}

function timeoutHint(detail: string): string {
  if (/HTTP answer/.test(detail)) {
    return 'TCP connects, and the upgrade is not answered: check the port and the health of the server, or raise the timeout';
  }
  if (/TLS handshake/.test(detail)) {
    return 'TCP connects, and TLS is not answered: does the port speak TLS, or plain text (ws://)?';
  }
  return 'a firewall may drop packets; a busy target needs a longer timeout, or fewer connections at once (--ramp-up)';
}

const advice: Record<number, string> = {
  400: 'the target does not accept this upgrade: check path and subprotocol',
  401: 'the target wants a credential, or refused this one: --token, --token-in',
  403: 'the target forbids it: check token, Origin and address allow-lists',
  404: 'no WebSocket at this path: check the URL',
  407: 'a proxy in between wants a credential',
  426: 'the target does not accept this upgrade: check path and subprotocol',
  429: 'the target limits upgrades: wait, use fewer connections or --ramp-up',
  502: 'the proxy has no server behind it',
  503: 'the target is overloaded or going down',
};

/** What to do about an HTTP answer to the upgrade, which {@link httpDetail} put into one line. */
function httpHint(detail: string): string {
  const status = Number(/^HTTP (\d+)/.exec(detail)?.[1] ?? 0);
  // What proxies and servers say when plain text comes to their TLS port.
  if (/plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server/i.test(detail))
    return 'the port speaks TLS: use wss://';
  const after = /Retry-After: ([^;]+)/.exec(detail)?.[1];
  const wait = after === undefined ? '' : `; ${describeRetryAfter(after, Date.now())}`;
  return `${statusHint(status)}${wait}`;
}

function statusHint(status: number): string {
  const known = advice[status];
  if (known !== undefined) return known;
  if (status < 200) return 'that is no final answer to an upgrade: what answered does not speak WebSocket';
  if (status < 300) return 'an HTTP page, not a WebSocket endpoint: check the path';
  if (status < 400) return 'redirects are not followed: use the URL that it leads to';
  return status < 500
    ? 'the target refuses this request: check path, headers and subprotocol'
    : 'the target, or a proxy before it, failed';
}
