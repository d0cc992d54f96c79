// The WebSocket handshake over a connection: what is written, and what the answer comes to. No I/O.
import type { Cause } from '../cause/cause.ts';
import { answerIsNotHttp, headersTooLong, hungUp } from '../cause/connect-error.ts';
import { httpDetail } from '../cause/http-answer.ts';
import { oneLine } from '../cause/one-line.ts';
import { retryAfterMs } from '../cause/retry-after.ts';
import { upgradeFault } from '../cause/upgrade.ts';
import { type DeflateParameters, deflateHeader } from '../protocol/deflate-negotiation.ts';
import {
  encodeRequest,
  judgeResponse,
  type Upgraded,
  type UpgradeResponse,
  upgradeHeaders,
} from '../protocol/handshake.ts';
import { type HeadLimits, headLimits, ResponseParser } from '../protocol/response-parser.ts';
import type { Endpoint } from './endpoint.ts';
import type { UpgradeMemory } from './upgrade-memory.ts';

/** What the handshake asks for. */
export interface UpgradeOptions {
  /** One that is given takes the place of ours of the same name. */
  headers?: readonly (readonly [string, string])[];
  subprotocols?: readonly string[];
  /** Whether a server that chooses none of them fails the handshake; RFC 6455 §4.1 lets it. */
  subprotocolRequired?: boolean;
  /** What is offered of permessage-deflate; nothing by default. */
  deflate?: DeflateParameters;
  /** The value of Sec-WebSocket-Extensions, instead of {@link deflate}: any legal answer of permessage-deflate will do. */
  extensions?: string;
  /** 16 bytes in base64, instead of random ones. */
  key?: string;
  /** The whole request, instead of ours: tests break the rules. The answer is judged by the other options. */
  request?: Buffer;
  /** Shared by handshakes whose other options are the same. */
  memory?: UpgradeMemory;
}

/** A handshake that came about. */
export interface Handshake extends Upgraded {
  /** The answer; with {@link UpgradeOptions.memory} it may be that of an earlier handshake, which answers another key. */
  response: UpgradeResponse;
}

/** What a dialogue makes of the bytes so far. */
export type HandshakeState =
  | { state: 'more' }
  /** An answer other than 101: its body is still to come, to say why. */
  | { state: 'refused' }
  | { state: 'done'; handshake: Handshake; rest: Buffer }
  | { state: 'failed'; cause: Cause };

// As much as Node's own client reads.
const limits: HeadLimits = { ...headLimits, maxHeadBytes: 16 * 1024 };
const maxBodyBytes = 1024;
const more: HandshakeState = { state: 'more' };

/** One handshake. */
export class UpgradeDialogue {
  /** What is written. */
  readonly request: Buffer;
  readonly #options: UpgradeOptions;
  readonly #key: string;
  readonly #parser = new ResponseParser(limits);
  #first: Buffer = Buffer.alloc(0);
  /** An answer that is no 101, and what came of its body. */
  #refusal: UpgradeResponse | undefined;
  #body: Buffer = Buffer.alloc(0);

  constructor(endpoint: Endpoint, options: UpgradeOptions, key: string) {
    const { memory } = options;
    this.#options = options;
    this.#key = key;
    const known = options.request ?? memory?.request(endpoint, key);
    this.request = known ?? requestOf(endpoint, options, key);
    if (!known) memory?.keepRequest(endpoint, key, this.request);
  }

  get bytesRead(): number {
    return this.#parser.size;
  }

  /** True when an answer came, though not the one that was asked for. */
  get hasAnswer(): boolean {
    return this.#refusal !== undefined;
  }

