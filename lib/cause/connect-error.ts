// Errors that a connect ended with, sorted.
import { networkInterfaces } from 'node:os';
import { messageOf } from '../errors.ts';
import type { Cause, FailureKind, Stage } from './cause.ts';
import { oneLine, quoted } from './one-line.ts';

const byCode: Record<string, FailureKind> = {
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EAI_NODATA: 'dns',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'network',
  ENETUNREACH: 'network',
  EACCES: 'network',
  EPERM: 'network',
  EMFILE: 'resources',
  ENFILE: 'resources',
  ENOBUFS: 'resources',
  ENOMEM: 'resources',
  EADDRNOTAVAIL: 'resources',
};

/**
 * Sorts an error that a connect ended with.
 *
 * @param stage how far the connect had come
 * @param hasIpv6 whether this machine has an IPv6 address
 */
export function classify(thrown: unknown, stage: Stage, hasIpv6: () => boolean = machineHasIpv6): Cause {
  const error = mostTelling(thrown);
  const code = error.code ?? '';
  if (code.startsWith('HPE_')) return notHttp(error, code);
  // Node adds what it knows of the local end, which is nothing when there is none.
  const message = messageOf(error).replace(/ - Local \((undefined:undefined|0\.0\.0\.0:0|:::0)\)/, '');
  const said = opensslWords(message);
  const detail = oneLine(code === '' || said.includes(code) ? said : `${code}: ${said}`);
  // An address that does not exist here at all is no shortage of ports.
  if (code === 'EADDRNOTAVAIL' && isIpv6(error) && !hasIpv6()) return { kind: 'network', detail };
  const known = byCode[code];
  if (known === 'reset') return hungUp(stage, detail);
  if (known) return { kind: known, detail };
  // TLS 1.3 lets a server refuse a client's certificate when the handshake is over for the client.
  if (stage === 'tls' || /^ERR_(SSL|TLS)|^EPROTO$/.test(code)) return { kind: 'tls', detail };
  return { kind: stage === 'dns' ? 'dns' : stage === 'tcp' ? 'network' : 'handshake', detail };
}

/** What OpenSSL says, without the places in its sources: `wrong version number`. */
function opensslWords(message: string): string {
  return /:error:[^:]*:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? message;
}

/** A connection that the other side ended before the connect was done. */
export function hungUp(stage: Stage, detail = 'socket hang up'): Cause {
  if (stage === 'tls') return { kind: 'tls', detail };
  const what =
    stage === 'upgrade' ? 'the connection was closed without an HTTP answer' : 'the connection was reset';
  return { kind: 'reset', detail: `${what} (${detail})` };
}

/** An answer whose headers Node does not take. */
export const headersTooLong: Cause = {
  kind: 'handshake',
  detail: 'the headers of the answer are longer than 16 KiB, and are read no further',
};

/** What came instead of an HTTP answer, from the error that Node's parser makes of it. */
function notHttp(error: NodeJS.ErrnoException & { rawPacket?: unknown }, code: string): Cause {
  if (code === 'HPE_HEADER_OVERFLOW') return headersTooLong;
  const packet = Buffer.isBuffer(error.rawPacket) ? error.rawPacket : Buffer.alloc(0);
  // The parser's words name protocols that nobody asked for.
  const isNoHttpAtAll = code === 'HPE_INVALID_CONSTANT' || code === 'HPE_INVALID_VERSION';
  return answerIsNotHttp(packet, isNoHttpAtAll ? '' : oneLine(messageOf(error)));
}

/**
 * Something came that is no HTTP answer.
 *
 * @param packet its first bytes
 * @param why what is wrong with it, where it is something like HTTP
 */
export function answerIsNotHttp(packet: Buffer, why = ''): Cause {
  if (isTlsRecord(packet))
    return { kind: 'tls', detail: 'the port speaks TLS: it answered with a TLS alert' };
  return {
    kind: 'handshake',
    detail: `the answer is not HTTP${why === '' ? '' : ` (${why})`}${packet.length === 0 ? '' : `: it begins with ${quoted(packet)}`}`,
  };
}

/** Whether bytes begin like a TLS record: alert or handshake, version 3.x. RFC 8446 §5.1 */
function isTlsRecord(bytes: Buffer): boolean {
  return (bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 3;
}

/**
 * A connect that did not come to its end in time.
 *
 * @param bytesRead what came of the answer so far
 */
export function timedOut(stage: Stage, timeoutMs: number, bytesRead = 0): Cause {
  const within = `within ${timeoutMs} ms`;
  const details: Record<Stage, string> = {
    dns: `no answer ${within}, waiting for the name server`,
    tcp: `no answer ${within}, waiting for the TCP connection`,
    tls: `no answer ${within}, waiting for the TLS handshake`,
    upgrade:
      bytesRead > 0
        ? `no complete HTTP answer to the upgrade ${within}: ${bytesRead} bytes came`
        : `no HTTP answer to the upgrade ${within}`,
  };
  return { kind: 'timeout', detail: details[stage] };
}

/**
 * Tried through several addresses (::1 and 127.0.0.1), Node tells of all of them in one error, under the code of the first:
 * that one fails on every machine without IPv6, and says nothing of the target.
 */
function mostTelling(thrown: unknown): NodeJS.ErrnoException {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (!(error instanceof AggregateError)) return error;
  const each = error.errors as NodeJS.ErrnoException[];
  return (
    each.find((inner) => byCode[inner.code ?? ''] === 'refused') ?? each.find((e) => !isIpv6(e)) ?? error
  );
}

function isIpv6(error: NodeJS.ErrnoException & { address?: string }): boolean {
  return error.address?.includes(':') ?? false;
}

function machineHasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ family }) => family === 'IPv6'),
  );
}
