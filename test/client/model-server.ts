// A server of the reference protocol in memory, behind a network that does as it is told: what the client's model check runs against.
import type {
  ClientSocket,
  OpenRequest,
  SocketEnd,
  SocketSink,
  Transport,
} from '../../lib/client/transport.ts';
import type { FakeClock } from '../reference-server/fake-clock.ts';

const latencyMs = 5;
const rememberedMs = 300_000;

interface Log {
  epoch: string;
  /** The oldest offset that is still kept. */
  from: number;
  messages: { offset: number; data: unknown }[];
  tip: number;
}

interface Message {
  type: string;
  id?: string;
  payload?: Record<string, unknown>;
}

/** How the next connects go. */
export type Door = 'open' | 'shut' | 'silent' | { httpStatus: number; retryAfterMs?: number };

/** One connection as the server sees it. */
class Peer {
  readonly sink: SocketSink;
  readonly subscriptions = new Set<string>();
  sub: string | null;
  /** Nothing arrives any more, and nothing says so. */
  isHole = false;
  isOver = false;

  constructor(sink: SocketSink, sub: string | null) {
    this.sink = sink;
    this.sub = sub;
  }
}

/** The subject and the end of a token that {@link tokenOf} made. */
function read(token: string): { sub: string; exp: number } {
  return JSON.parse(atob(token.split('.')[1] ?? '')) as { sub: string; exp: number };
}

/** A token in the form of a JSON Web Token. */
export function tokenOf(sub: string, expiresAtMs: number): string {
  return `h.${btoa(JSON.stringify({ sub, exp: expiresAtMs / 1000 })).replaceAll('=', '')}.s`;
}

/** The server. */
export class ModelServer {
  readonly clock: FakeClock;
  readonly logs = new Map<string, Log>();
  /** How often the data of a message, which no other message has, was appended to a log. */
  readonly effects = new Map<string, number>();
  /** Rules that the client broke. */
  readonly broken: string[] = [];
  readonly peers = new Set<Peer>();
  door: Door = 'open';
  /** The header with the token gets lost on the way. */
  stripsHeader = false;
  /** No token is good enough in a message. */
  refusesAuth = false;
  /** Whether a connect without a token is wrong. */
  wantsTokens = true;
  /** The answer to the next request is lost, and the connection with it. */
  losesNextAnswer = false;
  /** Every answer comes twice. */
  repeats = false;
  penaltyUntilMs = 0;
  connects = 0;
  readonly #answers = new Map<string, { atMs: number; payload: Record<string, unknown> }>();
  #epochs = 0;

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  /** What the client opens sockets with. */
  readonly transport: Transport = Object.assign(
    (request: OpenRequest, sink: SocketSink): ClientSocket => this.#open(request, sink),
    { canSendHeaders: true },
  );

  /** The connection that serves, if there is one. */
  get peer(): Peer | undefined {
    return [...this.peers].findLast(({ isHole }) => !isHole);
  }

  /** Every connection ends so; without a code, without a word. */
  end(code = 1006, reason = ''): void {
    for (const peer of this.peers) {
      this.#over(peer, { code, reason, by: code === 1006 ? 'network' : 'server' });
    }
  }

  drain(minMs: number, maxMs: number): void {
    for (const peer of this.peers) this.#send(peer, { type: 'DRAIN', payload: { minMs, maxMs } });
    this.end(1001, 'GOING_AWAY');
  }

  /** The server goes away, says so, and then stays. */
  promise(minMs: number, maxMs: number): void {
    for (const peer of this.peers) this.#send(peer, { type: 'DRAIN', payload: { minMs, maxMs } });
  }

  push(message: Message): void {
    for (const peer of this.peers) this.#send(peer, message);
  }

  /** The logs are lost; what is published from here on has another epoch. */
  startAnew(): void {
    for (const channel of this.logs.keys()) {
      this.logs.set(channel, this.#newLog());
      const { epoch } = this.log(channel);
      for (const peer of this.peers) {
        if (!peer.subscriptions.has(channel)) continue;
        this.#send(peer, { type: 'GAP', payload: { channel, epoch, offset: 0 } });
      }
    }
  }

  /** The logs keep their newest message only. */
  trim(): void {
    for (const log of this.logs.values()) {
      log.messages = log.messages.slice(-1);
      log.from = log.messages[0]?.offset ?? log.tip + 1;
    }
  }

  log(channel: string): Log {
    const log = this.logs.get(channel) ?? this.#newLog();
    this.logs.set(channel, log);
    return log;
  }

  #newLog(): Log {
    this.#epochs += 1;
    return { epoch: `e${this.#epochs}`, from: 1, messages: [], tip: 0 };
  }

