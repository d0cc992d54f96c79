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
  /** `anything`: any legal answer will do, whether or not it keeps to what was offered. */
  deflate: DeflateParameters | 'anything' | null;
}

/** An upgrade that came about. */
export interface Upgraded {
  /** The subprotocol that the server chose, or ''. */
  subprotocol: string;
  deflate: DeflateAgreement | null;
}

/** Why a handshake failed. */
export interface HandshakeProblem {
  /** What it is about; `http`: the answer is no 101. */
  kind: 'http' | 'handshake' | 'accept-key' | 'subprotocol' | 'extension';
  problem: string;
  section: string;
  /** Of an answer that is no 101. */
  status?: number;
}

/** Judges a server's answer. Each rule that can be broken has its own words. §4.1, end of "client requirements" */
export function judgeResponse(response: UpgradeResponse, offer: Offer): Upgraded | HandshakeProblem {
  const { status, reason } = response;
  if (status !== 101) {
    return { kind: 'http', problem: `HTTP ${status} ${reason}`.trim(), section: 'RFC 6455 §4.1', status };
  }
  const noUpgrade = judgeUpgrade(response) ?? judgeAccept(response, offer.key);
  if (noUpgrade) return noUpgrade;
  const subprotocol = judgeSubprotocol(response, offer.subprotocols);
  if (typeof subprotocol !== 'string') return subprotocol;
  const extensions = valuesOf(response, 'sec-websocket-extensions');
  const deflate = judgeAnswer(extensions.length === 0 ? undefined : extensions.join(', '), offer.deflate);
  if (deflate !== null && 'problem' in deflate) {
    return { kind: 'extension', problem: deflate.problem, section: 'RFC 6455 §9.1' };
  }
  return { subprotocol, deflate };
}

function judgeUpgrade(response: UpgradeResponse): HandshakeProblem | undefined {
  const broken = (problem: string, section = '4.1'): HandshakeProblem => ({
    kind: 'handshake',
    problem,
    section: `RFC 6455 §${section}`,
  });
  if (response.version !== 'HTTP/1.1') return broken(`the 101 is ${response.version}, not HTTP/1.1`, '4.2.2');
  const upgrade = valuesOf(response, 'upgrade').join(', ');
  if (upgrade.toLowerCase() !== 'websocket') {
    return broken(upgrade === '' ? 'no Upgrade header' : `Upgrade is "${upgrade}", not websocket`);
  }
  const connection = valuesOf(response, 'connection').join(', ');
  if (connection.split(',').some((option) => option.trim().toLowerCase() === 'upgrade')) return undefined;
  return broken(
    connection === '' ? 'no Connection header' : `Connection is "${connection}", without Upgrade`,
  );
}

function judgeAccept(response: UpgradeResponse, key: string): HandshakeProblem | undefined {
  const accepts = valuesOf(response, 'sec-websocket-accept');
  if (accepts.length === 1 && accepts[0] === acceptOf(key)) return undefined;
  const problem =
    accepts.length === 0
      ? 'no Sec-WebSocket-Accept'
      : accepts.length > 1
        ? 'more than one Sec-WebSocket-Accept'
        : 'Sec-WebSocket-Accept does not answer our key';
  return { kind: 'accept-key', problem, section: 'RFC 6455 §4.1' };
}

/** The subprotocol that was chosen, or ''. */
function judgeSubprotocol(response: UpgradeResponse, offered: readonly string[]): string | HandshakeProblem {
  const chosen = valuesOf(response, 'sec-websocket-protocol');
  const [first = ''] = chosen;
  if (chosen.length === 0 || (chosen.length === 1 && offered.includes(first))) return first;
  const problem =
    chosen.length > 1
      ? 'more than one Sec-WebSocket-Protocol'
      : first === ''
        ? 'an empty Sec-WebSocket-Protocol'
        : `the subprotocol "${first}" was not offered`;
  return { kind: 'subprotocol', problem, section: 'RFC 6455 §4.1' };
}

function valuesOf({ headers }: UpgradeResponse, name: string): string[] {
  return headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value.trim());
}
