// `connect`: one connection to talk over, by hand or by a script. Auth, join and heartbeats of the target are done for its user.
import { mayCloseWith } from './cause/close-code.ts';
import { WsbenchError } from './errors.ts';
import { FailureLog } from './load/failures.ts';
import { type ClosedBy, type Connection, createWsDriver, type Driver, type Sink } from './load/index.ts';
import { keepSecret } from './result/redact.ts';
import { placeToken } from './target/credential.ts';
import { compileHeartbeats, type HeartbeatReply } from './target/heartbeats.ts';
import { receivedText } from './target/matcher.ts';
import { type ConnectionValues, connectionMessage, Opening, OpeningPlan } from './target/opening.ts';
import type { Target } from './target/target.ts';
import {
  type ConnectOptions,
  type ConnectPlan,
  connectPlan,
  describedTarget,
  targetUrlOf,
} from './target-options.ts';

/** How to connect, and as whom. */
export interface ClientOptions extends ConnectOptions {
  /** Token that goes where `tokenIn` or the target's description say. */
  token?: string;
  /** Limit of DNS, TCP, TLS and upgrade together; 10 s by default. */
  connectTimeoutMs?: number;
  /** Time that one step of auth and join may take; 5 s by default. */
  timeoutMs?: number;
}

/** What happens on a connection. */
export type ClientEvent =
  | { type: 'open'; subprotocol: string; connectMs: number }
  /** Auth and join are done: from here on the connection is the user's. */
  | { type: 'ready' }
  /** Something was sent. `opening`: auth or join; `heartbeat`: the target's, answered, or ours. */
  | { type: 'sent'; data: string | Uint8Array; why: 'asked' | 'opening' | 'heartbeat' }
  /** A message came; `data` is a copy. */
  | { type: 'message'; data: Buffer; binary: boolean }
  | { type: 'pong'; rttMs: number }
  /** The target broke the protocol; `closed` follows. */
  | { type: 'violation'; detail: string }
  /** The connection never became ready. Nothing follows but, if it was open, `closed`. */
  | { type: 'failed'; kind: string; detail: string; hint?: string }
  | { type: 'closed'; code: number; reason: string; by: ClosedBy; clean: boolean };

/** A connection to talk over. */
export interface Client {
  readonly state: 'connecting' | 'opening' | 'ready' | 'over';
  /** Bytes that were sent and that the operating system has not taken yet. */
  readonly bufferedBytes: number;
  /** Sends text, or bytes as a binary message. @returns false when the connection is not open */
  send(data: string | Uint8Array): boolean;
  /** Sends a ping frame, unless one is unanswered; a `pong` event follows. */
  ping(): void;
  /**
   * Starts the closing handshake, which takes at most two seconds.
   *
   * @throws WsbenchError `USAGE` for a code or reason that no close frame may carry
   */
  close(code?: number, reason?: string): void;
  /** Ends the connection, or the attempt to make one, at once. */
  abort(): void;
}

const longestReasonBytes = 123;

/**
 * Opens a connection, does auth and join as the target's description says, and answers its heartbeats.
 *
 * @param url `ws://` or `wss://`
 * @param options how to connect, and as whom
 * @param onEvent told of everything that happens, never from within this call; the last event is `closed`, or `failed` when
 *   the connection did not open
 * @throws WsbenchError `USAGE` or `CONFIG` for a wrong URL or wrong options
 *
 * @example
 * const client = connect('ws://127.0.0.1:8080/ws/echo', {}, (event) => {
 *   if (event.type === 'ready') client.send('hello');
 *   if (event.type === 'message') client.close();
 * });
 */
export function connect(url: string, options: ClientOptions, onEvent: (event: ClientEvent) => void): Client {
  const target = describedTarget(options) ?? null;
  const plan = connectPlan(targetUrlOf(url), target, options);
  if (options.token !== undefined) keepSecret(options.token);
  return new OpenClient(target, plan, options, onEvent, createWsDriver());
}

class OpenClient implements Client {
  state: Client['state'] = 'connecting';
  readonly #target: Target | null;
  readonly #values: ConnectionValues;
  readonly #timeoutMs: number;
  readonly #onEvent: (event: ClientEvent) => void;
  readonly #opening: Opening;
  readonly #answer: HeartbeatReply | undefined;
  readonly #connection: Connection;
  #timer: NodeJS.Timeout | undefined;
  #beat: NodeJS.Timeout | undefined;

  constructor(
    target: Target | null,
    plan: ConnectPlan,
    { token, timeoutMs = 5000, connectTimeoutMs = 10_000 }: ClientOptions,
    onEvent: (event: ClientEvent) => void,
    driver: Driver,
  ) {
    this.#target = target;
    this.#values = { token, connection: 0 };
    this.#timeoutMs = timeoutMs;
    this.#onEvent = onEvent;
    const steps = new OpeningPlan(target, plan.tokenPlace, token !== undefined);
    if (token !== undefined && plan.tokenPlace.in === 'message' && steps.isEmpty) {
      throw new WsbenchError(
        'USAGE',
        `--token-in message: say which message, like --token-in 'message:{"token":"{{ token }}"}'`,
      );
    }
    this.#opening = new Opening(steps, this.#values);
    this.#answer = compileHeartbeats(target);
    const upgrade = placeToken(plan, plan.tokenPlace, token);
    this.#connection = driver.open({ ...plan, ...upgrade, timeoutMs: connectTimeoutMs }, this.#sink());
  }

