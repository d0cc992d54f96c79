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

/** Reads the status line and headers of one answer; what follows them is handed back. */
export class ResponseParser {
  readonly #limits: HeadLimits;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(limits: HeadLimits = headLimits) {
    this.#limits = limits;
  }

  /** Bytes of the head so far. */
  get size(): number {
    return this.#bytes.length;
  }

  push(chunk: Buffer): HeadState {
    // From where an end could begin that the last bytes did not yet have whole.
    const from = Math.max(0, this.#bytes.length - 3);
    this.#bytes = this.#bytes.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#bytes, chunk]);
    const end = this.#bytes.indexOf('\r\n\r\n', from, 'latin1');
    if ((end < 0 ? this.#bytes.length : end) > this.#limits.maxHeadBytes) {
      return { state: 'failed', problem: `a head of more than ${this.#limits.maxHeadBytes} bytes` };
    }
    // What does not begin like HTTP will not end like it.
    const begin = this.#bytes.subarray(0, 5).toString('latin1');
    if (!'HTTP/'.startsWith(begin)) return { state: 'failed', problem: 'what answers does not speak HTTP' };
    if (end < 0) return more;
    const response = readHead(this.#bytes.subarray(0, end).toString('latin1'), this.#limits.maxHeaders);
    if (typeof response === 'string') return { state: 'failed', problem: response };
    return { state: 'done', response, rest: this.#bytes.subarray(end + 4) };
  }
}

/** Status line and headers; a text says what is wrong. */
function readHead(head: string, maxHeaders: number): UpgradeResponse | string {
  const [first = '', ...lines] = head.split('\r\n');
  const status = /^(HTTP\/\d\.\d) (\d{3})(?: ([^\r\n]*))?$/.exec(first);
  if (!status) return `a status line that is none: ${JSON.stringify(first.slice(0, 60))}`;
  if (lines.length > maxHeaders) return `more than ${maxHeaders} headers`;
  const headers: [string, string][] = [];
  for (const line of lines) {
    const header = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    // Among them folded lines and names with a blank before the colon. RFC 9112 §5.1, §5.2
    if (!header || /[\r\n\0]/.test(line))
      return `a header line that is none: ${JSON.stringify(line.slice(0, 60))}`;
    headers.push([header[1] ?? '', header[2] ?? '']);
  }
  return { version: status[1] ?? '', status: Number(status[2]), reason: status[3] ?? '', headers };
}
