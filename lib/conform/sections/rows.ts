// The words that rows are written in.
import { opcodes } from '../../protocol/frame.ts';
import type { Bytes, CaseTimer, ExpectedEvent, Role, Row, Step } from '../case.ts';

type Frame = Extract<Step, { do: 'frame' }>;
type Message = Extract<Step, { do: 'message' }>;

/** Tables that can be turned around: an echoing client is tested by the same frames as an echoing server. */
export const bothRoles: readonly Role[] = ['tests-server', 'tests-client'];

/** What can be otherwise about a frame. */
export type FrameOptions = Partial<Pick<Frame, 'fin' | 'rsv' | 'chop' | 'ownWrite'>>;

/** Written one byte at a time. */
export const byteByByte: FrameOptions = { chop: 1 };
/** Written apart from what comes before and after. */
export const byItself: FrameOptions = { ownWrite: true };
/** More of the message follows. */
export const unfinished: FrameOptions = { fin: false };

/** A frame of any opcode. */
export function frame(opcode: number, payload: Bytes = '', options: FrameOptions = {}): Step {
  return { do: 'frame', opcode, fin: true, rsv: 0, payload, ...options };
}

export const text = (payload: Bytes = '', options?: FrameOptions): Step =>
  frame(opcodes.text, payload, options);
export const binary = (payload: Bytes = '', options?: FrameOptions): Step =>
  frame(opcodes.binary, payload, options);
export const continuation = (payload: Bytes = '', options?: FrameOptions): Step =>
  frame(opcodes.continuation, payload, options);
export const ping = (payload: Bytes = '', options?: FrameOptions): Step =>
  frame(opcodes.ping, payload, options);
export const pong = (payload: Bytes = '', options?: FrameOptions): Step =>
  frame(opcodes.pong, payload, options);

/** A text message in one frame, or in fragments of a size. */
export function textMessage(payload: Bytes, fragmentSize?: number): Message {
  return { do: 'message', opcode: 1, payload, ...(fragmentSize === undefined ? {} : { fragmentSize }) };
}

/** A binary message in one frame, or in fragments of a size. */
export function binaryMessage(payload: Bytes, fragmentSize?: number): Message {
  return { ...textMessage(payload, fragmentSize), opcode: 2 };
}

/** Begins the closing handshake. */
export function close(code?: number, reason?: Bytes): Step {
  return {
    do: 'close',
    ...(code === undefined ? {} : { code }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Time in which nothing is sent. With a tag it is an event that the connection is still open after it. */
export const wait = (ms: number, tag?: string): Step => ({
  do: 'wait',
  ms,
  ...(tag === undefined ? {} : { tag }),
});

/** Literal bytes. */
export const hex = (digits: string): Bytes => ({ hex: digits.replaceAll(' ', '') });
/** A pattern, repeated up to a length. */
export const times = (cycle: string | { hex: string }, length: number): Bytes => ({ cycle, length });

export const gotText = (payload: Bytes): ExpectedEvent => ({ event: 'message', payload, binary: false });
export const gotBinary = (payload: Bytes): ExpectedEvent => ({ event: 'message', payload, binary: true });
export const gotPong = (payload: Bytes): ExpectedEvent => ({ event: 'pong', payload });
/** The connection was still open after the wait of that tag. */
export const stillOpen = (tag: string): ExpectedEvent => ({ event: 'timeout', tag });

/** These events, and nothing else. */
export const expectEvents = (...events: ExpectedEvent[]): Pick<Row, 'expect'> => ({ expect: { OK: events } });
/** Nothing that counts as an event. */
export const expectNothing: Pick<Row, 'expect'> = { expect: { OK: [] } };
/** The same text back. */
export const expectEcho = (payload: Bytes): Pick<Row, 'expect'> => expectEvents(gotText(payload));
/** The echo of what was legal, or nothing, which is not wrong either. */
export const expectEchoOrNothing = (payload: Bytes): Pick<Row, 'expect'> => ({
  expect: { OK: [gotText(payload)], 'NON-STRICT': [] },
});

/** We close with 1000 once the events are there, and the peer answers. */
export const closedByUs: Pick<Row, 'close' | 'autoClose'> = {
  close: { by: 'us', codes: [1000], clean: true },
  autoClose: true,
};

/** The peer fails the connection, with this code or without any. */
export const failedByPeer = (code: number): Pick<Row, 'close' | 'autoClose'> => ({
  close: { by: 'peer', codes: [code], clean: false },
  autoClose: false,
});

const timer = (kind: CaseTimer['kind'], afterMs: number): Pick<Row, 'timer'> => ({
  timer: { kind, afterMs },
});
/** Fails the connection with 1001 after a time. */
export const failAfter = (ms: number): Pick<Row, 'timer'> => timer('fail', ms);
/** Closes the connection, without a code, after a time. */
export const closeAfter = (ms: number): Pick<Row, 'timer'> => timer('close', ms);
