// A driver without sockets: what is flushed on a connection comes back in a turn of the event loop, as an echo would.
import { nowUs } from '../lib/load/clock.ts';
import type { Connection, ConnectSpec, Driver, MessageTemplate, Sink } from '../lib/load/drivers/driver.ts';

const split = { dnsUs: null, tcpUs: 0, tlsUs: null, upgradeUs: 0, totalUs: 0, subprotocol: '' };
const none = (): void => {};

/** Makes the driver. Each connection takes `most` messages between two flushes. */
export function createMemoryDriver(most: number): Driver {
  return {
    name: 'memory',
    tellsReadEnds: true,
    open: (_spec: ConnectSpec, sink: Sink): Connection => {
      const connection = new MemoryConnection(sink, most);
      setImmediate(() => sink.opened(split));
      return connection;
    },
  };
}

class MemoryConnection implements Connection {
  readonly bufferedBytes = 0;
  readonly #sink: Sink;
  readonly #most: number;
  #filling: Buffer | undefined;
  #spare: Buffer | undefined;
  #messageBytes = 0;
  #count = 0;

  pause = none;
  resume = none;
  abort = none;
  ping = none;

  constructor(sink: Sink, most: number) {
    this.#sink = sink;
    this.#most = most;
  }

  queue(template: MessageTemplate, seq: number): boolean {
    const { bytes } = template;
    this.#messageBytes = bytes.length;
    this.#filling ??= this.#spare ?? Buffer.alloc(this.#most * bytes.length);
    if (this.#count === this.#most) throw new RangeError(`more than ${this.#most} messages in a turn`);
    template.stamp(seq);
    this.#filling.set(bytes, this.#count * bytes.length);
    this.#count++;
    return true;
  }

  queuePing(): boolean {
    return false;
  }

  flush(): void {
    const bytes = this.#filling;
    if (!bytes) return;
    const count = this.#count;
    this.#filling = undefined;
    this.#spare = undefined;
    this.#count = 0;
    setImmediate(() => this.#echo(bytes, count));
  }

  sendText(): boolean {
    return false;
  }

  close(code: number, reason: string): void {
    setImmediate(() => this.#sink.closed(code, 'us', true, reason));
  }

  #echo(bytes: Buffer, count: number): void {
    const atUs = nowUs();
    const length = this.#messageBytes;
    for (let index = 0; index < count; index++) {
      this.#sink.message(bytes, index * length, (index + 1) * length, 1, atUs);
    }
    this.#spare = bytes;
    this.#sink.readEnd?.();
  }
}
