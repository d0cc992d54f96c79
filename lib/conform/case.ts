// What a conformance case is: data, in which no row holds logic.

/** Bytes as rows write them: a text, literal bytes, or a pattern repeated up to a length. */
export type Bytes = string | { hex: string } | { cycle: string | { hex: string }; length: number };

/** One thing that the script of a case does. */
export type Step =
  /** A frame as it is written, legal or not. */
  | {
      do: 'frame';
      opcode: number;
      fin: boolean;
      rsv: number;
      payload: Bytes;
      /** Written in pieces of so many bytes, each by itself. */
      chop?: number;
      /** Written by itself, not together with what comes before and after. */
      ownWrite?: boolean;
    }
  /** A message, in fragments where it is longer than `fragmentSize`. */
  | { do: 'message'; opcode: 1 | 2; payload: Bytes; fragmentSize?: number; chop?: number }
  /** The header of a frame whose payload follows in pieces. */
  | { do: 'begin'; opcode: number; fin: boolean; length: number }
  | { do: 'piece'; payload: Bytes }
  | { do: 'wait'; ms: number }
  | { do: 'close'; code?: number; reason?: Bytes }
  /** Ends TCP without a close frame. */
  | { do: 'drop' };

/** What comes to a case's list of events. */
export type ExpectedEvent =
  | { event: 'message'; payload: Bytes; binary: boolean }
  | { event: 'pong'; payload: Bytes }
  | { event: 'timeout'; tag: string };

/** Which end of the connection is tested with a case's table. */
export type Role = 'tests-server' | 'tests-client';