  #open({ bearer }: OpenRequest, sink: SocketSink): ClientSocket {
    this.connects += 1;
    const { door, clock } = this;
    if (bearer === undefined && this.wantsTokens) this.broken.push('a connect without a token');
    if (bearer !== undefined && read(bearer).exp * 1000 <= clock.epochMs())
      this.broken.push('a connect with an expired token');
    const sub = bearer === undefined || this.stripsHeader ? null : read(bearer).sub;
    const peer = new Peer(sink, sub);
    const later = (run: () => void): void => {
      clock.schedule(latencyMs, () => {
        if (!peer.isOver) run();
      });
    };
    if (door === 'open') {
      this.peers.add(peer);
      later(() => {
        sink.opened();
        this.#welcome(peer);
      });
    } else if (door !== 'silent') {
      const end: SocketEnd = { code: 1006, reason: '', by: 'network', detail: 'refused' };
      later(() => {
        peer.isOver = true;
        sink.ended(door === 'shut' ? end : { ...end, ...door, by: 'server' });
      });
    }
    return {
      unsentBytes: 0,
      send: (text) => {
        if (peer.isHole || peer.isOver) return;
        clock.schedule(latencyMs, () => {
          if (this.peers.has(peer) && !peer.isHole) this.#receive(peer, JSON.parse(text) as Message);
        });
      },
      close: (code, reason) => {
        if (peer.isHole || door === 'silent') return;
        this.peers.delete(peer);
        later(() => {
          peer.isOver = true;
          sink.ended({ code, reason, by: 'server' });
        });
      },
      terminate: () => {
        peer.isOver = true;
        this.peers.delete(peer);
      },
    };
  }

  #welcome(peer: Peer): void {
    this.#send(peer, {
      type: 'WELCOME',
      payload: {
        connectionId: `c${this.connects}`,
        sub: peer.sub,
        roles: [],
        heartbeat: { intervalMs: 25_000, timeoutMs: 8000 },
        limits: { name: 'off', messagesPerMinute: null, burstLimit: null },
        maxMessageBytes: 65_536,
        serverTime: this.clock.epochMs(),
      },
    });
  }

  /** On its way, unless the connection ends first. */
  #send(peer: Peer, message: Message): void {
    if (peer.isHole) return;
    const text = JSON.stringify({ timestamp: this.clock.epochMs(), ...message });
    this.clock.schedule(latencyMs, () => {
      if (!peer.isOver && !peer.isHole) peer.sink.text(text);
    });
  }

  #over(peer: Peer, end: SocketEnd): void {
    if (peer.isHole) return;
    this.peers.delete(peer);
    this.clock.schedule(latencyMs, () => {
      if (peer.isOver) return;
      peer.isOver = true;
      peer.sink.ended(end);
    });
  }

  #receive(peer: Peer, { type, id, payload = {} }: Message): void {
    if (type === 'PONG') return;
    if (this.clock.nowMs() < this.penaltyUntilMs) {
      const retryAfterMs = this.penaltyUntilMs - this.clock.nowMs();
      this.#answer(peer, {
        type: 'ERROR',
        id,
        payload: { for: type, code: 'RATE_LIMITED', message: '', retryAfterMs },
      });
      return;
    }
    const ack = (context: Record<string, unknown>): void =>
      this.#answer(peer, { type: 'ACK', id, payload: { for: type, ...context } });
    const channel = String(payload.channel);
    switch (type) {
      case 'PING':
        this.#answer(peer, { type: 'PONG', id });
        return;
      case 'AUTH': {
        const { sub, exp } = read(String(payload.token));
        if (this.refusesAuth) {
          this.#answer(peer, {
            type: 'ERROR',
            id,
            payload: { for: type, code: 'UNAUTHENTICATED', message: '' },
          });
          this.#over(peer, { code: 4401, reason: 'TOKEN_INVALID', by: 'server' });
          return;
        }
        if (peer.sub !== null && peer.sub !== sub) {
          this.#answer(peer, { type: 'ERROR', id, payload: { for: type, code: 'FORBIDDEN', message: '' } });
          return;
        }
        peer.sub = sub;
        ack({ sub, roles: [], expiresAt: exp * 1000 });
        return;
      }
      case 'SUBSCRIBE':
        this.#subscribe(peer, channel, payload.since as { epoch: string; offset: number } | undefined, ack);
        return;
      case 'UNSUBSCRIBE':
        peer.subscriptions.delete(channel);
        ack({ channel });
        return;
      case 'PUBLISH':
        this.#publish(peer, String(id), channel, payload.data, ack);
    }
  }

  #answer(
    peer: Peer,
    message: { type: string; id: string | undefined; payload?: Record<string, unknown> },
  ): void {
    if (this.losesNextAnswer) {
      this.losesNextAnswer = false;
      this.#over(peer, { code: 1006, reason: '', by: 'network' });
      return;
    }
    this.#send(peer, message as Message);
    if (this.repeats) this.#send(peer, message as Message);
  }

  #subscribe(
    peer: Peer,
    channel: string,
    since: { epoch: string; offset: number } | undefined,
    ack: (context: Record<string, unknown>) => void,
  ): void {
    const log = this.log(channel);
    const { epoch, tip: offset, from } = log;
    const recovered = since !== undefined && since.epoch === epoch && since.offset >= from - 1;
    peer.subscriptions.add(channel);
    ack({ channel, epoch, offset, recovered });
    if (since && !recovered) this.#send(peer, { type: 'GAP', payload: { channel, epoch, offset } });
    if (!recovered) return;
    for (const message of log.messages) {
      if (message.offset <= since.offset) continue;
      this.#send(peer, { type: 'MESSAGE', payload: { channel, epoch, ...message } });
    }
  }

  #publish(
    peer: Peer,
    id: string,
    channel: string,
    data: unknown,
    ack: (context: Record<string, unknown>) => void,
  ): void {
    const key = `${peer.sub} ${id}`;
    const known = this.#answers.get(key);
    if (known && this.clock.nowMs() - known.atMs < rememberedMs) {
      ack({ ...known.payload, duplicate: true });
      return;
    }
    const log = this.log(channel);
    log.tip += 1;
    const { epoch, tip: offset } = log;
    log.messages.push({ offset, data });
    const what = String(data);
    this.effects.set(what, (this.effects.get(what) ?? 0) + 1);
    for (const subscriber of this.peers) {
      if (!subscriber.subscriptions.has(channel)) continue;
      const message: Message = { type: 'MESSAGE', payload: { channel, epoch, offset, data } };
      this.#send(subscriber, message);
      if (this.repeats) this.#send(subscriber, message);
    }
    const payload = { channel, epoch, offset, receivers: 1 };
    this.#answers.set(key, { atMs: this.clock.nowMs(), payload });
    ack(payload);
  }
}
