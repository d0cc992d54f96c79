// An upgraded socket on which any bytes may be written: for what a correct client would never send.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloseFinder } from './close-finder.ts';

/** The end of a TCP connection may reach the peer after the next connection does. */
const noticeMs = 20;

/** How the peer ended a raw connection: the code of its close frame (1005: none in it; null: no close frame), and whether TCP ended. */
export interface RawEnd {
  closeCode: number | null;
  ended: boolean;
}

/** An open connection on which any bytes may be written. */
export class RawConnection {
  readonly #socket: Socket;
  readonly #finder = new CloseFinder();
  #ended = false;

  constructor(socket: Socket, rest: Buffer) {
    this.#socket = socket;
    this.#finder.push(rest);
    socket.on('data', (chunk: Buffer) => this.#finder.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#ended = true;
    });
    socket.on('end', () => {
      this.#ended = true;
    });
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Waits for a close frame or the end of the TCP connection, whichever comes first. */
  async waitForEnd(timeoutMs: number): Promise<RawEnd> {
    const over = (): boolean => this.#ended || this.#finder.code !== undefined;
    if (!over()) {
      await new Promise<void>((resolve) => {
        const look = (): void => {
          if (over()) finish();
        };
        const finish = (): void => {
          clearTimeout(timer);
          for (const event of ['data', 'end', 'close']) this.#socket.off(event, look);
          resolve();
        };
        const timer = setTimeout(finish, timeoutMs);
        for (const event of ['data', 'end', 'close']) this.#socket.on(event, look);
      });
    }
    return { closeCode: this.#finder.code ?? null, ended: this.#ended };
  }

  terminate(): void {
    this.#socket.destroy();
  }

  /** Ends the connection, and waits a moment for the peer to notice. */
  async drop(): Promise<void> {
    if (!this.#socket.closed) {
      const closed = once(this.#socket, 'close');
      this.#socket.destroy();
      await closed;
    }
    await sleep(noticeMs);
  }
}
