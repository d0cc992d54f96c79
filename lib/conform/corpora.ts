// What the messages of sections 12 and 13 are cut out of: made here, always the same, never read from a file.
import { bitmapBytes } from './corpora/bitmap.ts';
import { htmlText } from './corpora/html.ts';
import { jsonText } from './corpora/json.ts';
import { pdfBytes } from './corpora/pdf.ts';
import { proseBytes } from './corpora/prose.ts';

export type CorpusName = 'json' | 'bitmap' | 'prose' | 'html' | 'pdf';

/** Size and kind of a corpus: those that Autobahn's files have. */
export interface CorpusSpec {
  /** In messages of which kind it is sent. */
  binary: boolean;
  /** In code points of a text, else in bytes. */
  length: number;
  /** What it is. */
  words: string;
  make: () => Buffer;
}

export const corpusSpecs: Record<CorpusName, CorpusSpec> = {
  json: {
    binary: false,
    length: 194_056,
    words: 'JSON',
    make: () => Buffer.from(jsonText(194_056)),
  },
  bitmap: { binary: true, length: 263_222, words: 'a bitmap', make: bitmapBytes },
  prose: { binary: true, length: 222_218, words: 'prose in Latin-1', make: () => proseBytes(222_218) },
  html: {
    binary: false,
    length: 263_620,
    words: 'HTML',
    make: () => Buffer.from(htmlText(263_620, 263_647)),
  },
  pdf: { binary: true, length: 1_042_328, words: 'a PDF', make: () => pdfBytes(1_042_328) },
};

const made = new Map<CorpusName, Corpus>();

/** A corpus; made when it is first asked for. */
export function corpusOf(name: CorpusName): Corpus {
  let corpus = made.get(name);
  if (!corpus) {
    corpus = new Corpus(corpusSpecs[name]);
    made.set(name, corpus);
  }
  return corpus;
}

/** Bytes, out of which messages are cut one after another, round and round. */
export class Corpus {
  readonly length: number;
  readonly #bytes: Buffer;
  /** Where each code point begins; undefined when each is one byte. */
  readonly #starts: Uint32Array | undefined;

  constructor({ binary, length, make }: CorpusSpec) {
    this.#bytes = make();
    this.length = length;
    this.#starts = binary || this.#bytes.length === length ? undefined : startsOf(this.#bytes, length);
  }

  /** Message `index` of those that have `size` code points, or bytes: it begins where the last one ended. */
  message(index: number, size: number): Buffer {
    const parts: Buffer[] = [];
    let at = (index * size) % this.length;
    for (let left = size; left > 0; at = 0) {
      const end = Math.min(this.length, at + left);
      parts.push(this.#bytes.subarray(this.#startOf(at), this.#startOf(end)));
      left -= end - at;
    }
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  }

  #startOf(index: number): number {
    return this.#starts?.[index] ?? index;
  }
}

function startsOf(bytes: Buffer, length: number): Uint32Array {
  const starts = new Uint32Array(length + 1);
  let index = 0;
  for (let at = 0; at < bytes.length; at++) if (((bytes[at] ?? 0) & 0xc0) !== 0x80) starts[index++] = at;
  starts[length] = bytes.length;
  return starts;
}
