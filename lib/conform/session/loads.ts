// What cases do whose messages are not in their script: echo after echo, each looked at as it comes.
import type { DeflateAgreement } from '../../protocol/deflate-negotiation.ts';
import { bytesOf } from '../bytes.ts';
import type { Load } from '../case.ts';
import type { CompressedMessages } from '../compressed-messages.ts';
import type { SeenLoad } from '../seen.ts';

/** What a load is played with. */
export interface LoadParts {
  /** Sends a message. @param rsv of its first frame */
  send(opcode: number, payload: Buffer, fragmentSize: number | undefined, rsv: number): void;
  /** Closes with 1000. */
  close(): void;
}

/** A load under way. */
export interface LoadPlayer {
  readonly seen: SeenLoad;
  /** The connection is open. */
  start(): void;
  message(payload: Buffer, binary: boolean): void;
}

/** The player of a load. @param messages how many a compressed load has */
export function loadPlayer(
  load: Load,
  parts: LoadParts,
  deflate: DeflateAgreement | null,
  messages: number,
  cache: CompressedMessages,
): LoadPlayer {
  if (load.kind === 'large') return new LargeEcho(load, parts);
  if (load.kind === 'round-trips') return new RoundTrips(load, parts);
  return deflate ? new DeflateEcho(load, parts, deflate, messages, cache) : new Declined(parts);
}

const opcodeOf = (binary: boolean): 1 | 2 => (binary ? 2 : 1);
const kindOf = (binary: boolean): string => (binary ? 'binary' : 'text');

const nothingSeen = (wanted: number): SeenLoad => ({
  right: 0,
  wanted,
  wrong: null,
  otherContent: null,
  declined: false,
});

/** What is wrong with a message of the wrong type or length; null: nothing is. */
function misfit(load: { binary: boolean }, length: number, payload: Buffer, binary: boolean): string | null {
  if (binary === load.binary && payload.length === length) return null;
  return `a ${kindOf(binary)} message of ${payload.length.toLocaleString('en')} bytes`;
}

/** One message, which the script sends. Whatever comes back first, we close. */
class LargeEcho implements LoadPlayer {
  readonly seen = nothingSeen(1);
  readonly #load: Extract<Load, { kind: 'large' }>;
  readonly #parts: LoadParts;

  constructor(load: Extract<Load, { kind: 'large' }>, parts: LoadParts) {
    this.#load = load;
    this.#parts = parts;
  }

  start(): void {}

  message(payload: Buffer, binary: boolean): void {
    const sent = bytesOf(this.#load.payload);
    const wrong = misfit(this.#load, sent.length, payload, binary);
    if (wrong === null) {
      this.seen.right++;
      if (!payload.equals(sent)) this.seen.otherContent ??= contentTrouble(payload, sent);
    } else this.seen.wrong ??= wrong;
    this.#parts.close();
  }
}

/** The same message, again when it came back. */
class RoundTrips implements LoadPlayer {
  readonly seen: SeenLoad;
  readonly #load: Extract<Load, { kind: 'round-trips' }>;
  readonly #parts: LoadParts;
  readonly #payload: Buffer;
  #sent = 0;

  constructor(load: Extract<Load, { kind: 'round-trips' }>, parts: LoadParts) {
    this.#load = load;
    this.#parts = parts;
    this.#payload = bytesOf(load.payload);
    this.seen = nothingSeen(load.count);
  }

  start(): void {
    this.#send();
  }

  message(payload: Buffer, binary: boolean): void {
    const { seen } = this;
    const wrong = misfit(this.#load, this.#payload.length, payload, binary);
    if (wrong === null && seen.wrong === null) {
      seen.right++;
      if (!payload.equals(this.#payload)) seen.otherContent ??= contentTrouble(payload, this.#payload);
      if (this.#sent < seen.wanted) {
        this.#send();
        return;
      }
      // Messages that came twice are as good as answers here: Autobahn counts what it sent.
      seen.right = seen.wanted;
    } else seen.wrong ??= wrong;
    this.#parts.close();
  }

  #send(): void {
    this.#sent++;
    this.#parts.send(opcodeOf(this.#load.binary), this.#payload, undefined, 0);
  }
}

/** Compressed messages of a corpus, each when the last one came back. */
class DeflateEcho implements LoadPlayer {
  readonly seen: SeenLoad;
  readonly #load: Extract<Load, { kind: 'deflate' }>;
  readonly #parts: LoadParts;
  readonly #series: ReturnType<CompressedMessages['of']>;

  constructor(
    load: Extract<Load, { kind: 'deflate' }>,
    parts: LoadParts,
    deflate: DeflateAgreement,
    messages: number,
    cache: CompressedMessages,
  ) {
    this.#load = load;
    this.#parts = parts;
    this.#series = cache.of({ corpus: load.corpus, size: load.size, ...deflate.client });
    this.seen = nothingSeen(messages);
  }

  start(): void {
    this.#send(0);
  }

  message(payload: Buffer, binary: boolean): void {
    const { seen } = this;
    const sent = this.#series.plain(seen.right);
    const wrong = misfit(this.#load, sent.length, payload, binary);
    if (seen.wrong !== null || wrong !== null || !payload.equals(sent)) {
      seen.wrong ??= `message ${seen.right + 1}: ${wrong ?? contentTrouble(payload, sent)}`;
    } else if (++seen.right < seen.wanted) {
      this.#send(seen.right);
      return;
    }
    this.#parts.close();
  }

  #send(index: number): void {
    const { binary, fragmentSize } = this.#load;
    this.#parts.send(opcodeOf(binary), this.#series.compressed(index), fragmentSize, 4);
  }
}

/** Compression was not agreed on: there is nothing to test. */
class Declined implements LoadPlayer {
  readonly seen: SeenLoad = { ...nothingSeen(1), declined: true };
  readonly #parts: LoadParts;

  constructor(parts: LoadParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#parts.close();
  }

  message(): void {}
}

/** Where two payloads of the same length differ. */
function contentTrouble(payload: Buffer, sent: Buffer): string {
  const at = payload.findIndex((byte, index) => byte !== sent[index]);
  return `other content than was sent, from byte ${at.toLocaleString('en')} on`;
}
