// A connection: opened with or without the WebSocket handshake, then bytes both ways. It may send what is illegal.
import type { OnReadOpts, Socket } from 'node:net';
import type { Cause, Stage } from '../cause/cause.ts';
import { timedOut as causeOfTimeout, classify } from '../cause/connect-error.ts';
import { messageOf } from '../errors.ts';
import { type Dialling, type DialOptions, type DialSink, type DialTimes, dial } from './dial.ts';
import { DirectWriter } from './direct-writer.ts';
import type { Endpoint } from './endpoint.ts';
import { type Chop, PieceWriter } from './piece-writer.ts';
import { randomKey } from './random-key.ts';
import { own, readAsStream, type SocketOwner } from './socket-owner.ts';
import { type Handshake, type HandshakeState, UpgradeDialogue, type UpgradeOptions } from './upgrade.ts';
import type { WireLog } from './wire-log.ts';

/** How to open a connection. */
export interface OpenOptions extends Omit<DialOptions, 'nowUs'> {
  /** Limit of everything up to `opened` together. */
  timeoutMs: number;
  /** The handshake; without it the connection is handed out before one. */
  upgrade?: UpgradeOptions;
  /** Takes down what goes over the wire (inside TLS). */
  wireLog?: WireLog;
  /** A monotonic clock, in µs, for {@link ConnectTimes} and the times of reads. */
  nowUs?: () => number;
}

/** How long the parts of a connect took, in µs; null: that part was not needed. */
export interface ConnectTimes extends DialTimes {
  upgradeUs: number | null;
  totalUs: number;
}

/** What a connection tells of. Never called from within {@link open}. */
export interface TransportSink {
  /** @param handshake what was agreed; null without a handshake */
  opened(times: ConnectTimes, handshake: Handshake | null): void;
  /** Bytes lie in `buf` from `start` to `end`, valid during the call only; they may be changed there. */
  data(buf: Buffer, start: number, end: number, atUs: number): void;
  /** The peer ended its direction: nothing more will come. Ours is still open. */
  ended(): void;
  /** What was waiting to be written has been: after a {@link Connection.write} that returned false. */
  drained(): void;
  /**
   * The connection is over, and nothing follows.
   *
   * @param cause what broke it; null: both directions came to their end
   */
  closed(cause: Cause | null): void;
  /**
   * There will be no connection, and nothing follows.
   *
   * @param stage how far it had come; `tcp` includes the dialogue with a proxy
   */
  failed(cause: Cause, stage: Stage): void;
}

/** Opens a connection. */
export function open(endpoint: Endpoint, options: OpenOptions, sink: TransportSink): Connection {
  return new Connection(endpoint, options, sink);
}

// Reads end in one room that all connections share: what is read is given away before the next read.
const readRoom = Buffer.allocUnsafeSlow(64 * 1024);
// Node takes a longer time for 1 ms.
const longestMs = 2 ** 31 - 1;
// The body of a refusal says more than its status, and is not waited for long.
const bodyWaitMs = 1000;
const sinceStart = (): number => performance.now() * 1000;

/** What is needed until a connection is open, and let go then: thousands are kept. */
interface Opening {
  readonly options: OpenOptions;
  readonly startUs: number;
  timer: NodeJS.Timeout | undefined;
  dialling: Dialling | undefined;
  times: DialTimes | undefined;
  upgrade: UpgradeDialogue | undefined;
}

/** One connection, opening or open. */
export class Connection implements DialSink, SocketOwner {
  readonly #endpoint: Endpoint;
  readonly #sink: TransportSink;
  readonly #nowUs: () => number;
  readonly #log: WireLog | undefined;
  #opening: Opening | undefined;
  #socket: Socket | undefined;
  #raw: Socket | undefined;
  #stage: 'dialling' | 'upgrade' | 'open' | 'over' = 'dialling';
  #isEnding = false;
  #pieces: PieceWriter | undefined;
  #direct: DirectWriter | undefined;

