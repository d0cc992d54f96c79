// The driver over the ws package.
import type { ClientRequest, IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { Cause, FailureKind } from '../../cause/cause.ts';
import { classify, timedOut } from '../../cause/connect-error.ts';
import { headersOf, httpDetail, readHttpAnswer } from '../../cause/http-answer.ts';
import { type Address, speaksTls, tlsInstead } from '../../cause/speaks-tls.ts';
import { upgradeFault } from '../../cause/upgrade.ts';
import { describeViolation, pingFlood, violationOf } from '../../cause/violation.ts';
import { messageOf } from '../../errors.ts';
import { joinHeaders } from '../../target/headers.ts';
import { never, nowUs } from '../clock.ts';
import type { Connection, ConnectSpec, Driver, MessageTemplate, Sink } from './driver.ts';
import { type Lookup, sharedLookup } from './lookup.ts';
import { PingNumbers } from './ping-numbers.ts';
import { TimedSocket } from './timed-socket.ts';

const maxPayloadBytes = 16 * 1024 * 1024;
const closeTimeoutMs = 2000;
const numberBytes = 6;
// Of an answer that is no 101; its head came in time already.
const bodyWaitMs = 1000;

/** What the connections of one driver learn together. */
interface Shared {
  resolve: Lookup;
  /** Asked once a port: every connection to it hangs up for the same reason. */
  speaksTls: (address: Address) => Promise<boolean>;
}

/** Makes a driver over the ws package; connections of one driver share what they learn of host names and ports. */
export function createWsDriver(): Driver {
  const asked = new Map<string, Promise<boolean>>();
  const shared: Shared = {
    resolve: sharedLookup(),
    speaksTls: (address) => {
      const key = `${address.host} ${address.port}`;
      const answer = asked.get(key) ?? speaksTls(address);
      asked.set(key, answer);
      return answer;
    },
  };
  return { name: 'ws', open: (spec, sink) => new WsConnection(spec, sink, shared) };
}

class WsConnection implements Connection {
  readonly #sink: Sink;
  readonly #spec: ConnectSpec;
  readonly #socket: TimedSocket;
  readonly #pingPayload = Buffer.alloc(4);
  readonly #numbers = new PingNumbers();
  readonly #numberPayload = Buffer.alloc(numberBytes);
  readonly #timer: NodeJS.Timeout;
  readonly #shared: Shared;
  #ws: WebSocket | undefined;
  #request: ClientRequest | undefined;
  #state: 'connecting' | 'open' | 'over' = 'connecting';
  #isCorked = false;
  #closing = false;
  #violation = 0;
  #pings = 0;
  #pingSentUs = never;

  constructor(spec: ConnectSpec, sink: Sink, shared: Shared) {
    this.#spec = spec;
    this.#sink = sink;
    this.#shared = shared;
    this.#socket = new TimedSocket(spec, shared.resolve);
    this.#timer = setTimeout(() => this.#timedOut(), spec.timeoutMs);
    try {
      this.#ws = this.#connect();
    } catch (error) {
      // A header or certificate that Node refuses throws here; the contract has no callbacks from within open.
      const kind: FailureKind = this.#socket.secure ? 'tls' : 'handshake';
      process.nextTick(() => this.#fail({ kind, detail: messageOf(error) }));
    }
  }

  get bufferedBytes(): number {
    return this.#ws?.bufferedAmount ?? 0;
  }

  queue(template: MessageTemplate, seq: number, _dueUs: number): boolean {
    const ws = this.#ws;
    if (!ws || ws.readyState !== WebSocket.OPEN) return false;
    this.#cork();
    template.stamp(seq);
    // ws copies a Buffer when it masks it, so the template's bytes are free again when send returns.
    ws.send(template.bytes, template.binary ? asBinary : asText);
    return true;
  }

  queuePing(seq: number): boolean {
    const ws = this.#ws;
    if (!ws || ws.readyState !== WebSocket.OPEN) return false;
    if (!this.#numbers.take(seq)) return true;
    this.#cork();
    this.#pingNumber(ws, seq);
    return true;
  }

  flush(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.#socket.uncork();
  }

  sendText(text: string): boolean {
    if (this.#ws?.readyState !== WebSocket.OPEN) return false;
    this.#ws.send(text, asText);
    return true;
  }

  ping(): void {
    if (this.#pingSentUs !== never || this.#ws?.readyState !== WebSocket.OPEN) return;
    this.#pingPayload.writeUInt32BE(++this.#pings >>> 0);
    this.#pingSentUs = nowUs();
    this.#ws.ping(this.#pingPayload);
  }

  pause(): void {
    this.#ws?.pause();
  }

  resume(): void {
    this.#ws?.resume();
  }

  close(code: number, reason: string): void {
    if (this.#state !== 'open') {
      this.abort();
      return;
    }
    if (this.#ws?.readyState === WebSocket.OPEN) this.#closing = true;
    // A paused connection would never see the peer's answer.
    this.#ws?.resume();
    this.#ws?.close(code, reason);
  }

  abort(): void {
    if (this.#state === 'open') {
      if (this.#ws?.readyState === WebSocket.OPEN) this.#closing = true;
      this.#ws?.terminate();
      return;
    }
    this.#over();
    this.#ws?.terminate();
    this.#socket.destroy();
  }

  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket.cork();
  }

  #connect(): WebSocket {
    const { headers, subprotocols } = this.#spec;
    const ws = new WebSocket(this.#spec.url, [...subprotocols], {
      perMessageDeflate: false,
      maxPayload: maxPayloadBytes,
      closeTimeout: closeTimeoutMs,
      headers: joinHeaders(headers),
      createConnection: ((options: { host: string; port: number | string }) =>
        this.#socket.open(options)) as never,
      finishRequest: (request: ClientRequest) => {
        this.#request = request;
        request.end();
      },
    } as WebSocket.ClientOptions);
    ws.on('upgrade', (response) => this.#judgeUpgrade(response));
    ws.on('open', () => this.#opened(ws));
    ws.on('message', (data, isBinary) => {
      const buf = data as Buffer;
      if (this.#state === 'open') this.#sink.message(buf, 0, buf.length, isBinary ? 2 : 1, nowUs());
    });
    ws.on('pong', (data) => this.#ponged(data));
    ws.on('ping', () => this.#pinged(ws));
    ws.on('unexpected-response', (request, response) => this.#refused(request, response));
    ws.on('error', (error) => this.#errored(error));
    ws.on('close', (code, reason) => this.#closed(code, reason));
    return ws;
  }

  #opened(ws: WebSocket): void {
    if (this.#state === 'over') return;
    clearTimeout(this.#timer);
    this.#state = 'open';
    this.#sink.opened({ ...this.#socket.upgraded(), subprotocol: ws.protocol });
  }

  /** ws drops a peer that pings faster than it can be answered, without a word. */
  #pinged(ws: WebSocket): void {
    if (this.#state !== 'open' || ws.readyState === WebSocket.OPEN || this.#closing || this.#violation !== 0)
      return;
    this.#violation = 1006;
    this.#sink.failed('protocol', pingFlood);
  }

  #ponged(data: Buffer): void {
    if (data.length === numberBytes) {
      if (this.#state === 'open') this.#pongedNumber(data.readUIntBE(0, numberBytes));
      return;
    }
    // Servers may send pongs that nobody asked for. RFC 6455 §5.5.3
    if (this.#pingSentUs === never || this.#state !== 'open' || !data.equals(this.#pingPayload)) return;
    const sentUs = this.#pingSentUs;
    this.#pingSentUs = never;
    this.#sink.pong(sentUs, nowUs());
  }

  #pongedNumber(seq: number): void {
    const held = this.#numbers.answered(seq);
    if (held >= 0 && this.#ws?.readyState === WebSocket.OPEN) this.#pingNumber(this.#ws, held);
    this.#sink.pongOf?.(seq, nowUs());
  }

  #pingNumber(ws: WebSocket, seq: number): void {
    this.#numberPayload.writeUIntBE(seq, 0, numberBytes);
    ws.ping(this.#numberPayload);
  }

  #refused(request: ClientRequest, response: IncomingMessage): void {
    // Without Upgrade and Connection, a 101 is an answer like any other to Node.
    if (response.statusCode === 101) {
      this.#judgeUpgrade(response);
      return;
    }
    // Its head came in time; the body has a limit of its own.
    clearTimeout(this.#timer);
    readHttpAnswer(response, bodyWaitMs, (answer) => {
      this.#fail({ kind: 'http', detail: httpDetail(answer) });
      request.destroy();
    });
  }

  /** ws judges the same, but names less, and takes HTTP/1.0. */
  #judgeUpgrade(response: IncomingMessage): void {
    const key = String(this.#request?.getHeader('sec-websocket-key'));
    const answer = { httpVersion: response.httpVersion, headers: headersOf(response) };
    const fault = upgradeFault(answer, { key, subprotocols: this.#spec.subprotocols });
    if (fault) this.#fail(fault);
  }

  #errored(error: NodeJS.ErrnoException): void {
    if (this.#state === 'over') return;
    if (this.#state !== 'open') {
      const cause = classify(error, this.#socket.stage);
      // Looking whether the port speaks TLS has a limit of its own.
      clearTimeout(this.#timer);
      void tlsInstead(cause, this.#socket.stage, this.#spec.url, this.#shared.speaksTls).then((found) =>
        this.#fail(found),
      );
      return;
    }
    const violation = violationOf(error);
    if (!violation || this.#violation !== 0) return;
    this.#violation = violation.closeCode;
    this.#sink.failed('protocol', describeViolation(violation));
  }

  #closed(code: number, reason: Buffer): void {
    if (this.#state !== 'open') return;
    this.#over();
    this.flush();
    const clean = code !== 1006 && this.#violation === 0;
    const by = this.#violation !== 0 || this.#closing ? 'us' : clean ? 'peer' : 'none';
    this.#sink.closed(this.#violation || code, by, clean, reason.toString());
  }

  #timedOut(): void {
    if (this.#state === 'open' || this.#state === 'over') return;
    this.#fail(timedOut(this.#socket.stage, this.#spec.timeoutMs, this.#socket.bytesRead));
  }

  #fail({ kind, detail }: Cause): void {
    if (this.#state === 'over' || this.#state === 'open') return;
    this.#over();
    this.#ws?.terminate();
    this.#socket.destroy();
    this.#sink.failed(kind, detail);
  }

  #over(): void {
    this.#state = 'over';
    clearTimeout(this.#timer);
  }
}

const asText = { binary: false, compress: false };
const asBinary = { binary: true, compress: false };
