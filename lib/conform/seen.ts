// What was seen of a case: all that the judge goes by.
import type { WireRecord } from '../result/result.ts';

/** What happened, in order. Pings and close frames of the peer are no events. */
export type SeenEvent =
  | { event: 'message'; payload: Uint8Array; binary: boolean }
  | { event: 'pong'; payload: Uint8Array }
  | { event: 'timeout'; tag: string };

/** What came of a load. */
export interface SeenLoad {
  /** Messages that came back right. */
  right: number;
  /** How many that took; with as many right ones the load is done. */
  wanted: number;
  /** The first message that was wrong, in words. */
  wrong: string | null;
  /** What had the right type and length, but other content. */
  otherContent: string | null;
  /** The peer did not agree to permessage-deflate: nothing was sent. */
  declined: boolean;
}

/** One run of a case. */
export interface Seen {
  /** Null: the handshake came about; else why it did not. */
  notOpened: string | null;
  events: readonly SeenEvent[];
  /** Of cases with a load. */
  load: SeenLoad | null;
  /** We sent a close frame before the peer's came. */
  closedByUs: boolean;
  /** There was a whole closing handshake, and the peer ended TCP after it. */
  clean: boolean;
  /** We ended TCP. */
  droppedByUs: boolean;
  /** The code in the peer's close frame, legal or not. */
  remoteCloseCode: number | null;
  /** The rules that the peer broke, in order, in words. */
  violations: readonly string[];
  /** Something that ends a case, in words: `no close frame within 1 s`. */
  notes: readonly string[];
  /** The peer's answer does not keep to what was offered of permessage-deflate: how. Only where that was looked at. */
  dishonoured: string | null;
  /** Rules by which something was taken otherwise than Autobahn takes it. */
  rules: readonly string[];
  durationMs: number;
  /** What went over the wire, in words, which are made when they are asked for. */
  wire: () => WireRecord[];
}
