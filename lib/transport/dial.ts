// From an address to a socket: name, TCP, proxy, TLS, each timed.
import { connect, isIP, type OnReadOpts, type Socket, type TcpSocketConnectOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Cause, Stage } from '../cause/cause.ts';
import { classify, hungUp } from '../cause/connect-error.ts';
import { oneLine } from '../cause/one-line.ts';
import type { Endpoint } from './endpoint.ts';
import type { LocalEnd, LocalPorts } from './local-ports.ts';
import { type Dialogue, dialogueWith, type ProxyServer } from './proxy.ts';
import {
  hearLookup,
  hearSecured,
  leaseUntilClosed,
  own,
  readAsStream,
  type SocketOwner,
} from './socket-owner.ts';
import type { TlsSettings } from './tls-settings.ts';

/** How to get there. */
export interface DialOptions {
  /** Needed for `wss://`. */
  tls?: TlsSettings;
  proxy?: ProxyServer;
  /** Shared by all connections that are not to take each other's ports. */
  localPorts?: LocalPorts;
  /** Instead of the system's, as `net.connect` takes it. */
  lookup?: TcpSocketConnectOpts['lookup'];
  /** A monotonic clock, in µs. */
  nowUs: () => number;
}

/** How long the parts took, in µs; null: that part was not needed. */
export interface DialTimes {
  dnsUs: number | null;
  tcpUs: number;
  /** The dialogue with a proxy. */
  proxyUs: number | null;
  tlsUs: number | null;
}

/** How far a dialling has come. */
export type DialStage = Exclude<Stage, 'upgrade'> | 'proxy';

/** What a dialling tells of: one of these, once, never from within {@link dial}. */
export interface DialSink {
  /**
   * @param socket what is read and written
   * @param raw the TCP or Unix socket below it
   */
  dialled(socket: Socket, raw: Socket, times: DialTimes): void;
  failed(cause: Cause): void;
}

/** A dialling under way. */
export interface Dialling {
  readonly stage: DialStage;
  /** Ends it; nothing more is told. */
  abort(): void;
}

// Of ports that others use: so many are tried before a connection is given up.
const maxPortTries = 1000;

/**
 * Opens a socket.
 *
 * @param onread takes what is read from a socket without TLS or proxy, into a buffer that sockets share
 */
export function dial(
  endpoint: Endpoint,
  options: DialOptions,
  onread: OnReadOpts | undefined,
  sink: DialSink,
): Dialling {
  return new Dial(endpoint, options, onread, sink);
}

class Dial implements Dialling, SocketOwner {
  readonly #endpoint: Endpoint;
  readonly #options: DialOptions;
  readonly #onread: OnReadOpts | undefined;
  readonly #sink: DialSink;
  readonly #times: DialTimes = { dnsUs: null, tcpUs: 0, proxyUs: null, tlsUs: null };
  #stage: DialStage = 'tcp';
  #isOver = false;
  #lastUs: number;
  #raw: Socket | undefined;
  #secure: Socket | undefined;
  /** Of the attempt under way. */
  #end: LocalEnd | undefined;
  #portTries = 0;
  #dialogue: Dialogue | undefined;

