// A client as docs/protocol.md asks for: sent away, it comes back within the window of DRAIN, and goes on where it was.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

interface Message {
  type: string;
  id?: string;
  payload: Record<string, unknown>;
}

interface Window {
  minMs: number;
  maxMs: number;
}

/** Subscribed to one channel, over as many connections as it takes. */
export class Subscriber {
  /** The data of what came, in its order. */
  readonly got: unknown[] = [];
  /** How its connections ended. */
  readonly closes: { code: number; reason: string }[] = [];
  /** Times without a connection, in ms: what DRAIN asked for, and what it took from there to the ACK of SUBSCRIBE. */
  readonly away: { askedMs: number; tookMs: number }[] = [];
  readonly #url: string;
  readonly #token: string;
  #since: { epoch: string; offset: number } | undefined;
  #socket: WebSocket | undefined;
  #waiting = new Map<string, (message: Message) => void>();
  #ids = 0;
  #isOver = false;

  private constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  static async start(url: string, token: string): Promise<Subscriber> {
    const subscriber = new Subscriber(url, token);
    await subscriber.#connect();
    return subscriber;
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Publishes, again with the same id after each connection that ended, until it is acknowledged. */
  async publish(data: unknown, id: string): Promise<void> {
    while (!this.#isOver) {
      const answer = await this.#ask('PUBLISH', { channel: 'news', data }, id);
      if (answer?.type === 'ACK') return;
      assert.ok(!answer || answer.payload.code === 'NOT_DELIVERED', JSON.stringify(answer));
      await sleep(50);
    }
  }

  end(): void {
    this.#isOver = true;
    this.#socket?.terminate();
  }

  /** Undefined when the connection ended before the answer. */
  #ask(type: string, payload: object, id = `q${++this.#ids}`): Promise<Message | undefined> {
    const socket = this.#socket;
    if (!socket || socket.readyState !== WebSocket.OPEN) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const ended = (): void => resolve(undefined);
      socket.once('close', ended);
      this.#waiting.set(id, (message) => {
        socket.off('close', ended);
        this.#waiting.delete(id);
        resolve(message);
      });
      socket.send(JSON.stringify({ type, id, payload }));
    });
  }

  async #connect(): Promise<void> {
    const socket = new WebSocket(this.#url, { headers: { authorization: `Bearer ${this.#token}` } });
    let drain: Window | undefined;
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Message;
      if (message.type === 'DRAIN') drain = message.payload as unknown as Window;
      if (message.type === 'MESSAGE') {
        const { epoch, offset } = message.payload as { epoch: string; offset: number };
        this.#since = { epoch, offset };
        this.got.push(message.payload.data);
      }
      assert.notEqual(message.type, 'GAP');
      if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
    });
    // Refused handshakes end the test: whoever is sent away by one instance is let in by another.
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    this.#socket = socket;
    socket.once('close', (code, reason) => {
      if (this.#isOver) return;
      this.closes.push({ code, reason: reason.toString() });
      void this.#comeBack(drain);
    });
    const since = this.#since;
    const answer = await this.#ask('SUBSCRIBE', { channel: 'news', ...(since ? { since } : {}) });
    assert.equal(answer?.type, 'ACK', JSON.stringify(answer));
    this.#since ??= answer.payload as unknown as { epoch: string; offset: number };
  }

  async #comeBack(drain: Window | undefined): Promise<void> {
    assert.ok(drain, 'a connection ended without DRAIN');
    const askedMs = Math.round(drain.minMs + Math.random() * (drain.maxMs - drain.minMs));
    await sleep(askedMs);
    if (this.#isOver) return;
    const startedMs = performance.now();
    await this.#connect();
    this.away.push({ askedMs, tookMs: Math.round(performance.now() - startedMs) });
  }
}
