// The WebSocket handshake over a connection: what is written, and what the answer comes to. No I/O.
import type { Cause } from '../cause/cause.ts';
import { answerIsNotHttp, hungUp } from '../cause/connect-error.ts';
import { httpDetail } from '../cause/http-answer.ts';
import { oneLine } from '../cause/one-line.ts';
import { type DeflateParameters, deflateHeader } from '../protocol/deflate-negotiation.ts';
import {
  encodeRequest,
  judgeResponse,
  type Upgraded,
  type UpgradeResponse,
  upgradeHeaders,
} from '../protocol/handshake.ts';
import { ResponseParser } from '../protocol/response-parser.ts';
import type { Endpoint } from './endpoint.ts';

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
}

/** A handshake that came about. */
export interface Handshake extends Upgraded {
  response: UpgradeResponse;
}

/** What a dialogue makes of the bytes so far. */
export type HandshakeState =
  | { state: 'more' }
  /** An answer other than 101: its body is still to come, to say why. */
  | { state: 'refused' }
  | { state: 'done'; handshake: Handshake; rest: Buffer }
  | { state: 'failed'; cause: Cause };

const maxBodyBytes = 1024;
const more: HandshakeState = { state: 'more' };

/** One handshake. */
export class UpgradeDialogue {
  /** What is written. */
  readonly request: Buffer;
  readonly #options: UpgradeOptions;
  readonly #key: string;
  readonly #parser = new ResponseParser();
  #first: Buffer = Buffer.alloc(0);
  /** An answer that is no 101, and what came of its body. */
  #refusal: UpgradeResponse | undefined;
  #body: Buffer = Buffer.alloc(0);

  constructor({ authority: host, target }: Endpoint, options: UpgradeOptions, key: string) {
    const { subprotocols, deflate, extensions, headers } = options;
    this.#options = options;
    this.#key = key;
    this.request =
      options.request ??
      encodeRequest({
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
    if (this.#first.length === 0) this.#first = Buffer.from(chunk.subarray(0, 64));
    const head = this.#parser.push(chunk);
    if (head.state === 'more') return more;
    if (head.state === 'failed') {
      const why = head.problem.startsWith('what answers') ? '' : oneLine(head.problem);
      return { state: 'failed', cause: answerIsNotHttp(this.#first, why) };
    }
    const judged = judgeResponse(head.response, {
      key: this.#key,
      subprotocols: this.#options.subprotocols ?? [],
      deflate: this.#options.extensions === undefined ? (this.#options.deflate ?? null) : 'anything',
    });
    if (!('problem' in judged)) {
      const { subprotocols = [], subprotocolRequired } = this.#options;
      if (subprotocolRequired && subprotocols.length > 0 && judged.subprotocol === '') {
        // What is offered may be a credential, so it is counted, not named.
        const detail = `HTTP 101, but it chose none of the ${subprotocols.length} subprotocols that were offered (RFC 6455 §4.2.2)`;
        return { state: 'failed', cause: { kind: 'subprotocol', detail } };
      }
      return { state: 'done', handshake: { ...judged, response: head.response }, rest: head.rest };
    }
    if (judged.kind !== 'http') {
      const detail = `HTTP 101, but ${oneLine(judged.problem)} (${judged.section})`;
      return { state: 'failed', cause: { kind: judged.kind, detail } };
    }
    this.#refusal = head.response;
    const state = this.#more(head.rest);
    return state.state === 'more' ? { state: 'refused' } : state;
  }

  /** No more will come, or it is not waited for. */
  end(): HandshakeState {
    const response = this.#refusal;
    if (!response) return { state: 'failed', cause: hungUp('upgrade') };
    const headers: Record<string, string> = {};
    for (const [name, value] of response.headers) headers[name.toLowerCase()] ??= value;
    const body = isChunked(headers) ? withoutChunks(this.#body) : this.#body;
    const { status, reason: statusText } = response;
    const detail = httpDetail({ status, statusText, headers, body: body.toString() });
    return { state: 'failed', cause: { kind: 'http', detail } };
  }

  #more(chunk: Buffer): HandshakeState {
    this.#body = Buffer.concat([this.#body, chunk]).subarray(0, maxBodyBytes);
    const length = this.#refusal?.headers.find(([name]) => /^content-length$/i.test(name))?.[1];
    const whole = length === undefined ? maxBodyBytes : Math.min(maxBodyBytes, Number(length));
    const isLast = length === undefined && this.#body.subarray(-5).toString('latin1') === '0\r\n\r\n';
    return this.#body.length >= whole || isLast ? this.end() : more;
  }
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
