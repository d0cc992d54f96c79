// The socket that a WebSocket stands on: opened, and the parts of its opening timed.
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, rootCertificates } from 'node:tls';
import type { Stage } from '../../cause/cause.ts';
import { nowUs } from '../clock.ts';
import type { ConnectSpec, ConnectSplit } from './driver.ts';
import type { Lookup } from './lookup.ts';

/** One socket, from the lookup of its host name to the answer to the upgrade. */
export class TimedSocket {
  /** TLS is spoken. */
  readonly secure: boolean;
  /** What the opening is at, or was at last. */
  stage: Stage = 'tcp';

  readonly #spec: ConnectSpec;
  readonly #resolve: Lookup;
  readonly #startUs = nowUs();
  #socket: Socket | undefined;
  #dnsUs: number | null = null;
  #tcpUs = 0;
  #tlsUs: number | null = null;
  #lastUs = this.#startUs;

  /** The time begins; nothing is opened yet. */
  constructor(spec: ConnectSpec, resolve: Lookup) {
    this.#spec = spec;
    this.#resolve = resolve;
    this.secure = spec.url.startsWith('wss:');
  }

  /** Bytes that came so far; undefined before {@link open}. */
  get bytesRead(): number | undefined {
    return this.#socket?.bytesRead;
  }

  /** Begins to open it. What goes wrong is told by the socket itself. */
  open({ host, port }: { host: string; port: number | string }): Socket {
    const options = { host, port: Number(port), noDelay: true, lookup: this.#resolve as never };
    const ca = this.#spec.caCertificates;
    const socket = this.secure
      ? connectTls({
          ...options,
          servername: isIP(host) ? '' : host,
          rejectUnauthorized: !this.#spec.insecure,
          ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
        })
      : connectTcp(options);
    this.#socket = socket;
    if (isIP(host) === 0) {
      this.stage = 'dns';
      socket.once('lookup', () => {
        this.#dnsUs = this.#lap();
        if (this.stage === 'dns') this.stage = 'tcp';
      });
    }
    socket.once('connect', () => {
      this.#tcpUs = this.#lap();
      this.stage = this.secure ? 'tls' : 'upgrade';
    });
    socket.once('secureConnect', () => {
      this.#tlsUs = this.#lap();
      this.stage = 'upgrade';
    });
    return socket;
  }

  /** How long everything took, now that the upgrade was answered. */
  upgraded(): Omit<ConnectSplit, 'subprotocol'> {
    const upgradeUs = this.#lap();
    const totalUs = this.#lastUs - this.#startUs;
    return { dnsUs: this.#dnsUs, tcpUs: this.#tcpUs, tlsUs: this.#tlsUs, upgradeUs, totalUs };
  }

  /** Holds back what is written until {@link uncork}. */
  cork(): void {
    this.#socket?.cork();
  }

  uncork(): void {
    this.#socket?.uncork();
  }

  destroy(): void {
    this.#socket?.destroy();
  }

  #lap(): number {
    const now = nowUs();
    const passed = now - this.#lastUs;
    this.#lastUs = now;
    return passed;
  }
}
