// One connection: from the first packet to its end, with WELCOME, AUTH and the heartbeat. It never comes back; that is the client's.
import type { ClientClock } from './clock.ts';
import { Heartbeat, type HeartbeatTimes } from './heartbeat.ts';
import {
  fieldsOf,
  numberOf,
  readMessage,
  readWelcome,
  type ServerMessage,
  textOf,
  type Welcome,
} from './messages.ts';
import type { ResolvedOptions } from './options.ts';
import type { ClientSocket, SocketEnd, Transport } from './transport.ts';

/** What a connection stands on. */
export interface LinkParts {
  transport: Transport;
  clock: ClientClock;
  url: string;
  options: ResolvedOptions;
  /** Undefined for anonymous connections. */
  token: string | undefined;
  newId: () => string;
}

/** Who is told. Nothing is called after `ended`, nor after `drop()`. */
export interface LinkSink {
  authenticating(): void;
  ready(welcome: Welcome): void;
  /** Everything but WELCOME, heartbeats and answers to AUTH. */
  message(message: ServerMessage): void;
  /** Something that is no message of the protocol. */
  violation(detail: string): void;
  /** Something was sent that the server counts. */
  charged(): void;
  ended(end: SocketEnd): void;
}

/** One connection. */
export class Link {
  readonly #parts: LinkParts;
  readonly #sink: LinkSink;
  readonly #socket: ClientSocket;
  readonly #answers = new Map<string, (answer: ServerMessage) => void>();
  #cancelDeadline: () => void;
  #heartbeat: Heartbeat | undefined;
  #welcome: Welcome | undefined;
  #isOver = false;
  /** When the server said that it wants to see us again. */
  #retryAtMs: number | undefined;

  constructor(parts: LinkParts, sink: LinkSink) {
    this.#parts = parts;
    this.#sink = sink;
    const { clock, options, transport, url, token } = parts;
    const asSubprotocol = token !== undefined && options.tokenIn === 'subprotocol';
    this.#cancelDeadline = clock.schedule(options.connectTimeoutMs, () =>
      this.#fail({ code: 1006, reason: '', by: 'network', detail: 'no WELCOME within the deadline' }),
    );
    this.#socket = transport(
      {
        url,
        protocols: asSubprotocol ? [...options.protocols, 'bearer', token] : options.protocols,
        bearer: options.tokenIn === 'header' ? token : undefined,
        maxMessageBytes: options.maxMessageBytes,
      },
      {
        opened: () => {},
        text: (text) => this.#receive(text),
        binary: () => this.fault(1003, 'a binary message'),
        ended: (end) => this.#end(end),
      },
    );
  }

  send(text: string): void {
    if (this.#isOver) return;
    this.#socket.send(text);
    // Requests are bounded by the queue. Answers to PINGs are not: whoever pings and does not read would fill the memory.
    if (this.#socket.unsentBytes > this.#parts.options.queue.maxBytes * 3 + 65_536) {
      this.fault(1008, 'the server does not read');
    }
  }

  /** Sends a token and hands its answer on: an ACK or an ERROR, unless the connection ends first. */
  authenticate(token: string, answered: (answer: ServerMessage) => void): void {
    this.#ask('AUTH', { token }, answered);
  }

  /** Asks for a sign of life now. */
  probe(): void {
    this.#heartbeat?.probe();
  }

  /** Starts the closing handshake; `ended` follows, or `drop()`. */
  close(code: number, reason: string): void {
    this.#stop();
    this.#socket.close(code, reason);
  }

  /** Ends it at once, and in silence. */
  drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stop();
    this.#socket.terminate();
  }

  /** This side found fault with what came. */
  fault(code: number, detail: string): void {
    if (this.#isOver) return;
    this.#socket.close(code, '');
    this.#fail({ code, reason: '', by: 'client', detail });
  }

  #receive(text: string): void {
    if (this.#isOver) return;
    this.#heartbeat?.heard();
    const message = readMessage(text);
    if (!message) {
      this.#sink.violation('a text that is no message');
      return;
    }
    const { type, id } = message;
    if (type === 'PING') {
      this.send(JSON.stringify(id === undefined ? { type: 'PONG' } : { type: 'PONG', id }));
      this.#sink.charged();
      return;
    }
    if (type === 'WELCOME' && !this.#welcome) {
      this.#greet(readWelcome(message));
      return;
    }
    if (type === 'ERROR') this.#note(numberOf(fieldsOf(message).retryAfterMs));
    const answered = id === undefined ? undefined : this.#answers.get(id);
    if (id !== undefined && answered) {
      this.#answers.delete(id);
      answered(message);
    } else {
      this.#sink.message(message);
    }
  }

  #greet(welcome: Welcome): void {
    this.#welcome = welcome;
    const { token, clock, options } = this.#parts;
    const times: HeartbeatTimes = options.heartbeat ?? welcome.heartbeat;
    this.#heartbeat = new Heartbeat(
      clock,
      times,
      () => this.#ask('PING', undefined, () => {}),
      () => this.#fail({ code: 1006, reason: '', by: 'network', detail: 'no sign of life' }),
    );
    // Where the credential got lost on the way (a proxy took the header off) it is sent again, so that nothing goes anonymous.
    if (token === undefined || welcome.sub !== null) {
      this.#ready(welcome);
      return;
    }
    this.#sink.authenticating();
    this.authenticate(token, (answer) => this.#judge(welcome, answer));
  }

  #judge(welcome: Welcome, answer: ServerMessage): void {
    const { sub, roles, code, message } = fieldsOf(answer);
    if (answer.type === 'ACK') {
      this.#ready({ ...welcome, sub: textOf(sub) ?? null, roles: Array.isArray(roles) ? roles : [] });
      return;
    }
    // biome-ignore format: a table
    const closeCode = code === 'UNAUTHENTICATED' ? 4401 : code === 'FORBIDDEN' ? 4403 : 1013;
    const reason = textOf(code) ?? '';
    this.#fail({ code: closeCode, reason, by: 'server', detail: textOf(message) ?? 'AUTH was refused' });
  }

  #ready(welcome: Welcome): void {
    this.#cancelDeadline();
    this.#sink.ready(welcome);
  }

  #ask(type: string, payload: unknown, answered: (answer: ServerMessage) => void): void {
    const id = this.#parts.newId();
    this.#answers.set(id, answered);
    this.send(JSON.stringify({ type, id, payload }));
    this.#sink.charged();
  }

  #note(retryAfterMs: number | undefined): void {
    if (retryAfterMs !== undefined) this.#retryAtMs = this.#parts.clock.nowMs() + retryAfterMs;
  }

  #fail(end: SocketEnd): void {
    this.#socket.terminate();
    this.#end(end);
  }

  #end(end: SocketEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stop();
    const leftMs = this.#retryAtMs === undefined ? 0 : this.#retryAtMs - this.#parts.clock.nowMs();
    this.#sink.ended(end.retryAfterMs === undefined && leftMs > 0 ? { ...end, retryAfterMs: leftMs } : end);
  }

  #stop(): void {
    this.#cancelDeadline();
    this.#heartbeat?.stop();
    this.#answers.clear();
  }
}
