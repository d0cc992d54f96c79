// Small writes of a plain socket, past the queue of its stream: around a write that the system takes at once, Node's streams
// make an entry in their queue and a callback in a later tick, which is a good part of what a send costs outside of the kernel.
import type { Socket } from 'node:net';

// Longer ones are rare, and may have to be told to wait.
const mostBytes = 16 * 1024;

/**
 * Writes to a connected socket by the method that its stream writes with. At most one such write waits for the system at a
 * time; meanwhile, and while the stream itself has something to write, {@link takes} says no, and the stream's own `write`
 * is to be used: the system gets its writes in the order of the calls.
 */
export class DirectWriter {
  /** Bytes that were taken and wait to be written; they must not change. */
  waitingBytes = 0;

  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Whether so many bytes may be written by {@link write} now. */
  takes(bytes: number): boolean {
    const socket = this.#socket;
    return (
      this.waitingBytes === 0 &&
      bytes <= mostBytes &&
      socket.writableLength === 0 &&
      socket.writableCorked === 0 &&
      !socket.writableEnded &&
      !socket.destroyed
    );
  }

  write(bytes: Uint8Array): void {
    this.waitingBytes = bytes.length;
    // It calls back before it returns when the system took everything.
    this.#socket._write(bytes, 'buffer' as BufferEncoding, this.#written);
  }

  readonly #written = (error?: Error | null): void => {
    this.waitingBytes = 0;
    if (error) this.#socket.destroy(error);
  };
}
