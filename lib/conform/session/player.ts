// Plays the script of a case: which frames are written when, and when the case's own timer begins.
import { applyMask, encodeFrame, type FrameSpec } from '../../protocol/frame.ts';
import { bytesOf } from '../bytes.ts';
import type { Case, Step } from '../case.ts';
import { closePayload, type Machine } from './machine.ts';
import { maskingKey } from './masking-key.ts';
import type { Sender } from './sender.ts';
import type { Wire } from './wire.ts';

/** What a script is played with. */
export interface PlayerParts {
  machine: Machine;
  sender: Sender;
  wire: Wire;
  /** Calls back after a time, which is over when TCP is. */
  after(ms: number, callback: () => void): void;
  /** The connection was still open after a wait with a tag. */
  stillOpen(tag: string): void;
  /** The last step is done: `cutShort` when the connection was no longer open, and the rest was left out. */
  done(cutShort: boolean): void;
}

/** One playing of one script. */
export class Player {
  readonly #parts: PlayerParts;
  readonly #steps: readonly Step[];
  #isAtOpen = true;
  /** The key and how much is masked of a frame that is written in pieces. */
  #streamed = { key: new Uint8Array(4), left: 0, done: 0 };

  constructor(testCase: Pick<Case, 'steps'>, parts: PlayerParts) {
    this.#steps = testCase.steps;
    this.#parts = parts;
  }

  /** True while a frame is begun and not all there. */
  get isWithinFrame(): boolean {
    return this.#streamed.left > 0;
  }

  /** Plays the steps from `index` on, up to the next wait. */
  play(index = 0): void {
    for (let at = index; at < this.#steps.length; at++) {
      const step = this.#steps[at];
      if (step?.do === 'wait') {
        this.#isAtOpen = false;
        this.#parts.after(step.ms, () => this.#continue(step.tag, at + 1));
        return;
      }
      if (step) this.#do(step);
    }
    this.#isAtOpen = false;
    this.#parts.done(false);
  }

  /** Writes a frame with what else this turn has. */
  frame(spec: FrameSpec): void {
    this.#send(spec, undefined);
  }

  #continue(tag: string | undefined, index: number): void {
    const { machine } = this.#parts;
    if (tag !== undefined && machine.state !== 'open') {
      this.#parts.done(true);
      return;
    }
    if (tag !== undefined) this.#parts.stillOpen(tag);
    this.play(index);
  }

  #do(step: Exclude<Step, { do: 'wait' }>): void {
    switch (step.do) {
      case 'frame':
        this.#send({ ...step, payload: bytesOf(step.payload) }, step.chop, step.ownWrite);
        break;
      case 'message':
        this.message(step.opcode, bytesOf(step.payload), step.fragmentSize);
        break;
      case 'begin':
        this.#begin(step);
        break;
      case 'piece':
        this.#piece(bytesOf(step.payload));
        break;
      case 'close': {
        const reason = step.reason === undefined ? Buffer.alloc(0) : bytesOf(step.reason);
        const payload = step.code === undefined ? reason : Buffer.concat([closePayload(step.code), reason]);
        this.#parts.machine.close(payload);
      }
    }
  }

  /**
   * Writes a message in fragments.
   *
   * One whose length is a multiple of the size ends with an empty one, as Autobahn's does: servers that bound the number of
   * fragments are judged by that.
   *
   * @param rsv of the first frame
   */
  message(opcode: number, payload: Buffer, fragmentSize = Number.POSITIVE_INFINITY, rsv = 0): void {
    if (payload.length <= fragmentSize) {
      this.#send({ opcode, payload, rsv });
      return;
    }
    for (let at = 0, isLast = false; !isLast; at += fragmentSize) {
      isLast = at + fragmentSize > payload.length;
      this.#send({
        opcode: at === 0 ? opcode : 0,
        fin: isLast,
        rsv: at === 0 ? rsv : 0,
        payload: payload.subarray(at, at + fragmentSize),
      });
    }
  }

  #send(spec: FrameSpec, chop?: number, ownWrite?: boolean): void {
    const bytes = encodeFrame({ ...spec, mask: maskingKey() });
    const { sender, wire } = this.#parts;
    const payload = spec.payload ?? Buffer.alloc(0);
    const extra = chop === undefined ? '' : `, in pieces of ${chop}`;
    const { fin = true, rsv = 0, opcode } = spec;
    const frame = { fin, rsv, opcode, masked: false, length: payload.length, payload };
    wire.frame('out', frame, bytes.subarray(0, bytes.length - payload.length), extra);
    if (chop === undefined && !ownWrite) sender.write(bytes);
    else sender.writePieces(bytes, chop ?? bytes.length, this.#isAtOpen);
  }

  #begin({ opcode, fin, length }: Extract<Step, { do: 'begin' }>): void {
    const key = Uint8Array.from(maskingKey());
    this.#streamed = { key, left: length, done: 0 };
    const header = encodeFrame({ opcode, fin, mask: key, claimedLength: length });
    const frame = { fin, rsv: 0, opcode, masked: false, length, payload: Buffer.alloc(0) };
    this.#parts.wire.frame('out', frame, header, ', only its header');
    this.#parts.sender.write(header);
  }

  #piece(payload: Buffer): void {
    const streamed = this.#streamed;
    const bytes = Buffer.from(payload);
    applyMask(bytes, 0, bytes.length, streamed.key, streamed.done);
    streamed.done += bytes.length;
    streamed.left -= bytes.length;
    this.#parts.wire.note(`${payload.length} bytes of that frame's payload are sent`);
    this.#parts.sender.write(bytes);
  }
}