  /** Takes what the server says. */
  push(chunk: Buffer): HandshakeState {
    if (this.#refusal) return this.#more(chunk);
    const { memory } = this.#options;
    const isFirst = this.#first.length === 0;
    if (isFirst) {
      const known = memory?.judge(chunk, this.#key);
      if (known) return { state: 'done', handshake: known.handshake, rest: known.rest };
      this.#first = Buffer.from(chunk.subarray(0, 64));
    }
    const head = this.#parser.push(chunk);
    if (head.state === 'more') return more;
    if (head.state === 'failed') {
      if (this.#parser.size > limits.maxHeadBytes) return { state: 'failed', cause: headersTooLong };
      const why = head.problem.startsWith('what answers') ? '' : oneLine(head.problem);
      return { state: 'failed', cause: answerIsNotHttp(this.#first, why) };
    }
    if (head.response.status === 101) {
      const handshake = this.#judge(head.response);
      if ('kind' in handshake) return { state: 'failed', cause: handshake };
      if (isFirst) memory?.keepAnswer(chunk, this.#key, handshake);
      return { state: 'done', handshake, rest: head.rest };
    }
    this.#refusal = head.response;
    const state = this.#more(head.rest);
    return state.state === 'more' ? { state: 'refused' } : state;
  }

  /** No more will come, or it is not waited for. */
  end(): HandshakeState {
    const response = this.#refusal;
    if (!response) return { state: 'failed', cause: hungUp('upgrade') };
    const headers = byName(response);
    const body = isChunked(headers) ? withoutChunks(this.#body) : this.#body;
    const { status, reason: statusText } = response;
    const detail = httpDetail({ status, statusText, headers, body: body.toString() });
    const { 'retry-after': wait } = headers;
    const waitMs = wait === undefined ? undefined : retryAfterMs(wait, Date.now());
    const cause: Cause = { kind: 'http', detail, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) };
    return { state: 'failed', cause };
  }

  #judge(response: UpgradeResponse): Handshake | Cause {
    const { subprotocols = [], subprotocolRequired = false, extensions } = this.#options;
    const deflate = extensions === undefined ? (this.#options.deflate ?? null) : 'anything';
    const fault = upgradeFault(
      { httpVersion: response.version.slice('HTTP/'.length), headers: byName(response) },
      { key: this.#key, subprotocols, subprotocolRequired, extensionsOffered: deflate !== null },
    );
    if (fault) return fault;
    const judged = judgeResponse(response, { key: this.#key, subprotocols, deflate });
    if (!('problem' in judged)) return { ...judged, response };
    const detail = `HTTP 101, but ${oneLine(judged.problem)} (${judged.section})`;
    return { kind: judged.kind, detail };
  }

  #more(chunk: Buffer): HandshakeState {
    this.#body = Buffer.concat([this.#body, chunk]).subarray(0, maxBodyBytes);
    const length = this.#refusal?.headers.find(([name]) => /^content-length$/i.test(name))?.[1];
    const whole = length === undefined ? maxBodyBytes : Math.min(maxBodyBytes, Number(length));
    const isLast = length === undefined && this.#body.subarray(-5).toString('latin1') === '0\r\n\r\n';
    return this.#body.length >= whole || isLast ? this.end() : more;
  }
}

function requestOf({ authority: host, target }: Endpoint, options: UpgradeOptions, key: string): Buffer {
  const { subprotocols, deflate, extensions, headers } = options;
  return encodeRequest({
    target,
    headers: upgradeHeaders({
      host,
      key,
      ...(subprotocols === undefined ? {} : { subprotocols }),
      ...(deflate === undefined ? {} : { extensions: deflateHeader(deflate) }),
      ...(extensions === undefined ? {} : { extensions }),
      ...(headers === undefined ? {} : { headers }),
    }),
  });
}

/** The headers by name in small letters; repeated ones joined. RFC 9110 §5.3 */
function byName(response: UpgradeResponse): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of response.headers) {
    const key = name.toLowerCase();
    const known = headers[key];
    headers[key] = known === undefined ? value : `${known}, ${value}`;
  }
  return headers;
}

const isChunked = (headers: Record<string, string>): boolean =>
  /\bchunked\b/i.test(headers['transfer-encoding'] ?? '');

/** The content of chunks, as far as they came. RFC 9112 §7.1 */
function withoutChunks(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = body.indexOf('\r\n', at, 'latin1');
    const size = end < 0 ? Number.NaN : Number.parseInt(body.toString('latin1', at, end), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
