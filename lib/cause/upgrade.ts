// Is this answer the 101 that our upgrade asked for? RFC 6455 §4.1, §4.2.2. Pure.
import { createHash } from 'node:crypto';
import type { Cause } from './cause.ts';
import { oneLine } from './one-line.ts';

/** The head of an HTTP answer with status 101. */
export interface UpgradeAnswer {
  /** `1.1` */
  httpVersion: string;
  /** By name in small letters. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What the upgrade asked for. */
export interface UpgradeRequest {
  /** Its Sec-WebSocket-Key. */
  key: string;
  subprotocols: readonly string[];
  /** Whether a server must choose one of them, as most clients want it; RFC 6455 §4.1 does not. True by default. */
  subprotocolRequired?: boolean;
  /** Extensions were offered: whether the answer fits them is not judged here. */
  extensionsOffered?: boolean;
}

/** What is wrong with a 101, or undefined. */
export function upgradeFault(
  answer: UpgradeAnswer,
  { key, subprotocols, subprotocolRequired = true, extensionsOffered = false }: UpgradeRequest,
): Cause | undefined {
  const of = (name: string): string => oneLine([answer.headers[name] ?? ''].flat().join(', '));
  const lists = (name: string, wanted: string): boolean =>
    of(name)
      .split(',')
      .some((value) => value.trim().toLowerCase() === wanted);
  const fault = (kind: Cause['kind'], what: string, section: string): Cause => ({
    kind,
    detail: `HTTP 101, but ${what} (RFC 6455 §${section})`,
  });
  if (answer.httpVersion === '1.0') return fault('handshake', 'in HTTP/1.0, which has no upgrade', '4.1');
  if (of('upgrade').toLowerCase() !== 'websocket')
    return fault('handshake', `without the header Upgrade: websocket${got(of('upgrade'))}`, '4.1');
  if (!lists('connection', 'upgrade'))
    return fault('handshake', `without the header Connection: Upgrade${got(of('connection'))}`, '4.1');
  const accept = of('sec-websocket-accept');
  if (accept !== acceptOf(key)) {
    const what = accept === '' ? 'no Sec-WebSocket-Accept' : `a wrong Sec-WebSocket-Accept${got(accept)}`;
    return fault('accept-key', `with ${what}, which must be made from our key`, '4.2.2');
  }
  const extensions = of('sec-websocket-extensions');
  if (extensions !== '' && !extensionsOffered)
    return fault('extension', `with an extension that was not offered: ${shown(extensions)}`, '4.1');
  const chosen = of('sec-websocket-protocol');
  if (chosen === '' && !subprotocolRequired) return undefined;
  return subprotocolFault(chosen, subprotocols, fault);
}

function subprotocolFault(
  chosen: string,
  offered: readonly string[],
  fault: (kind: Cause['kind'], what: string, section: string) => Cause,
): Cause | undefined {
  if (chosen === '' && offered.length > 0) {
    // What is offered may be a credential (`bearer, TOKEN`), so it is counted, not named.
    return fault(
      'subprotocol',
      `it chose none of the ${offered.length} subprotocols that were offered`,
      '4.2.2',
    );
  }
  if (chosen === '' || offered.includes(chosen)) return undefined;
  return fault('subprotocol', `with a subprotocol that was not offered: ${shown(chosen)}`, '4.1');
}

const shown = (value: string): string => value.slice(0, 200);
const got = (value: string): string => (value === '' ? '' : ` (it says ${JSON.stringify(shown(value))})`);

/** The Sec-WebSocket-Accept for a key. RFC 6455 §1.3 */
function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}
