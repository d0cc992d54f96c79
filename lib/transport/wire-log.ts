// What went over the wire, both ways, as it was read and written: time, hexadecimal, text.

/** One read or write. */
export interface WireEntry {
  /** On the clock of the connection, in µs. */
  atUs: number;
  direction: 'in' | 'out';
  /** A copy of the bytes. */
  bytes: Buffer;
  /** How many there were: more than {@link bytes} once the log is full. */
  size: number;
}

const defaultMaxBytes = 1024 * 1024;

/** Keeps copies up to a bound; after it only how much there was. */
export class WireLog {
  readonly entries: WireEntry[] = [];
  #left: number;

  constructor(maxBytes: number = defaultMaxBytes) {
    this.#left = maxBytes;
  }

  add(direction: 'in' | 'out', atUs: number, buf: Uint8Array, start = 0, end = buf.length): void {
    const kept = Math.min(end - start, this.#left);
    this.#left -= kept;
    const bytes = Buffer.from(buf.subarray(start, start + kept));
    this.entries.push({ atUs, direction, bytes, size: end - start });
  }
}

const bytesPerLine = 16;

/**
 * A log as lines: time in ms since the first entry, direction, offset, hexadecimal, and what of it is printable ASCII.
 *
 * ```
 *      0.000  →  0000  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  GET / HTTP/1.1..
 * ```
 */
export function formatWireLog(entries: readonly WireEntry[]): string {
  const startUs = entries[0]?.atUs ?? 0;
  return entries.flatMap((entry) => linesOf(entry, startUs)).join('');
}

function linesOf({ atUs, direction, bytes, size }: WireEntry, startUs: number): string[] {
  const time = ((atUs - startUs) / 1000).toFixed(3).padStart(10);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += bytesPerLine) {
    const row = bytes.subarray(at, at + bytesPerLine);
    const lead = at === 0 ? `${time}  ${direction === 'in' ? '←' : '→'}` : ' '.repeat(13);
    const halves = [hexOf(row.subarray(0, 8)), hexOf(row.subarray(8))].join('  ').padEnd(48);
    const text = row.toString('latin1').replace(/[^ -~]/g, '.');
    lines.push(`${lead}  ${at.toString(16).padStart(4, '0')}  ${halves}  ${text}\n`);
  }
  if (size > bytes.length) lines.push(`${' '.repeat(13)}  … ${size - bytes.length} more bytes\n`);
  return lines;
}

const hexOf = (bytes: Buffer): string => bytes.toString('hex').replace(/(..)(?=.)/g, '$1 ');
