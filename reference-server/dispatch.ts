// The way of a message through a typed connection: heartbeat, budget, envelope, rights, handler, one answer.
import { BusUnavailable } from './bus/unavailable.ts';
import { closes } from './close-codes.ts';
import type { Connection } from './connection.ts';
import { type Envelope, readEnvelope } from './envelope.ts';
import type { Handler, Reply } from './handlers/handler.ts';
import { handlers } from './handlers/index.ts';
import type { Refusal as RateRefusal } from './limits/bucket.ts';
import type { ClientType } from './messages.ts';
import { Refusal } from './refusal.ts';
import type { ServerContext } from './server-context.ts';

/** Messages, and bytes of them, that may wait for an earlier one of the same connection before reading stops. */
const maxQueued = 64;
const maxQueuedBytes = 64 * 1024;

/** From this size on a message is not read as it arrives: 64 KiB of JSON may take several ms. */
const largeBytes = 4096;

const forbiddenWithinMs = 10_000;

type Known = Extract<Envelope, { ok: true }>;

/** A message that waits for its turn, and, if it is to be refused, with what. */
interface Queued {
  /** Unset until a large message has its turn. */
  envelope?: Envelope;
  data: Buffer;
  refused?: RateRefusal;
}

/** Handles the messages of one connection, one after the other and in order. */
export class Dispatcher {
  readonly #connection: Connection;
  readonly #server: ServerContext;
  readonly #queue: Queued[] = [];
  #queuedBytes = 0;
  #busy = false;
  /** Set once no more messages are taken; called when the last has been answered. */
  #finished: (() => void) | undefined;
  /** Texts since the last one that was JSON. */
  #invalidInRow = 0;
  /** When FORBIDDEN was last answered. */
  #forbiddenAtMs: number[] = [];

  constructor(connection: Connection, server: ServerContext) {
    this.#connection = connection;
    this.#server = server;
  }

  /** Takes a message. What fails outside of its handler costs this connection, never the process. */
  receive(data: Buffer, isBinary: boolean): void {
    this.#contain(() => this.#receive(data, isBinary));
  }

