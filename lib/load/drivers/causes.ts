// Why a connect failed, in the words of the driver contract.
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import { networkInterfaces } from 'node:os';
import { messageOf } from '../../errors.ts';
import type { FailureKind } from './driver.ts';

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
export function classify(
  thrown: NodeJS.ErrnoException,
  stage: 'dns' | 'tcp' | 'tls' | 'upgrade',
  hasIpv6: () => boolean = machineHasIpv6,
): { kind: FailureKind; detail: string } {
  const error = mostTelling(thrown);
  const code = error.code ?? '';
  // Node adds what it knows of the local end, which is nothing when there is none.
  const message = messageOf(error).replace(/ - Local \((undefined:undefined|0\.0\.0\.0:0|:::0)\)/, '');
  const detail = clean(code === '' || message.includes(code) ? message : `${code}: ${message}`);
  // An address that does not exist here at all is no shortage of ports.
  if (code === 'EADDRNOTAVAIL' && isIpv6(error) && !hasIpv6()) return { kind: 'network', detail };
  const known = byCode[code];
  if (known) return { kind: known === 'reset' && stage === 'tls' ? 'tls' : known, detail };
  if (stage === 'tls') return { kind: 'tls', detail };
  return { kind: stage === 'dns' ? 'dns' : 'handshake', detail };
}

/**
 * Tried through several addresses (::1 and 127.0.0.1), Node tells of all of them in one error, under the code of the first:
 * that one fails on every machine without IPv6, and says nothing of the target.
 */
function mostTelling(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
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

const maxBodyBytes = 1024;
const shownBodyBytes = 200;
const bodyWaitMs = 1000;

/** Describes an HTTP answer to an upgrade: status, Retry-After, Location and the first bytes of the body. */
export function httpDetail(response: IncomingMessage, done: (detail: string) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let finished = false;
  const finish = (): void => {
    if (finished) return;
    finished = true;
    clearTimeout(timer);
    const status = response.statusCode ?? 0;
    const body = clean(Buffer.concat(chunks).subarray(0, shownBodyBytes).toString('utf8'));
    const parts = [
      `HTTP ${status} ${clean(response.statusMessage || STATUS_CODES[status] || '')}`.trim(),
      ...['Retry-After', 'Location']
        .filter((name) => response.headers[name.toLowerCase()] !== undefined)
        .map((name) => `${name}: ${clean(String(response.headers[name.toLowerCase()])).slice(0, 200)}`),
      ...(body === '' ? [] : [`body: ${body}`]),
    ];
    done(parts.join('; '));
  };
  const timer = setTimeout(finish, bodyWaitMs);
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= maxBodyBytes) finish();
  });
  response.on('end', finish);
  response.on('error', finish);
  response.on('close', finish);
}

/** One line without control characters: text from a peer goes to people's terminals. */
function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}

/** The close code with which ws answers a violation. RFC 6455 §7.4.1 */
export function violationCode(error: string): number {
  if (error === 'WS_ERR_INVALID_UTF8') return 1007;
  if (error === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' || error === 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH')
    return 1009;
  if (error === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') return 1008;
  return 1002;
}
