// The head of an HTTP answer, as it arrives. Bounded, and strict about what could smuggle. RFC 9112
import type { UpgradeResponse } from './handshake.ts';

/** Bounds of a head that is read. */
export interface HeadLimits {
  maxHeadBytes: number;
  maxHeaders: number;
}

/** More than any server sends, and little enough to keep for thousands of connections. */
export const headLimits: HeadLimits = { maxHeadBytes: 64 * 1024, maxHeaders: 200 };

/** What a {@link ResponseParser} says of the bytes so far. */
export type HeadState =
  | { state: 'more' }
  | { state: 'done'; response: UpgradeResponse; rest: Buffer }
  | { state: 'failed'; problem: string };

const more: HeadState = { state: 'more' };
const startBytes = 512;

/**
 * Reads the status line and headers of one answer; what follows them is handed back, as a part of the parser's own buffer.
 * Interim answers (1xx other than 101, RFC 9110 §15.2) are passed over.
 */
export class ResponseParser {
  readonly #limits: HeadLimits;
  #bytes: Buffer = Buffer.alloc(0);
  #size = 0;
  /** Where the answer under way begins: interim ones are before it. */
  #from = 0;

  constructor(limits: HeadLimits = headLimits) {
    this.#limits = limits;
  }

  /** Bytes that came so far. */
  get size(): number {
    return this.#size;
  }

  push(chunk: Uint8Array): HeadState {
    // From where an end could begin that the last bytes did not yet have whole.
    let searchFrom = Math.max(this.#from, this.#size - 3);
    this.#append(chunk);
    const bytes = this.#bytes.subarray(0, this.#size);
    for (;;) {
      const end = bytes.indexOf('\r\n\r\n', searchFrom, 'latin1');
      // Interim answers count: a server could send them for ever.
      if ((end < 0 ? bytes.length : end) > this.#limits.maxHeadBytes) {
        return failed(`a head of more than ${this.#limits.maxHeadBytes} bytes`);
      }
      // What does not begin like HTTP will not end like it.
      const begin = bytes.toString('latin1', this.#from, Math.min(bytes.length, this.#from + 5));
      if (!'HTTP/'.startsWith(begin)) return failed('what answers does not speak HTTP');
      const bare = bytes.indexOf('\n\n', searchFrom, 'latin1');
      if (bare >= 0 && (end < 0 || bare < end)) return failed('the lines of the head end with LF, not CRLF');
      if (end < 0) return more;
      const head = bytes.toString('latin1', this.#from, end);
      const response = readHead(head, this.#limits.maxHeaders);
      if (typeof response === 'string') return failed(response);
      const { status } = response;
      if (status >= 200 || status === 101) return { state: 'done', response, rest: bytes.subarray(end + 4) };
      this.#from = end + 4;
      searchFrom = this.#from;
    }
  }

  #append(chunk: Uint8Array): void {
    const needed = this.#size + chunk.length;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(startBytes, needed, 2 * this.#bytes.length));
      this.#bytes.copy(grown, 0, 0, this.#size);
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#size);
    this.#size = needed;
  }
}

const failed = (problem: string): HeadState => ({ state: 'failed', problem });

/** Status line and headers; a text says what is wrong. */
function readHead(head: string, maxHeaders: number): UpgradeResponse | string {
  const [first = '', ...lines] = head.split('\r\n');
  const status = /^(HTTP\/\d\.\d) (\d{3})(?: ([^\r\n]*))?$/.exec(first);
  if (!status) return `a status line that is none: ${JSON.stringify(first.slice(0, 60))}`;
  if (lines.length > maxHeaders) return `more than ${maxHeaders} headers`;
  const headers: [string, string][] = [];
  for (const line of lines) {
    const name = /^[!#$%&'*+.^_`|~\w-]+(?=:)/.exec(line)?.[0];
    // Among them folded lines and names with a blank before the colon. RFC 9112 §5.1, §5.2
    if (name === undefined || /[\r\n\0]/.test(line)) {
      return `a header line that is none: ${JSON.stringify(line.slice(0, 60))}`;
    }
    headers.push([name, withoutBlanks(line.slice(name.length + 1))]);
  }
  return { version: status[1] ?? '', status: Number(status[2]), reason: status[3] ?? '', headers };
}

/** Without the blanks and tabs around a value. A loop: a pattern would go through a long run of them again and again. */
function withoutBlanks(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;
