// The message that is being handled, in the forms that conditions look at.
import { parseJson, type Received } from '../target/matcher.ts';

/** One view for all messages of a run: text and JSON are made when they are first asked for, and at most once. */
export class MessageView implements Received {
  /** Where the message lies; valid while it is handled. */
  buf: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;

  #text: string | undefined;
  #body: unknown;
  #isParsed = false;

  /** Turns to another message. */
  hold(buf: Buffer, start: number, end: number): void {
    this.buf = buf;
    this.start = start;
    this.end = end;
    this.#text = undefined;
    this.#body = undefined;
    this.#isParsed = false;
  }

  get length(): number {
    return this.end - this.start;
  }

  get text(): string {
    this.#text ??= this.buf.toString('utf8', this.start, this.end);
    return this.#text;
  }

  // A whole JSON.parse (about 1 µs for small messages): type, id and code may stand anywhere, in any order and with
  // escapes, and a search for bytes would find them inside the payload, too.
  get body(): unknown {
    if (!this.#isParsed) {
      this.#isParsed = true;
      this.#body = this.#mayBeJson() ? parseJson(this.text) : undefined;
    }
    return this.#body;
  }

  /** Only objects and arrays have members to point at; an exception for every message that is none would be slow. */
  #mayBeJson(): boolean {
    const first = this.buf[this.start];
    return first === 0x7b || first === 0x5b || first === 0x20 || (first !== undefined && first < 0x0e);
  }
}