  get bufferedBytes(): number {
    return this.#connection.bufferedBytes;
  }

  send(data: string | Uint8Array): boolean {
    return this.state !== 'over' && this.#send(data, 'asked');
  }

  ping(): void {
    this.#connection.ping();
  }

  close(code = 1000, reason = ''): void {
    if (!mayCloseWith(code)) {
      throw new WsbenchError(
        'USAGE',
        `${code} is no code to close with: 1000, or 3000 to 4999 (RFC 6455 §7.4)`,
      );
    }
    if (Buffer.byteLength(reason) > longestReasonBytes) {
      throw new WsbenchError(
        'USAGE',
        `a close reason has at most ${longestReasonBytes} bytes (RFC 6455 §5.5)`,
      );
    }
    if (this.state === 'connecting') this.abort();
    else this.#connection.close(code, reason);
  }

  abort(): void {
    const connecting = this.state === 'connecting';
    this.#connection.abort();
    // The contract reports nothing of an attempt that was given up.
    if (connecting) this.#fail('aborted', 'given up before the connection was open');
  }

  #sink(): Sink {
    return {
      opened: ({ subprotocol, totalUs }) => {
        this.state = 'opening';
        this.#onEvent({ type: 'open', subprotocol, connectMs: Math.round(totalUs) / 1000 });
        this.#proceed(this.#opening.start());
      },
      // The driver's buffer is valid during the call only.
      message: (buffer, start, end, opcode) =>
        this.#received(Buffer.from(buffer.subarray(start, end)), opcode === 2),
      pong: (sentUs, atUs) => this.#onEvent({ type: 'pong', rttMs: Math.round(atUs - sentUs) / 1000 }),
      closed: (code, by, clean, reason = '') => {
        if (this.state === 'opening' && by !== 'us') {
          this.#fail('opening', `the connection ended ${this.#waiting()}`);
        }
        this.#over();
        this.#onEvent({ type: 'closed', code, by, clean, reason });
      },
      failed: (kind, detail) => {
        // After `failed` only `closed` follows.
        if (this.state === 'over') return;
        if (this.state !== 'connecting') {
          this.#onEvent({ type: 'violation', detail });
          return;
        }
        const log = new FailureLog();
        log.add(kind, detail);
        const [record] = log.records;
        this.#fail(kind, record?.detail ?? kind, record?.hint);
      },
    };
  }

  #received(data: Buffer, binary: boolean): void {
    if (this.state === 'over') return;
    this.#onEvent({ type: 'message', data, binary });
    if (binary) return;
    const message = receivedText(data.toString('utf8'));
    const answer = this.#answer?.(message, this.#values);
    if (answer !== undefined) this.#send(answer, 'heartbeat');
    if (this.state !== 'opening') return;
    const texts = this.#opening.receive(message);
    if (this.#opening.state === 'refused') {
      this.#fail('opening', `the target refused ${this.#waiting()}: ${message.text.slice(0, 200)}`);
      this.#connection.close(1000, '');
      return;
    }
    this.#proceed(texts);
  }

  #proceed(texts: readonly string[]): void {
    if (texts.length > 0 || this.#timer === undefined) this.#waitForStep();
    for (const text of texts) this.#send(text, 'opening');
    if (this.#opening.state !== 'ready') return;
    clearTimeout(this.#timer);
    this.state = 'ready';
    this.#startBeating();
    this.#onEvent({ type: 'ready' });
  }

  #waitForStep(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#fail('opening', `no answer within ${this.#timeoutMs} ms ${this.#waiting()}`);
      this.#connection.close(1000, '');
    }, this.#timeoutMs);
  }

  #waiting(): string {
    return `while it was joined, waiting for ${this.#opening.waitsFor}`;
  }

  #startBeating(): void {
    const { every, send } = this.#target?.heartbeat ?? {};
    if (every === undefined || send === undefined) return;
    const text = connectionMessage(send, this.#values, undefined);
    this.#beat = setInterval(() => this.#send(text, 'heartbeat'), every);
  }

  #send(data: string | Uint8Array, why: 'asked' | 'opening' | 'heartbeat'): boolean {
    const template = {
      bytes: Buffer.from(data as string),
      binary: typeof data !== 'string',
      stamp: () => {},
    };
    if (!this.#connection.queue(template, 0, 0)) return false;
    this.#connection.flush();
    this.#onEvent({ type: 'sent', data, why });
    return true;
  }

  #fail(kind: string, detail: string, hint?: string): void {
    if (this.state === 'over') return;
    this.#over();
    this.#onEvent({ type: 'failed', kind, detail, ...(hint === undefined ? {} : { hint }) });
  }

  #over(): void {
    this.state = 'over';
    clearTimeout(this.#timer);
    clearInterval(this.#beat);
  }
}
