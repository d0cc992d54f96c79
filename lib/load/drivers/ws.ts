// The driver over the ws package.
import type { ClientRequest, IncomingMessage } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, rootCertificates } from 'node:tls';
import { WebSocket } from 'ws';
import { messageOf } from '../../errors.ts';
import { joinHeaders } from '../../target/headers.ts';
import { nowUs } from '../clock.ts';
import { classify, httpDetail, violationCode } from './causes.ts';
import type { Connection, ConnectSpec, Driver, FailureKind, MessageTemplate, Sink } from './driver.ts';
import { type Lookup, sharedLookup } from './lookup.ts';

const maxPayloadBytes = 16 * 1024 * 1024;
const closeTimeoutMs = 2000;

/** Makes a driver over the ws package; connections of one driver share what they learn of host names. */
export function createWsDriver(): Driver {
  const resolve = sharedLookup();
  return { name: 'ws', open: (spec, sink) => new WsConnection(spec, sink, resolve) };
}

class WsConnection implements Connection {
  readonly #sink: Sink;
  readonly #spec: ConnectSpec;
  readonly #startUs = nowUs();
  readonly #secure: boolean;
  readonly #pingPayload = Buffer.alloc(4);
  readonly #timer: NodeJS.Timeout;
  #ws: WebSocket | undefined;
  #socket: Socket | undefined;
  #stage: 'dns' | 'tcp' | 'tls' | 'upgrade' | 'open' | 'over' = 'tcp';
  #lookupUs: number | null = null;
  #tcpUs = 0;
  #tlsUs: number | null = null;
  #lastUs = this.#startUs;
  #isCorked = false;
  #closing = false;
  #violation = 0;
  #pings = 0;
  #pingSentUs = 0;

  constructor(spec: ConnectSpec, sink: Sink, resolve: Lookup) {
    this.#spec = spec;
    this.#sink = sink;
    this.#secure = spec.url.startsWith('wss:');
    this.#timer = setTimeout(() => this.#timedOut(), spec.timeoutMs);
    try {
      this.#ws = this.#connect(resolve);
    } catch (error) {
      // A header or certificate that Node refuses throws here; the contract has no callbacks from within open.
      process.nextTick(() => this.#fail(this.#secure ? 'tls' : 'handshake', messageOf(error)));
    }
  }

  get bufferedBytes(): number {
    return this.#ws?.bufferedAmount ?? 0;
  }

  queue(template: MessageTemplate, seq: number, _dueUs: number): boolean {
    const ws = this.#ws;
    if (!ws || ws.readyState !== WebSocket.OPEN) return false;
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket?.cork();
    }
    template.stamp(seq);
    // ws copies a Buffer when it masks it, so the template's bytes are free again when send returns.
    ws.send(template.bytes, template.binary ? asBinary : asText);
    return true;
  }

  flush(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.#socket?.uncork();
  }

