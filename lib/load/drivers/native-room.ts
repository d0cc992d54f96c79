// Where frames are written before they leave: one room for all connections of a driver.
import { maskedFrameBytes, writeMaskedFrame } from '../../protocol/frame-writer.ts';
import { maskKey } from '../../transport/mask-keys.ts';

const roomBytes = 64 * 1024;
// A larger batch begins another write: what is left of a room that has to be given up is small.
const mostBatchBytes = 32 * 1024;
const keptViews = 4096;
// Then new memory, where views last, costs less than making one for each batch.
const mostViewless = 1000;

/** Bytes of a message in frames of so many payload bytes; 0: in one frame. */
export function messageBytes(payloadBytes: number, fragmentBytes: number): number {
  if (fragmentBytes === 0 || payloadBytes <= fragmentBytes) return maskedFrameBytes(payloadBytes);
  const rest = payloadBytes % fragmentBytes;
  const whole = (payloadBytes - rest) / fragmentBytes;
  return whole * maskedFrameBytes(fragmentBytes) + (rest === 0 ? 0 : maskedFrameBytes(rest));
}

/**
 * Collects the frames of one write after another. Bytes that the system took at once are free to be written over: then the room
 * stays where it is, and so do the views of it, and nothing is allocated. Bytes that wait never change: the room goes on
 * behind them, and into new memory at its end.
 */
export class FrameRoom {
  #bytes: Buffer = Buffer.allocUnsafeSlow(roomBytes);
  #view = viewOf(this.#bytes);
  /** Where the batch under way begins and ends. */
  #start = 0;
  #end = 0;
  /** Views of batches that begin where the room does, by their length. */
  readonly #views: (Buffer | undefined)[] = new Array(keptViews).fill(undefined);
  /** Batches that were freed and had no such view. */
  #viewless = 0;

  /** True when nothing has been written since the last batch was taken. */
  get isEmpty(): boolean {
    return this.#end === this.#start;
  }

  /** Whether a message of this size may join the batch; one that may never is larger than a batch. */
  hasPlace(bytes: number): boolean {
    return this.#end - this.#start + bytes <= mostBatchBytes;
  }

  /**
   * Adds a message.
   *
   * @param opcode 1 text, 2 binary; also 8 to 10 for control frames
   * @param compressed its payload is
   * @param fragmentBytes payload of a frame; 0: all in one
   */
  add(opcode: number, compressed: boolean, payload: DataView, fragmentBytes: number): void {
    const length = payload.byteLength;
    const bytes = messageBytes(length, fragmentBytes);
    if (this.#end + bytes > this.#bytes.length) this.#move(bytes);
    const first = opcode | (compressed ? 0x40 : 0);
    if (fragmentBytes === 0 || length <= fragmentBytes) {
      this.#end = writeMaskedFrame(this.#view, this.#end, first | 0x80, payload, 0, length, maskKey());
      return;
    }
    for (let from = 0; from < length; from += fragmentBytes) {
      const to = Math.min(length, from + fragmentBytes);
      const lead = (from === 0 ? first : 0) | (to === length ? 0x80 : 0);
      this.#end = writeMaskedFrame(this.#view, this.#end, lead, payload, from, to, maskKey());
    }
  }

  /** The batch. {@link release} or {@link keep} follow before anything is added. */
  take(): Buffer {
    const length = this.#end - this.#start;
    const isKept = this.#start === 0 && length < keptViews;
    const known = isKept ? this.#views[length] : undefined;
    if (known !== undefined) return known;
    const view = this.#bytes.subarray(this.#start, this.#end);
    if (isKept) this.#views[length] = view;
    return view;
  }

  /** The batch has left: its place is free. */
  release(): void {
    this.#end = this.#start;
    if (this.#start > 0 && ++this.#viewless > mostViewless) this.#renew(roomBytes);
  }

  /** The batch waits to be written, and must not change. */
  keep(): void {
    this.#start = this.#end;
  }

  /** Takes the batch to new memory, with place for so many bytes more. */
  #move(bytes: number): void {
    const batch = this.#bytes.subarray(this.#start, this.#end);
    this.#renew(Math.max(roomBytes, batch.length + bytes));
    batch.copy(this.#bytes);
    this.#end = batch.length;
  }

  #renew(bytes: number): void {
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
    this.#view = viewOf(this.#bytes);
    this.#start = 0;
    this.#end = 0;
    this.#viewless = 0;
    this.#views.fill(undefined);
  }
}

/** The bytes as words can be read from them at any place. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
