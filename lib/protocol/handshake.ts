// The opening handshake as text: building requests, legal or not, and judging what a server answers. RFC 6455 §4
import { createHash } from 'node:crypto';
import { type DeflateAgreement, type DeflateParameters, judgeAnswer } from './deflate-negotiation.ts';

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The accept value that answers a key. §4.2.2 */
export function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + guid)
    .digest('base64');
}

/** A request for an upgrade: the lines as they are written, in this order. Repeated names are allowed. */
export interface UpgradeRequest {
  /** `GET` by default. */
  method?: string;
  /** Path and query. */
  target: string;
  /** `HTTP/1.1` by default. */
  version?: string;
  headers: readonly (readonly [string, string])[];
}

/**
 * The bytes of a request. Everything is written as it is given: tests break the rules on purpose.
 *
 * @throws RangeError for a line break in a line, or a character that is no byte: it would be another request than was meant
 */
export function encodeRequest({
  method = 'GET',
  target,
  version = 'HTTP/1.1',
  headers,
}: UpgradeRequest): Buffer {
  const lines = [`${method} ${target} ${version}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  if (lines.some((line) => /[\r\n]/.test(line))) {
    throw new RangeError('a line of a request must not have a line break in it');
  }
  // Cut to a byte, some of these would be line breaks.
  if (lines.some((line) => /[^\0-\u00ff]/.test(line))) {
    throw new RangeError('a request is made of bytes: encode characters above U+00FF first');
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** The headers that every upgrade has, in the order that browsers write them. §4.1 */
export function upgradeHeaders(options: {
  host: string;
  /** 16 random bytes in base64. */
  key: string;
  subprotocols?: readonly string[];
  /** The value of Sec-WebSocket-Extensions. */
  extensions?: string;
  /** Further headers; one that is also here wins. */
  headers?: readonly (readonly [string, string])[];
}): [string, string][] {
  const { host, key, subprotocols = [], extensions, headers = [] } = options;
  const own: [string, string][] = [
    ['Host', host],
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Key', key],
    ['Sec-WebSocket-Version', '13'],
    ...(subprotocols.length > 0
      ? [['Sec-WebSocket-Protocol', subprotocols.join(', ')] satisfies [string, string]]
      : []),
    ...(extensions === undefined
      ? []
      : [['Sec-WebSocket-Extensions', extensions] satisfies [string, string]]),
  ];
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  return [
    ...own.filter(([name]) => !given.has(name.toLowerCase())),
    ...headers.map(([name, value]): [string, string] => [name, value]),
  ];
}

/** A server's answer, read. */
export interface UpgradeResponse {
  /** As in the status line, such as `HTTP/1.1`. */
  version: string;
  status: number;
  reason: string;
  /** In order, repeats kept. */
  headers: [string, string][];
}

/** What a client offered, against which the answer is judged. */
export interface Offer {
  key: string;
  subprotocols: readonly string[];
  deflate: DeflateParameters | null;
}

/** An upgrade that came about. */
export interface Upgraded {
  /** The subprotocol that the server chose, or ''. */
  subprotocol: string;
  deflate: DeflateAgreement | null;
}

/** Why a handshake failed; `status` for an answer that was no 101. */
export interface HandshakeProblem {
  problem: string;
  section: string;
  status?: number;
}

/** Judges a server's answer. Each rule that can be broken has its own words. §4.1, end of "client requirements" */
export function judgeResponse(response: UpgradeResponse, offer: Offer): Upgraded | HandshakeProblem {
  const { status, version, reason } = response;
  const broken = (problem: string, section = 'RFC 6455 §4.1'): HandshakeProblem => ({ problem, section });
  if (status !== 101) return { ...broken(`HTTP ${status} ${reason}`.trim()), status };
  if (version !== 'HTTP/1.1') return broken(`the 101 is ${version}, not HTTP/1.1`, 'RFC 6455 §4.2.2');
  const upgrade = valuesOf(response, 'upgrade').join(', ');
  if (upgrade.toLowerCase() !== 'websocket') {
    return broken(upgrade === '' ? 'no Upgrade header' : `Upgrade is "${upgrade}", not websocket`);
  }
  const connection = valuesOf(response, 'connection').join(', ');
  if (!connection.split(',').some((option) => option.trim().toLowerCase() === 'upgrade')) {
    return broken(
      connection === '' ? 'no Connection header' : `Connection is "${connection}", without Upgrade`,
    );
  }
  const accepts = valuesOf(response, 'sec-websocket-accept');
  if (accepts.length !== 1) {
    return broken(accepts.length === 0 ? 'no Sec-WebSocket-Accept' : 'more than one Sec-WebSocket-Accept');
  }
  if (accepts[0] !== acceptOf(offer.key)) return broken('Sec-WebSocket-Accept does not answer our key');
  const chosen = valuesOf(response, 'sec-websocket-protocol');
  if (chosen.length > 1) return broken('more than one Sec-WebSocket-Protocol');
  const [subprotocol = ''] = chosen;
  if (subprotocol !== '' && !offer.subprotocols.includes(subprotocol)) {
    return broken(`the subprotocol "${subprotocol}" was not offered`);
  }
  if (subprotocol === '' && chosen.length === 1) return broken('an empty Sec-WebSocket-Protocol');
  const extensions = valuesOf(response, 'sec-websocket-extensions');
  const deflate = judgeAnswer(extensions.length === 0 ? undefined : extensions.join(', '), offer.deflate);
  if (deflate !== null && 'problem' in deflate) return broken(deflate.problem, 'RFC 6455 §9.1');
  return { subprotocol, deflate };
}

function valuesOf({ headers }: UpgradeResponse, name: string): string[] {
  return headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value.trim());
}
