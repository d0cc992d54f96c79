// Sends requests as a target's description has them on one connection, and follows what comes of each.
import { randomUUID } from 'node:crypto';
import type { Target } from '../target/target.ts';
import type { CheckConnection } from './connection.ts';
import type { Context } from './context.ts';
import { ReplyBook } from './reply-book.ts';
import { RequestMaker } from './request-maker.ts';

/** The requests of one connection. */
export class Asker {
  readonly book: ReplyBook;
  readonly maker: RequestMaker;
  readonly #connection: CheckConnection;
  readonly #byPong: boolean;
  #seen = 0;

  constructor(context: Context, connection: CheckConnection, target: Target) {
    this.book = new ReplyBook(target);
    this.maker = new RequestMaker(target, connection.talk.values, () => context.nextRequest());
    this.#connection = connection;
    this.#byPong = target.match.by === 'pong';
  }

  /** Sends requests at once, as far as the known limits allow, and waits until each is answered or time is over. */
  async ask(
    count: number,
    options: { paced?: boolean; sizeBytes?: number; timeoutMs?: number } = {},
  ): Promise<void> {
    const { paced = true, sizeBytes, timeoutMs } = options;
    // What came before the first request answers none.
    if (this.book.sent.length === 0) this.#seen = this.#connection.received.length;
    for (let n = 0; n < count; n++) {
      if (paced) await this.#connection.pace();
      const request = this.book.add(this.maker.make(sizeBytes));
      this.#connection.send(request.text);
      // A pong may answer several pings (RFC 6455 §5.5.3), so one is out at a time.
      if (this.#byPong && (await this.#pong(timeoutMs))) request.replies = 1;
    }
    if (this.#byPong) this.#read();
    else await this.#connection.waitFor(() => (this.#read().isDone ? true : undefined), timeoutMs);
  }

  /** Sends one request filled up with spaces to more bytes than are allowed; waits for what comes of it. */
  async oversize(bytes: number): Promise<void> {
    await this.#connection.pace();
    const request = this.maker.make(bytes);
    const text = request.text + ' '.repeat(Math.max(0, bytes - Buffer.byteLength(request.text)));
    const entry = this.book.add({ ...request, text });
    this.#connection.send(text);
    await this.#connection.waitFor(() => {
      this.#read();
      return this.book.looseRefusal ?? entry.refusal ?? undefined;
    });
  }

  /** Waits for what may still come unasked, such as second replies. */
  async settle(ms: number): Promise<void> {
    await this.#connection.waitFor(() => undefined, ms);
    this.#read();
  }

  async #pong(timeoutMs: number | undefined): Promise<boolean> {
    const payload = randomUUID();
    this.#connection.ping(payload);
    const { pongs } = this.#connection;
    return (
      (await this.#connection.waitFor(() => pongs.find((pong) => pong === payload), timeoutMs)) !== undefined
    );
  }

  #read(): ReplyBook {
    const { received } = this.#connection;
    for (; this.#seen < received.length; this.#seen++) {
      const message = received[this.#seen];
      if (message) this.book.take(message.data);
    }
    return this.book;
  }
}
