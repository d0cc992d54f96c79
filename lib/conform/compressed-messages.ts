// The messages of a corpus, compressed once for all cases that send the same.
import { type DeflateDirection, MessageDeflater } from '../protocol/deflate.ts';
import { type CorpusName, corpusOf } from './corpora.ts';

/** What makes two series of messages the same. */
export interface SeriesKey extends DeflateDirection {
  corpus: CorpusName;
  size: number;
}

// What a target makes of our messages does not depend on how hard they were compressed; how long the run takes, does.
const level = 1;
// Some hundred messages of 128 KiB, or all of most sizes.
const maxBytes = 256 * 1024 * 1024;

/** Series that are kept as long as there is room; the one that was not used for the longest time goes first. */
export class CompressedMessages {
  readonly #series = new Map<string, Series>();
  #bytes = 0;

  /** The series of a key. */
  of(key: SeriesKey): Series {
    const name = JSON.stringify([key.corpus, key.size, key.windowBits, key.contextTakeover]);
    const known = this.#series.get(name);
    this.#series.delete(name);
    const series = known ?? new Series(key, (added) => this.#added(added));
    // Last of those that are kept.
    this.#series.set(name, series);
    return series;
  }

  #added(bytes: number): void {
    this.#bytes += bytes;
    for (const [name, series] of this.#series) {
      if (this.#bytes <= maxBytes || this.#series.size === 1) return;
      this.#series.delete(name);
      this.#bytes -= series.bytes;
      series.forget();
    }
  }
}

/** One series: message after message as its sender compresses them. */
class Series {
  /** Of compressed messages that are kept. */
  bytes = 0;
  readonly #key: SeriesKey;
  readonly #deflater: MessageDeflater;
  readonly #messages: Buffer[] = [];
  #added: ((bytes: number) => void) | undefined;

  constructor(key: SeriesKey, added: (bytes: number) => void) {
    this.#key = key;
    this.#added = added;
    this.#deflater = new MessageDeflater(key, level);
  }

  /** Message `index` as it is. */
  plain(index: number): Buffer {
    return corpusOf(this.#key.corpus).message(index, this.#key.size);
  }

  /** Message `index` compressed. */
  compressed(index: number): Buffer {
    for (let at = this.#messages.length; at <= index; at++) {
      const message = this.#deflater.deflate(this.plain(at));
      this.#messages.push(message);
      this.bytes += message.length;
      this.#added?.(message.length);
    }
    return this.#messages[index] ?? Buffer.alloc(0);
  }

  /** It is kept no longer than by those who use it now. */
  forget(): void {
    this.#added = undefined;
  }
}

export type { Series };
