// Section 4: opcodes that have no meaning.
import type { Group, Row, Section } from '../case.ts';
import {
  bothRoles,
  byteByByte,
  expectEchoOrNothing,
  expectNothing,
  failAfter,
  failedByPeer,
  frame,
  ping,
  text,
} from './rows.ts';

const hello = 'Hello, world!';
const failed: Pick<Row, 'close' | 'autoClose' | 'timer'> = { ...failedByPeer(1002), ...failAfter(1000) };

/** Five rows for the five opcodes from `first` on. */
function reserved(group: string, kind: 'data' | 'control', first: number): Group {
  const name = (index: number): string => `opcode 0x${(first + index).toString(16)}`;
  return {
    title: `Reserved ${kind} opcodes`,
    spec: kind === 'data' ? 'RFC 6455 §5.2, §5.6' : 'RFC 6455 §5.2, §5.5',
    requirement:
      'A frame of an opcode without a meaning fails the connection; what came before it may still be answered.',
    cases: [
      {
        id: `${group}.1`,
        title: `A frame of ${name(0)}`,
        steps: [frame(first)],
        ...expectNothing,
        ...failed,
      },
      {
        id: `${group}.2`,
        title: `A frame of ${name(1)} with a payload`,
        steps: [frame(first + 1, 'reserved opcode payload')],
        ...expectNothing,
        ...failed,
      },
      {
        id: `${group}.3`,
        title: `Text, a frame of ${name(2)}, ping, at once`,
        steps: [text(hello), frame(first + 2), ping()],
        ...expectEchoOrNothing(hello),
        ...failed,
      },
      {
        id: `${group}.4`,
        title: `Text, a frame of ${name(3)} with a payload, ping, at once`,
        steps: [text(hello), frame(first + 3, hello), ping()],
        ...expectEchoOrNothing(hello),
        ...failed,
      },
      {
        id: `${group}.5`,
        title: `Text, a frame of ${name(4)} with a payload, ping, byte by byte`,
        steps: [text(hello, byteByByte), frame(first + 4, hello, byteByByte), ping('', byteByByte)],
        ...expectEchoOrNothing(hello),
        ...failed,
      },
    ],
  };
}

export const opcodes: Section = {
  id: '4',
  title: 'Opcodes',
  roles: bothRoles,
  groups: [reserved('4.1', 'data', 0x3), reserved('4.2', 'control', 0xb)],
};