  /** Takes no more messages; resolves when all that were taken have been answered. To be called once. */
  finish(): Promise<void> {
    return new Promise((resolve) => {
      this.#finished = resolve;
      if (!this.#busy) resolve();
    });
  }

  #receive(data: Buffer, isBinary: boolean): void {
    const connection = this.#connection;
    if (!connection.isOpen || this.#finished) return;
    if (isBinary) {
      const message = 'binary messages are not taken here: send JSON as text';
      connection.error({ for: null, code: 'UNSUPPORTED_DATA', message });
      connection.close(closes.binary);
      return;
    }
    const { options, guards } = this.#server;
    const isUnknown = !connection.identity && options.environment === 'production';
    if (isUnknown && data.length > guards.maxBytesBeforeAuth) {
      connection.close(closes.tooLargeBeforeAuth);
      return;
    }
    const nowMs = options.clock.nowMs();
    const isLarge = data.length > largeBytes && guards.maxTurnMs !== Number.POSITIVE_INFINITY;
    const envelope = isLarge ? undefined : this.#read(data);
    if (envelope && this.#isHeartbeat(envelope)) {
      // Paid for, but never refused: a client under penalty must still be able to prove that it lives.
      connection.bucket?.charge(nowMs);
      return;
    }
    const decision = connection.bucket?.take(nowMs);
    const queued: Queued = envelope ? { data, envelope } : { data };
    if (decision && !decision.accepted) {
      this.#server.metrics.add('wsbench_messages_refused_total');
      if (decision.close) {
        connection.close(closes.rateLimited);
        return;
      }
      if (!decision.notify) return;
      // Waits for its turn: a refusal does not overtake the answers to what was accepted before.
      queued.refused = decision;
    }
    this.#queue.push(queued);
    this.#queuedBytes += data.length;
    if (!this.#busy) this.#drain();
    if (this.#queue.length >= maxQueued || this.#queuedBytes >= maxQueuedBytes) {
      connection.pauseReading('queue');
    }
  }

  #read(data: Buffer): Envelope {
    const envelope = readEnvelope(data.toString(), this.#server.guards.maxDepth);
    const type = envelope.ok ? envelope.type : 'invalid';
    this.#server.metrics.add('wsbench_messages_received_total', { type });
    return envelope;
  }

  /** Records a PONG that answers the outstanding PING. */
  #isHeartbeat(envelope: Envelope): boolean {
    const connection = this.#connection;
    if (!envelope.ok || envelope.type !== 'PONG') return false;
    if (connection.heartbeat?.answer(envelope.id, 'message')) return true;
    this.#server.metrics.add('wsbench_unexpected_pongs_total');
    return false;
  }

  #drain(): void {
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      const { envelope, data, refused } = next;
      if (!envelope) {
        this.#busy = true;
        this.#server.turns.run(() => {
          next.envelope = this.#read(data);
          this.#isHeartbeat(next.envelope);
          this.#goOn();
        });
        return;
      }
      // Who does not read its answers gets no more of them.
      if (this.#connection.isSlow) {
        this.#busy = true;
        this.#connection.whenRead(() => this.#goOn());
        return;
      }
      this.#queue.shift();
      this.#queuedBytes -= data.length;
      const pending = refused ? this.#refuse(envelope, refused) : this.#process(envelope);
      if (!pending) continue;
      this.#busy = true;
      void pending.then(() => this.#goOn());
      return;
    }
    this.#finished?.();
    this.#connection.resumeReading('queue');
  }

  #goOn(): void {
    this.#busy = false;
    this.#contain(() => this.#drain());
  }

  #refuse({ type, id }: Envelope, { retryAfterMs, suppressed }: RateRefusal): undefined {
    const body = { for: type, code: 'RATE_LIMITED', message: 'too many messages', retryAfterMs } as const;
    this.#connection.error(suppressed > 0 ? { ...body, suppressed } : body, id);
  }

  /** Answers one message. Returns a promise, which never rejects, only when the answer takes time. */
  #process(envelope: Envelope): Promise<void> | undefined {
    if (!this.#connection.isOpen) return undefined;
    // Not left to the timer alone: after a stall, messages may come before it.
    if (this.#server.options.clock.nowMs() >= this.#connection.tokenEndsAtMs) {
      this.#connection.close(closes.tokenExpired);
      return undefined;
    }
    try {
      if (!envelope.ok) {
        const { type, code, message } = envelope;
        this.#connection.error({ for: type, code, message }, envelope.id);
        this.#invalidInRow = code === 'INVALID_JSON' ? this.#invalidInRow + 1 : 0;
        if (this.#invalidInRow >= this.#server.guards.maxInvalidInRow) {
          this.#connection.close(closes.badRequest);
        }
        return undefined;
      }
      this.#invalidInRow = 0;
      const handler = handlers[envelope.type] as unknown as Handler<ClientType>;
      this.#checkAccess(handler);
      const reply = this.#handle(handler, envelope);
      if (!(reply instanceof Promise)) {
        this.#answer(envelope, reply);
        return undefined;
      }
      return this.#settle(envelope, reply);
    } catch (error) {
      this.#fail(envelope, error);
      return undefined;
    }
  }

  async #settle(envelope: Known, reply: Promise<Reply>): Promise<void> {
    try {
      this.#answer(envelope, await reply);
    } catch (error) {
      this.#fail(envelope, error);
    }
    // What a handler took hold of while the socket closed is given back as well.
    if (this.#connection.isReleased) await this.#connection.release().catch((error) => this.#giveUp(error));
  }

  #handle(handler: Handler<ClientType>, { type, id, message }: Known): Reply | undefined | Promise<Reply> {
    const connection = this.#connection;
    const call = { payload: message.payload, connection, server: this.#server };
    if (handler.remember === undefined || id === undefined) return handler.handle(call);
    // What concerns one connection is remembered here; what has an effect on others, by all instances.
    const [scope, memory] =
      handler.remember === 'subject'
        ? [connection.identity?.sub, this.#server.bus]
        : [connection.id, connection.answers];
    // Only what can be stored is: `after` belongs to the call that had the effect.
    let after: Reply['after'];
    return memory
      .once(JSON.stringify([scope, type, id]), async (effectId) => {
        const reply = await handler.handle({ ...call, effectId });
        after = reply?.after;
        return reply && { type: reply.type, payload: reply.payload };
      })
      .then(({ answer, duplicate }) => {
        if (!answer) throw new Error(`${type} has no answer`);
        if (!duplicate) return after ? { ...answer, after } : answer;
        return { type: answer.type, payload: { ...(answer.payload as object), duplicate: true } } as Reply;
      });
  }

  #checkAccess({ access }: Handler<ClientType>): void {
    if (access === 'session') return;
    const { identity } = this.#connection;
    if (!identity) {
      const allowed = access === 'anyone' && this.#server.options.environment !== 'production';
      if (!allowed) throw new Refusal('UNAUTHENTICATED', 'send AUTH with a token first');
      return;
    }
    if (access !== 'anyone' && !access.some((role) => identity.roles.includes(role))) {
      throw new Refusal('FORBIDDEN', `needs the role ${access.join(' or ')}`);
    }
  }

  #answer(envelope: Known, reply: Reply | undefined): void {
    if (!reply) return;
    this.#connection.send(reply.type, reply.payload as never, envelope.id);
    // The message has its one answer: what fails from here on cannot be told in another.
    this.#contain(() => reply.after?.());
  }

  #contain(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    this.#server.options.log({ level: 'error', message: 'a connection failed', error });
    this.#connection.close(closes.internal);
  }

  /** What a handler throws costs one ERROR, never the process. */
  #fail(envelope: Envelope, error: unknown): void {
    const { type, id } = envelope;
    if (error instanceof Refusal) {
      const { code, message, retryAfterMs } = error;
      const body = { for: type, code, message };
      this.#connection.error(retryAfterMs === undefined ? body : { ...body, retryAfterMs }, id);
      const tooOften = code === 'FORBIDDEN' && this.#isForbiddenTooOften();
      const close = error.close ?? (tooOften ? closes.forbidden : undefined);
      if (close) this.#connection.close(close);
      return;
    }
    if (error instanceof BusUnavailable) {
      const message = 'what instances share cannot be reached now';
      this.#connection.error({ for: type, code: 'NOT_DELIVERED', message, retryAfterMs: 1000 }, id);
      return;
    }
    this.#server.options.log({ level: 'error', message: `handler of ${type} failed`, error });
    this.#connection.error({ for: type, code: 'INTERNAL', message: 'the server failed to handle this' }, id);
  }

  /** Whoever tries what it may not is mistaken once; whoever goes on is looking for a hole. */
  #isForbiddenTooOften(): boolean {
    const nowMs = this.#server.options.clock.nowMs();
    this.#forbiddenAtMs = [...this.#forbiddenAtMs.filter((atMs) => atMs > nowMs - forbiddenWithinMs), nowMs];
    return this.#forbiddenAtMs.length >= this.#server.guards.maxForbidden;
  }
}
