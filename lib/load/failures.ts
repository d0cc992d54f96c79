// Connections that never opened, grouped by cause, and what to do about each.
import { redactText } from '../result/redact.ts';
import type { FailureRecord } from '../result/result.ts';
import type { FailureKind } from './drivers/driver.ts';

const maxRecords = 20;

const hints: Record<FailureKind, (detail: string) => string | undefined> = {
  refused: () => 'nothing listens there: check host and port, and that the server is running',
  dns: (detail) =>
    /EAI_AGAIN/.test(detail) ? 'the name server did not answer' : 'no such host: check the name in the URL',
  tls: tlsHint,
  http: httpHint,
  timeout: () => 'raise --connect-timeout, or open connections more slowly with --ramp-up',
  reset: () =>
    'the target accepted and then hung up: is it out of file descriptors, or does it cap connections?',
  handshake: () => 'what answered does not speak WebSocket: check the path and the port',
  network: (detail) =>
    /EADDRNOTAVAIL/.test(detail)
      ? 'this machine has no IPv6: use an IPv4 address'
      : 'the network does not lead there: check routes and firewalls',
  resources: resourcesHint,
  protocol: () => undefined,
  join: joinHint,
};

function joinHint(detail: string): string {
  // graphql-ws says with this code that its subprotocol was not offered.
  if (/it closed with 4406\b/.test(detail))
    return 'offer the subprotocol that it wants: --subprotocol, or --preset graphql-ws';
  return 'does it want a token (--token, --token-in)? Else check the join of the target file';
}

function tlsHint(detail: string): string {
  if (/wrong version number|packet length too long/i.test(detail))
    return 'the port speaks plain text: use ws://';
  if (/altname|ALTNAME/.test(detail)) return 'the certificate is for another host name';
  if (/EXPIRED/i.test(detail)) return 'the certificate has expired; --insecure accepts it';
  if (/SELF_SIGNED|UNABLE_TO|LEAF|ISSUER/i.test(detail)) {
    return 'the certificate is not trusted: name its authority with --cacert, or accept it with --insecure';
  }
  return 'the TLS handshake failed: check protocol versions and certificates on the server';
}

function httpHint(detail: string): string | undefined {
  const status = /^HTTP (\d+)/.exec(detail)?.[1] ?? '';
  const wait = /Retry-After: ([^;]+)/.exec(detail)?.[1];
  const after = wait === undefined ? '' : `; it asks to wait ${wait}${/^\d+$/.test(wait) ? ' s' : ''}`;
  if (status === '401') return 'the target wants a credential: --token';
  if (status === '403') return 'the target forbids it: check token, Origin and address allow-lists';
  if (status === '404') return 'no WebSocket at this path: check the URL';
  if (status === '426' || status === '400')
    return 'the target does not accept this upgrade: check path and subprotocol';
  if (status === '429') return `the target limits upgrades: use fewer connections or --ramp-up${after}`;
  if (status === '503') return `the target is overloaded or going down${after}`;
  if (status.startsWith('3')) return 'redirects are not followed: use the URL that it leads to';
  if (status.startsWith('2')) return 'an HTTP page, not a WebSocket endpoint: check the path';
  if (status.startsWith('5')) return 'the target, or a proxy before it, failed';
  return undefined;
}

function resourcesHint(detail: string): string {
  if (/EADDRNOTAVAIL/.test(detail)) {
    return 'this machine has no local port left for the target: fewer connections, or widen net.ipv4.ip_local_port_range';
  }
  return 'this process may not open more files: raise `ulimit -n`';
}

/** Groups failures by what they have in common; bounded, because details come from the peer. */
export class FailureLog {
  readonly #records = new Map<string, FailureRecord>();

  add(kind: FailureKind, detail: string): void {
    const key =
      kind === 'http' ? detail.slice(0, 'HTTP 401'.length) : `${kind} ${detail.replace(/\d+/g, '#')}`;
    const known = this.#records.get(key) ?? (this.#records.size < maxRecords ? undefined : this.#others());
    if (known) {
      known.count++;
      return;
    }
    const hint = hints[kind](detail);
    this.#records.set(key, { kind, detail: redactText(detail), count: 1, ...(hint ? { hint } : {}) });
  }

  get records(): FailureRecord[] {
    return [...this.#records.values()].sort((a, b) => b.count - a.count);
  }

  /** True when the generator ran out of files or ports. */
  get hasResources(): boolean {
    return this.records.some((record) => record.kind === 'resources');
  }

  #others(): FailureRecord {
    const others = this.#records.get('') ?? { kind: 'others', detail: 'other causes', count: 0 };
    this.#records.set('', others);
    return others;
  }
}