  constructor(endpoint: Endpoint, options: DialOptions, onread: OnReadOpts | undefined, sink: DialSink) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#onread = onread;
    this.#sink = sink;
    this.#lastUs = options.nowUs();
    this.#connect();
  }

  get stage(): DialStage {
    return this.#stage;
  }

  abort(): void {
    this.#isOver = true;
    this.#secure?.destroy();
    this.#raw?.destroy();
  }

  lookedUp(error: Error | null): void {
    if (error) return;
    this.#times.dnsUs = this.#lap();
    this.#stage = 'tcp';
  }

  connected(socket: Socket): void {
    const { proxy } = this.#options;
    this.#times.tcpUs = this.#lap();
    if (proxy) this.#throughProxy(socket, proxy);
    else this.#connected(socket);
  }

  secured(socket: Socket): void {
    this.#times.tlsUs = this.#lap();
    this.#done(socket, this.#raw ?? socket);
  }

  received(chunk: Buffer): void {
    const socket = this.#raw;
    const state = this.#dialogue?.push(chunk);
    if (!socket || !state) return;
    if (state.state === 'more') {
      if (state.say) socket.write(state.say);
      return;
    }
    this.#dialogue = undefined;
    if (state.state === 'failed') {
      this.#fail({ kind: 'network', detail: `${this.#proxyName()} refused: ${oneLine(state.detail)}` });
      return;
    }
    if (this.#endpoint.secure && state.rest.length > 0) {
      this.#fail({
        kind: 'tls',
        detail: `${this.#proxyName()} let the target speak before the TLS handshake`,
      });
      return;
    }
    this.#times.proxyUs = this.#lap();
    socket.pause();
    if (state.rest.length > 0) socket.unshift(state.rest);
    this.#connected(socket);
  }

  ended(socket: Socket): void {
    if (this.#dialogue) this.#fail({ kind: 'reset', detail: `${this.#proxyName()} hung up` });
    else if (socket === this.#secure) this.#fail(hungUp('tls'));
  }

  broke(error: NodeJS.ErrnoException): void {
    // Somebody else has that port, or had it a moment ago: the next one. What is given back may be free when its turn comes again.
    const isTaken = this.#end !== undefined && this.#stage === 'tcp' && isPortTaken(error);
    if (isTaken && !this.#isOver) this.#connect();
    else this.#failed(error);
  }

  drained(): void {}

  closed(): void {}

  #connect(): void {
    const { localPorts } = this.#options;
    if (this.#endpoint.socketPath !== undefined || !localPorts) {
      this.#open(undefined);
      return;
    }
    const isSpent = this.#portTries++ >= Math.min(maxPortTries, localPorts.size);
    const end = isSpent ? undefined : localPorts.take();
    if (end) this.#open(end);
    else {
      const detail = `EADDRNOTAVAIL: no free local port in ${localPorts.describe()}`;
      process.nextTick(() => this.#fail({ kind: 'resources', detail }));
    }
  }

  #open(end: LocalEnd | undefined): void {
    const { proxy, tls, localPorts } = this.#options;
    const { host, port } = proxy ?? this.#endpoint;
    const isDirect = !proxy && !this.#endpoint.secure;
    const isName = isIP(host) === 0 && this.#endpoint.socketPath === undefined;
    this.#stage = isName ? 'dns' : 'tcp';
    let socket: Socket;
    try {
      if (this.#endpoint.secure && !tls) throw new TypeError('wss:// needs settings for TLS');
      socket = connect({
        ...(this.#endpoint.socketPath === undefined
          ? { host, port, ...this.#lookup(), ...localOptions(end) }
          : { path: this.#endpoint.socketPath }),
        noDelay: true,
        allowHalfOpen: true,
        ...(isDirect && this.#onread ? { onread: this.#onread } : {}),
      });
    } catch (error) {
      if (end) localPorts?.release(end);
      process.nextTick(() => this.#fail(classify(error, 'tcp')));
      return;
    }
    this.#raw = socket;
    this.#end = end;
    own(socket, this);
    if (isName) hearLookup(socket);
    if (end && localPorts) leaseUntilClosed(socket, localPorts, end);
  }

  #lookup(): Pick<TcpSocketConnectOpts, 'lookup'> {
    const { lookup } = this.#options;
    return lookup === undefined ? {} : { lookup };
  }

  #throughProxy(socket: Socket, proxy: ProxyServer): void {
    this.#stage = 'proxy';
    this.#dialogue = dialogueWith(proxy, this.#endpoint);
    readAsStream(socket);
    socket.write(this.#dialogue.hello);
  }

  #proxyName(): string {
    const { proxy } = this.#options;
    return `the proxy ${proxy?.host}:${proxy?.port}`;
  }

  #connected(socket: Socket): void {
    const { tls } = this.#options;
    if (!this.#endpoint.secure || !tls) {
      this.#done(socket, socket);
      return;
    }
    this.#stage = 'tls';
    const { host } = this.#endpoint;
    const servername = tls.servername ?? host;
    const secure = connectTls({
      socket,
      host: servername,
      servername: isIP(servername) === 0 ? servername : '',
      secureContext: tls.context,
      rejectUnauthorized: !tls.insecure,
    });
    this.#secure = secure;
    own(secure, this);
    hearSecured(secure);
  }

  #done(socket: Socket, raw: Socket): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink.dialled(socket, raw, this.#times);
  }

  #failed(error: Error): void {
    const cause = classify(error, this.#stage === 'proxy' ? 'tcp' : this.#stage);
    const { proxy } = this.#options;
    const isOfProxy = proxy && this.#stage !== 'tls';
    this.#fail(isOfProxy ? { ...cause, detail: `the proxy: ${cause.detail}` } : cause);
  }

  #fail(cause: Cause): void {
    if (this.#isOver) return;
    this.abort();
    this.#sink.failed(cause);
  }

  #lap(): number {
    const now = this.#options.nowUs();
    const passed = now - this.#lastUs;
    this.#lastUs = now;
    return passed;
  }
}

function localOptions(end: LocalEnd | undefined): Partial<TcpSocketConnectOpts> {
  if (!end) return {};
  // One address to go from has one family: there is nothing to choose.
  const family = isIP(end.address);
  return { localAddress: end.address, localPort: end.port, family, autoSelectFamily: false };
}

/** In use here, or with the same other end a minute ago. */
function isPortTaken({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL';
}