  /** @internal */
  constructor(endpoint: Endpoint, options: OpenOptions, sink: TransportSink) {
    this.#endpoint = endpoint;
    this.#sink = sink;
    this.#nowUs = options.nowUs ?? sinceStart;
    this.#log = options.wireLog;
    const opening: Opening = {
      options,
      startUs: this.#nowUs(),
      timer: setTimeout(timedOut, Math.min(options.timeoutMs, longestMs), this),
      dialling: undefined,
      times: undefined,
      upgrade: undefined,
    };
    this.#opening = opening;
    // TLS and proxies are read as streams.
    const isDirect = !endpoint.secure && !options.proxy;
    const onread: OnReadOpts | undefined = isDirect
      ? {
          buffer: readRoom,
          callback: (size, buf) => {
            this.#read(buf as Buffer, 0, size);
            return true;
          },
        }
      : undefined;
    opening.dialling = dial(endpoint, { ...options, nowUs: this.#nowUs }, onread, this);
  }

  /** Bytes taken but not yet accepted by the operating system. */
  get bufferedBytes(): number {
    return (
      (this.#socket?.writableLength ?? 0) +
      (this.#direct?.waitingBytes ?? 0) +
      (this.#pieces?.waitingBytes ?? 0)
    );
  }

  /** The address and port of our end, once it has them. */
  get local(): { address: string; port: number } | undefined {
    const { localAddress: address, localPort: port } = this.#raw ?? {};
    return address === undefined || port === undefined ? undefined : { address, port };
  }

  /**
   * Writes bytes, which must not change until they are written.
   *
   * @returns false when more is waiting than should, until `drained`; or when there is no connection yet or any more: then
   *   nothing was written
   */
  write(bytes: Uint8Array): boolean {
    if (!this.#pieces?.isBusy) return this.#write(bytes);
    this.#pieces.add(bytes);
    return false;
  }

  /** Holds writes back until {@link uncork}, which writes them with one call. */
  cork(): void {
    this.#socket?.cork();
  }

  uncork(): void {
    this.#socket?.uncork();
  }

  /**
   * Writes bytes in pieces, each by itself; what is written meanwhile comes after them.
   *
   * @throws RangeError for sizes that never come to an end
   */
  chop(bytes: Uint8Array, chop: Chop): void {
    this.#pieces ??= new PieceWriter(
      (piece, written) => this.#write(piece, written),
      () => {
        if (this.#isEnding) this.#socket?.end();
      },
    );
    this.#pieces.add(bytes, chop);
  }

  /** Stops reading, so that the peer's sends fill up. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Ends our direction once everything is written: half-close. What the peer sends still comes. */
  end(): void {
    this.#isEnding = true;
    if (!this.#pieces?.isBusy) this.#socket?.end();
  }

  /** Ends the connection at once with a RST (a Unix socket has none: it is closed). Nothing more is told. */
  reset(): void {
    const raw = this.#raw;
    if (raw && this.#endpoint.socketPath === undefined) {
      this.#over();
      raw.resetAndDestroy();
    }
    this.destroy();
  }

  /** Ends the connection at once, or the attempt to open it. Nothing more is told. */
  destroy(): void {
    this.#opening?.dialling?.abort();
    this.#over();
    this.#socket?.destroy();
    this.#raw?.destroy();
  }

  #write(bytes: Uint8Array, written?: () => void): boolean {
    const socket = this.#socket;
    if (!socket || this.#stage === 'over') return false;
    this.#log?.add('out', this.#nowUs(), bytes);
    // TLS has writes of its own.
    if (this.#stage === 'open' && written === undefined && socket === this.#raw) {
      this.#direct ??= new DirectWriter(socket);
      if (this.#direct.takes(bytes.length)) {
        this.#direct.write(bytes);
        return true;
      }
    }
    return socket.write(bytes, written);
  }

  /** @internal */
  dialled(socket: Socket, raw: Socket, times: DialTimes): void {
    const opening = this.#opening;
    if (!opening) return;
    opening.dialling = undefined;
    opening.times = times;
    this.#socket = socket;
    this.#raw = raw;
    own(socket, this);
    if (raw !== socket) own(raw, this);
    const { upgrade, proxy } = opening.options;
    if (this.#endpoint.secure || proxy) {
      readAsStream(socket);
      // It was paused after the dialogue with a proxy.
      socket.resume();
    }
    if (!upgrade) {
      this.#opened(null);
      return;
    }
    this.#stage = 'upgrade';
    try {
      opening.upgrade = new UpgradeDialogue(this.#endpoint, upgrade, upgrade.key ?? randomKey());
    } catch (error) {
      // A header that no request can carry.
      this.#fail({ kind: 'handshake', detail: messageOf(error) });
      return;
    }
    this.#write(opening.upgrade.request);
  }

  /** @internal */
  failed(cause: Cause): void {
    this.#fail(cause);
  }

  /** @internal */
  received(chunk: Buffer): void {
    this.#read(chunk, 0, chunk.length);
  }

  /** @internal */
  ended(socket: Socket): void {
    if (socket !== this.#socket) return;
    if (this.#stage === 'open') this.#sink.ended();
    else if (this.#stage === 'upgrade') this.#heard(this.#opening?.upgrade?.end(), this.#nowUs());
  }

  /** @internal */
  drained(socket: Socket): void {
    if (socket === this.#socket && this.#stage === 'open') this.#sink.drained();
  }

  /** @internal */
  broke(error: Error): void {
    if (this.#stage === 'upgrade') {
      // An answer that was refused is worth more than how it ended.
      const upgrade = this.#opening?.upgrade;
      const state = upgrade?.hasAnswer ? upgrade.end() : undefined;
      this.#fail(state?.state === 'failed' ? state.cause : classify(error, 'upgrade'));
    } else this.#closed(classify(error, 'tcp'));
  }

  /** @internal */
  closed(socket: Socket): void {
    if (socket !== this.#socket) return;
    if (this.#stage === 'upgrade') this.ended(socket);
    this.#closed(null);
  }

  /** @internal */
  lookedUp(): void {}

  /** @internal */
  connected(): void {}

  /** @internal */
  secured(): void {}

  /** @internal */
  timedOut(): void {
    const opening = this.#opening;
    if (!opening) return;
    const stage = opening.dialling?.stage ?? 'upgrade';
    const { timeoutMs } = opening.options;
    if (stage === 'proxy') {
      this.#fail({ kind: 'timeout', detail: `no answer within ${timeoutMs} ms, waiting for the proxy` });
    } else this.#fail(causeOfTimeout(stage, timeoutMs, opening.upgrade?.bytesRead));
  }

  #read(buf: Buffer, start: number, end: number): void {
    const atUs = this.#nowUs();
    this.#log?.add('in', atUs, buf, start, end);
    if (this.#stage === 'open') this.#sink.data(buf, start, end, atUs);
    else if (this.#stage === 'upgrade')
      this.#heard(this.#opening?.upgrade?.push(buf.subarray(start, end)), atUs);
  }

  #heard(state: HandshakeState | undefined, atUs: number): void {
    const opening = this.#opening;
    if (!opening || !state || state.state === 'more') return;
    if (state.state === 'failed') {
      this.#fail(state.cause);
      return;
    }
    if (state.state === 'refused') {
      clearTimeout(opening.timer);
      opening.timer = setTimeout(() => this.#heard(opening.upgrade?.end(), atUs), bodyWaitMs);
      return;
    }
    const { handshake, rest } = state;
    this.#opened(handshake);
    // What came with the head is in the parser's own room.
    if (rest.length > 0 && this.#isOpen()) this.#sink.data(rest, 0, rest.length, atUs);
  }

  #opened(handshake: Handshake | null): void {
    const opening = this.#opening;
    if (!opening) return;
    clearTimeout(opening.timer);
    this.#opening = undefined;
    this.#stage = 'open';
    const totalUs = this.#nowUs() - opening.startUs;
    const times = opening.times ?? { dnsUs: null, tcpUs: 0, proxyUs: null, tlsUs: null };
    const before = (times.dnsUs ?? 0) + times.tcpUs + (times.proxyUs ?? 0) + (times.tlsUs ?? 0);
    this.#sink.opened({ ...times, upgradeUs: handshake ? totalUs - before : null, totalUs }, handshake);
  }

  #closed(cause: Cause | null): void {
    if (this.#stage !== 'open') return;
    this.#over();
    this.#socket?.destroy();
    this.#raw?.destroy();
    this.#sink.closed(cause);
  }

  #fail(cause: Cause): void {
    if (this.#stage === 'over' || this.#stage === 'open') return;
    const stage = this.#stage === 'upgrade' ? 'upgrade' : (this.#opening?.dialling?.stage ?? 'tcp');
    this.destroy();
    this.#sink.failed(cause, stage === 'proxy' ? 'tcp' : stage);
  }

  #isOpen(): boolean {
    return this.#stage === 'open';
  }

  #over(): void {
    this.#stage = 'over';
    clearTimeout(this.#opening?.timer);
    this.#opening = undefined;
    this.#pieces?.stop();
  }
}

function timedOut(connection: Connection): void {
  connection.timedOut();
}
