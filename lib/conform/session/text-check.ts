// UTF-8 as it arrives, with a memory: once it was wrong, every further piece is.
import { Utf8Validator } from '../../protocol/utf8.ts';

/** Checks one text after another. RFC 6455 §8.1 */
export class TextCheck {
  readonly #validator = new Utf8Validator();
  #isWrong = false;

  reset(): void {
    this.#validator.reset();
    this.#isWrong = false;
  }

  /** Takes a piece. False: the text is wrong, in this piece or before. */
  push(bytes: Uint8Array, start: number, end: number): boolean {
    this.#isWrong ||= !this.#validator.push(bytes, start, end);
    return !this.#isWrong;
  }

  /** Whether the text may end here. */
  get mayEnd(): boolean {
    return !this.#isWrong && this.#validator.isComplete;
  }
}
