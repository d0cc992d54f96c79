// Section 7: the closing handshake.
import type { Row, Section } from '../case.ts';
import {
  bothRoles,
  close,
  closedByUs,
  continuation,
  expectEcho,
  expectNothing,
  failAfter,
  frame,
  hex,
  ping,
  text,
  times,
  unfinished,
} from './rows.ts';

const hello = 'Hello World!';
const limit = failAfter(1000);

/** We closed; the peer answers with one of these codes or none, and what it answered counts. */
function answered(...codes: number[]): Pick<Row, 'expect' | 'close' | 'autoClose' | 'timer' | 'rules'> {
  return {
    ...expectNothing,
    close: { by: 'us', codes, clean: true },
    autoClose: false,
    ...limit,
    rules: ['wrong-code-fails'],
  };
}

/** What we sent is no close frame as it should be: the peer may say so, or hang up. */
function objected(...codes: number[]): ReturnType<typeof answered> {
  return { ...answered(...codes), close: { by: 'us', codes, clean: false } };
}

/** Whatever comes of it is told, and never wrong. */
const told: Pick<Row, 'rules'> = { rules: ['informational'] };

// biome-ignore format: a table
const allowedCodes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
const forbiddenCodes = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
const outOfRange = [5000, 65_535];

export const closing: Section = {
  id: '7',
  title: 'Closing handshake',
  roles: bothRoles,
  groups: [
    {
      title: 'The handshake',
      spec: 'RFC 6455 §5.5.1, §7.1',
      requirement:
        'A close frame is answered by one, and TCP is closed; nothing that comes after a close frame is answered.',
      cases: [
        {
          id: '7.1.1',
          title: 'Text, and a close when its echo is there',
          steps: [text(hello)],
          ...expectEcho(hello),
          ...closedByUs,
          ...limit,
          rules: ['wrong-code-fails'],
        },
        { id: '7.1.2', title: 'Two close frames', steps: [close(1000), frame(8)], ...answered(1000) },
        { id: '7.1.3', title: 'Close, then a ping', steps: [close(1000), ping()], ...answered(1000) },
        { id: '7.1.4', title: 'Close, then a text', steps: [close(1000), text(hello)], ...answered(1000) },
        {
          id: '7.1.5',
          title: 'Close between the fragments of a text',
          steps: [text('fragment1', unfinished), close(1000), continuation('fragment2')],
          ...answered(1000),
        },
        {
          id: '7.1.6',
          title: 'Text of 262,144 bytes, a short text, close, ping, at once',
          steps: [text(times('BAsd7&jh23', 262_144)), text(hello), close(1000), ping()],
          ...answered(1000),
          expect: { OK: [{ event: 'message', payload: hello, binary: false }], 'NON-STRICT': [] },
          ...told,
        },
      ],
    },
    {
      title: 'Payloads of close frames',
      spec: 'RFC 6455 §5.5, §5.5.1',
      requirement:
        'A close frame is empty, or has a code of two bytes and a reason of at most 123; any other is answered by 1002 or the end of TCP.',
      cases: [
        { id: '7.3.1', title: 'Close without payload', steps: [close()], ...answered(1000) },
        {
          id: '7.3.2',
          title: 'Close with a payload of one byte',
          steps: [close(undefined, 'a')],
          ...objected(1002),
        },
        { id: '7.3.3', title: 'Close with a code', steps: [close(1000)], ...answered(1000) },
        { id: '7.3.4', title: 'Close with code and reason', steps: [close(1000, hello)], ...answered(1000) },
        {
          id: '7.3.5',
          title: 'Close with the longest reason there may be',
          steps: [close(1000, times('*', 123))],
          ...answered(1000),
        },
        {
          id: '7.3.6',
          title: 'Close with a reason that is one byte too long',
          steps: [close(1000, times('*', 124))],
          ...objected(1002),
        },
      ],
    },
    {
      title: 'Reasons that are not UTF-8',
      spec: 'RFC 6455 §5.5.1, §8.1',
      requirement: 'A close reason that is not UTF-8 is answered by 1007, 1002 or the end of TCP.',
      cases: [
        {
          id: '7.5.1',
          title: 'Close with a surrogate in the reason',
          steps: [close(1000, hex('cebae1bdb9cf83cebcceb5eda080656469746564'))],
          ...objected(1002, 1007),
        },
      ],
    },
    {
      title: 'Codes that may be sent',
      spec: 'RFC 6455 §7.4.1, §7.4.2',
      requirement: 'A close frame with a code that may be sent is answered by the same code, 1000 or none.',
      cases: allowedCodes.map((code, index) => ({
        id: `7.7.${index + 1}`,
        title: `Close with code ${code}`,
        steps: [close(code)],
        ...answered(...new Set([1000, code])),
        autoClose: true,
      })),
    },
    {
      title: 'Codes that must not be sent',
      spec: 'RFC 6455 §7.4.1, §7.4.2',
      requirement: 'A close frame with a code that must not be sent is answered by 1002 or the end of TCP.',
      cases: forbiddenCodes.map((code, index) => ({
        id: `7.9.${index + 1}`,
        title: `Close with code ${code}`,
        steps: [close(code)],
        ...objected(1002),
        autoClose: true,
      })),
    },
    {
      title: 'Codes out of range',
      spec: 'RFC 6455 §7.4.2',
      requirement:
        'The RFC says nothing of codes above 4999: what the peer makes of one is told, and not judged.',
      cases: outOfRange.map((code, index) => ({
        id: `7.13.${index + 1}`,
        title: `Close with code ${code}`,
        steps: [close(code)],
        ...objected(1000, code, 1002),
        ...told,
      })),
    },
  ],
};
