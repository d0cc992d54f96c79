// Writes at the boundaries that verdicts depend on: which bytes share a segment, and which come apart.
import type { Connection } from '../../transport/connection.ts';

// Pieces of a few bytes must be read one by one, if the peer is as quick as we are.
const pieceGapMs = 0.1;
/** A frame in more pieces than this is a load: then pieces follow one another as fast as they can. */
const mostSlowPieces = 1024;

/**
 * What is written in one turn of the event loop leaves with one call. Pieces have a turn each, and what is written while some
 * are waiting comes after them. The first two pieces share a turn when the connection had just opened: so they do with the
 * event loop of Autobahn, and some verdicts show it.
 */
export class Sender {
  readonly #connection: Pick<Connection, 'write'>;
  #turn: Buffer[] = [];
  #pieces: Buffer[] = [];
  #next = 0;
  #isRunning = false;
  #isStopped = false;
  #joinsNext = false;
  #lastMs = 0;

  constructor(connection: Pick<Connection, 'write'>) {
    this.#connection = connection;
  }

  /** Nothing is waiting for its turn. */
  get isIdle(): boolean {
    return this.#next >= this.#pieces.length && this.#turn.length === 0;
  }

  /** Writes with what else this turn has. */
  write(bytes: Buffer): void {
    if (this.#next < this.#pieces.length) this.#pieces.push(bytes);
    else this.#turn.push(bytes);
  }

  /**
   * Writes in pieces of a size, or in one piece.
   *
   * @param isAtOpen the connection opened in this turn
   */
  writePieces(bytes: Buffer, size: number, isAtOpen: boolean): void {
    for (let at = 0; at < bytes.length; at += size) this.#pieces.push(bytes.subarray(at, at + size));
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#take();
    this.#joinsNext = isAtOpen;
    this.#later();
  }

  /** Ends the turn: what it has leaves. */
  flush(): void {
    if (this.#turn.length === 0 || this.#isStopped) return;
    if (this.#joinsNext) this.#take();
    this.#joinsNext = false;
    const [first] = this.#turn;
    const bytes = this.#turn.length === 1 && first ? first : Buffer.concat(this.#turn);
    this.#turn = [];
    this.#connection.write(bytes);
  }

  /** What is waiting is never written. */
  stop(): void {
    this.#isStopped = true;
    this.#turn = [];
    this.#pieces = [];
    this.#next = 0;
  }

  #take(): void {
    const piece = this.#pieces[this.#next++];
    if (piece) this.#turn.push(piece);
    this.#lastMs = performance.now();
  }

  #later(): void {
    setImmediate(() => {
      if (this.#isStopped) return;
      if (this.#next >= this.#pieces.length) {
        this.#isRunning = false;
        this.#pieces = [];
        this.#next = 0;
      } else if (this.#pieces.length <= mostSlowPieces && performance.now() - this.#lastMs < pieceGapMs) {
        this.#later();
      } else {
        this.#take();
        this.flush();
        this.#later();
      }
    });
  }
}
