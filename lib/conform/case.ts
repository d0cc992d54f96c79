// What a conformance case is: data, in which no row holds logic.
import type { DeflateParameters } from '../protocol/deflate-negotiation.ts';
import type { CorpusName } from './corpora.ts';

/** Bytes as rows write them: a text, literal bytes, or a pattern repeated up to a length. */
export type Bytes = string | { hex: string } | { cycle: string | { hex: string }; length: number };

/** One thing that the script of a case does. What stands between two waits is written with one call. */
export type Step =
  /** A frame as it is written, legal or not. A close frame written like this begins no closing handshake of ours. */
  | {
      do: 'frame';
      opcode: number;
      fin: boolean;
      /** 4 is RSV1, 2 RSV2, 1 RSV3. */
      rsv: number;
      payload: Bytes;
      /** Written in pieces of so many bytes, each in its own turn of the event loop. */
      chop?: number;
      /** Written in its own turn of the event loop. */
      ownWrite?: boolean;
    }
  /** A message, in fragments where it is longer than `fragmentSize`. */
  | { do: 'message'; opcode: 1 | 2; payload: Bytes; fragmentSize?: number }
  /** The header of a frame whose payload follows in pieces. */
  | { do: 'begin'; opcode: number; fin: boolean; length: number }
  | { do: 'piece'; payload: Bytes }
  /** With a tag: an event, if the connection is still open; else the script ends here. */
  | { do: 'wait'; ms: number; tag?: string }
  /** Begins the closing handshake. Without a code a reason stands where the code should. */
  | { do: 'close'; code?: number; reason?: Bytes };

/** What comes to a case's list of events. */
export type ExpectedEvent =
  | { event: 'message'; payload: Bytes; binary: boolean }
  | { event: 'pong'; payload: Bytes }
  | { event: 'timeout'; tag: string };

/** How the connection must end. */
export interface ExpectedClose {
  /** Who sends the first close frame. A peer that drops TCP instead of closing counts as `peer`. */
  by: 'us' | 'peer';
  /** Codes that the peer's close frame may have; none at all is always right. */
  codes: readonly number[];
  /** Whether there must be a whole closing handshake. */
  clean: boolean;
}

/** What ends a case that does not end by itself: failing the connection with 1001, or an empty close frame. */
export interface CaseTimer {
  kind: 'fail' | 'close';
  /** After the last step of the script. */
  afterMs: number;
}

/** What a case does beyond its script. */
export type Load =
  /** The echo of the one message that the script sends. */
  | { kind: 'large'; binary: boolean; payload: Bytes }
  /** A message again and again, each when the last one came back. */
  | { kind: 'round-trips'; binary: boolean; payload: Bytes; count: number }
  /** Compressed messages cut out of a corpus, each when the last one came back. */
  | {
      kind: 'deflate';
      binary: boolean;
      corpus: CorpusName;
      /** Length of a message: code points of a text, else bytes. */
      size: number;
      /** Of the compressed payload. */
      fragmentSize?: number;
      offers: readonly DeflateParameters[];
    };

/** How a case's verdict depends on more than its events. */
export type CaseRule =
  /** The behavior fails when the wrong side began to close. */
  | 'wrong-side-fails'
  /** The behavior fails when the close code is not among the expected ones. */
  | 'wrong-code-fails'
  /** Both verdicts are INFORMATIONAL, whatever happens. */
  | 'informational';

/** Which end of the connection is tested with a case's table. */
export type Role = 'tests-server' | 'tests-client';

/** A row of a section's table. */
export interface Row {
  /** Autobahn's id. Never reused. */
  id: string;
  /** What is sent, in words. */
  title: string;
  /** Where the rule stands, if not where the group's does. */
  spec?: string;
  steps: readonly Step[];
  expect: { OK: readonly ExpectedEvent[]; 'NON-STRICT'?: readonly ExpectedEvent[] };
  close: ExpectedClose;
  timer: CaseTimer;
  /** We close with the first expected code as soon as the events are those that were expected. */
  autoClose: boolean;
  rules?: readonly CaseRule[];
  load?: Load;
}

/** Rows that belong together. */
export interface Group {
  title: string;
  spec: string;
  /** What the specification asks of the peer, in words of our own. */
  requirement: string;
  cases: readonly Row[];
}

/** One file of cases. */
export interface Section {
  id: string;
  title: string;
  /** Which ends can be tested with this table. */
  roles: readonly Role[];
  groups: readonly Group[];
}

/** A case: its row, and what section and group say. */
export interface Case extends Row {
  spec: string;
  requirement: string;
  /** Number of its section, such as `6`. */
  section: string;
  sectionTitle: string;
  groupTitle: string;
  roles: readonly Role[];
}