  ping(): void {
    if (this.#pingSentUs > 0 || this.#ws?.readyState !== WebSocket.OPEN) return;
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
    if (this.#stage !== 'open') {
      this.abort();
      return;
    }
    if (this.#ws?.readyState === WebSocket.OPEN) this.#closing = true;
    // A paused connection would never see the peer's answer.
    this.#ws?.resume();
    this.#ws?.close(code, reason);
  }

  abort(): void {
    if (this.#stage === 'open') {
      if (this.#ws?.readyState === WebSocket.OPEN) this.#closing = true;
      this.#ws?.terminate();
      return;
    }
    this.#over();
    this.#ws?.terminate();
    this.#socket?.destroy();
  }

  #connect(resolve: Lookup): WebSocket {
    const { headers, subprotocols } = this.#spec;
    const ws = new WebSocket(this.#spec.url, [...subprotocols], {
      perMessageDeflate: false,
      maxPayload: maxPayloadBytes,
      closeTimeout: closeTimeoutMs,
      headers: joinHeaders(headers),
      createConnection: ((options: { host: string; port: number | string }) =>
        this.#openSocket(options, resolve)) as never,
    } as WebSocket.ClientOptions);
    ws.on('open', () => this.#opened(ws));
    ws.on('message', (data, isBinary) => {
      const buf = data as Buffer;
      if (this.#stage === 'open') this.#sink.message(buf, 0, buf.length, isBinary ? 2 : 1, nowUs());
    });
    ws.on('pong', (data) => this.#ponged(data));
    ws.on('unexpected-response', (request, response) => this.#refused(request, response));
    ws.on('error', (error) => this.#errored(error));
    ws.on('close', (code, reason) => this.#closed(code, reason.toString('utf8')));
    return ws;
  }

  #openSocket({ host, port }: { host: string; port: number | string }, resolve: Lookup): Socket {
    const options = { host, port: Number(port), noDelay: true, lookup: resolve as never };
    const ca = this.#spec.caCertificates;
    const socket = this.#secure
      ? connectTls({
          ...options,
          servername: isIP(host) ? '' : host,
          rejectUnauthorized: !this.#spec.insecure,
          ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
        })
      : connectTcp(options);
    this.#socket = socket;
    if (isIP(host) === 0) {
      this.#stage = 'dns';
      socket.once('lookup', () => {
        this.#lookupUs = this.#lap();
        if (this.#stage === 'dns') this.#stage = 'tcp';
      });
    }
    socket.once('connect', () => {
      this.#tcpUs = this.#lap();
      if (this.#stage !== 'over') this.#stage = this.#secure ? 'tls' : 'upgrade';
    });
    socket.once('secureConnect', () => {
      this.#tlsUs = this.#lap();
      if (this.#stage !== 'over') this.#stage = 'upgrade';
    });
    return socket;
  }

  #lap(): number {
    const now = nowUs();
    const passed = now - this.#lastUs;
    this.#lastUs = now;
    return passed;
  }

  #opened(ws: WebSocket): void {
    if (this.#stage === 'over') return;
    clearTimeout(this.#timer);
    this.#stage = 'open';
    const upgradeUs = this.#lap();
    this.#sink.opened({
      dnsUs: this.#lookupUs,
      tcpUs: this.#tcpUs,
      tlsUs: this.#tlsUs,
      upgradeUs,
      totalUs: this.#lastUs - this.#startUs,
      subprotocol: ws.protocol,
    });
  }

  #ponged(data: Buffer): void {
    // Servers may send pongs that nobody asked for. RFC 6455 §5.5.3
    if (this.#pingSentUs === 0 || this.#stage !== 'open' || !data.equals(this.#pingPayload)) return;
    const sentUs = this.#pingSentUs;
    this.#pingSentUs = 0;
    this.#sink.pong(sentUs, nowUs());
  }

  #refused(request: ClientRequest, response: IncomingMessage): void {
    httpDetail(response, (detail) => {
      this.#fail('http', detail);
      request.destroy();
    });
  }

  #errored(error: NodeJS.ErrnoException): void {
    if (this.#stage === 'over') return;
    if (this.#stage !== 'open') {
      const { kind, detail } = classify(error, this.#stage);
      this.#fail(kind, detail);
      return;
    }
    if (!error.code?.startsWith('WS_ERR_') || this.#violation !== 0) return;
    this.#violation = violationCode(error.code);
    this.#sink.failed('protocol', `${error.code}: ${error.message}`);
  }

  #closed(code: number, reason: string): void {
    if (this.#stage !== 'open') return;
    this.#over();
    this.flush();
    const clean = code !== 1006 && this.#violation === 0;
    if (this.#violation !== 0) this.#sink.closed(this.#violation, 'us', false);
    else this.#sink.closed(code, this.#closing ? 'us' : clean ? 'peer' : 'none', clean, reason);
  }

  #timedOut(): void {
    const waitedFor = {
      dns: 'the name server',
      tcp: 'the TCP connection',
      tls: 'the TLS handshake',
      upgrade: 'the answer to the upgrade',
      open: '',
      over: '',
    }[this.#stage];
    this.#fail('timeout', `no answer within ${this.#spec.timeoutMs} ms, waiting for ${waitedFor}`);
  }

  #fail(kind: FailureKind, detail: string): void {
    if (this.#stage === 'over' || this.#stage === 'open') return;
    this.#over();
    this.#ws?.terminate();
    this.#socket?.destroy();
    this.#sink.failed(kind, detail);
  }

  #over(): void {
    this.#stage = 'over';
    clearTimeout(this.#timer);
  }
}

const asText = { binary: false, compress: false };
const asBinary = { binary: true, compress: false };
