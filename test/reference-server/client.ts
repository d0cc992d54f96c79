// A small client for tests of the reference server: keeps what arrives, waits for what should, checks every message's schema.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import { type ServerMessage, type ServerType, serverMessages } from '../../reference-server/messages.ts';

type Of<T extends ServerType> = Extract<ServerMessage, { type: T }>;

const waitMs = 5000;

/** What an HTTP refusal of a handshake said. */
export class Refused extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;

  constructor(status: number, headers: Refused['headers'], body: string) {
    super(`refused with ${status}: ${body}`);
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

export class Client {
  readonly socket: WebSocket;
  readonly inbox: ServerMessage[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #waiters = new Set<() => void>();
  #ids = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on('error', () => {});
    socket.on('message', (data) => {
      const message = JSON.parse(data.toString()) as ServerMessage;
      const parsed = serverMessages[message.type].safeParse(message);
      // The schema of ACK is a union whose static type is narrowed; at run time it checks every kind.
      assert.ok(parsed.success, `${data.toString()}: ${parsed.error?.message}`);
      this.inbox.push(message);
      for (const wake of this.#waiters) wake();
    });
  }

  /** Connects; a refusal rejects with {@link Refused}. */
  static async open(url: string, token?: string, options: ClientOptions = {}): Promise<Client> {
    const headers = {
      ...options.headers,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const socket = new WebSocket(url, { ...options, headers });
    const client = new Client(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          reject(new Refused(response.statusCode ?? 0, response.headers, Buffer.concat(chunks).toString()));
        });
      });
    });
    return client;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Takes the first message that `wanted` accepts out of the inbox, waiting for it if need be. */
  async take(wanted: (message: ServerMessage) => boolean, what = 'a message'): Promise<ServerMessage> {
    const deadline = Date.now() + waitMs;
    for (;;) {
      const index = this.inbox.findIndex(wanted);
      const [found] = index < 0 ? [] : this.inbox.splice(index, 1);
      if (found) return found;
      const leftMs = deadline - Date.now();
      assert.ok(leftMs > 0, `no ${what}; got ${JSON.stringify(this.inbox)}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiters.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, leftMs);
        this.#waiters.add(wake);
      });
    }
  }

  async next<T extends ServerType>(type: T): Promise<Of<T>> {
    return (await this.take((message) => message.type === type, type)) as Of<T>;
  }

  /** Sends a request with a fresh id (or the given one) and takes its answer. */
  async request(type: string, payload?: unknown, id = `id-${++this.#ids}`): Promise<ServerMessage> {
    this.send({ type, id, ...(payload === undefined ? {} : { payload }) });
    return this.take((message) => message.type !== 'PING' && message.id === id, `answer to ${type} ${id}`);
  }

  /** The payload of the ACK to a request. */
  async ack(type: string, payload?: unknown, id?: string): Promise<Record<string, unknown>> {
    const answer = await this.request(type, payload, id);
    assert.equal(answer.type, 'ACK', JSON.stringify(answer));
    const context = answer.payload as Record<string, unknown>;
    assert.equal(context.for, type);
    return context;
  }

  /** The payload of the ERROR to a request. */
  async error(type: string, payload?: unknown, id?: string): Promise<Of<'ERROR'>['payload']> {
    const answer = await this.request(type, payload, id);
    assert.equal(answer.type, 'ERROR', JSON.stringify(answer));
    return (answer as Of<'ERROR'>).payload;
  }

  /** A round trip: whatever was sent before has been handled when it resolves. */
  async settle(): Promise<void> {
    const pong = once(this.socket, 'pong');
    this.socket.ping();
    await pong;
  }

  async close(): Promise<void> {
    this.socket.close(1000);
    await this.closed;
  }
}
