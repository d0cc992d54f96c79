// Section 1: messages of the lengths at which a frame's header changes.
import type { Bytes, Row, Section, Step } from '../case.ts';
import {
  binary,
  bothRoles,
  closedByUs,
  expectEvents,
  type FrameOptions,
  failAfter,
  gotBinary,
  gotText,
  text,
  times,
} from './rows.ts';

const kib64 = 65_536;

// biome-ignore format: a table
const sizes: readonly [bytes: number, limitMs: number, options?: FrameOptions][] = [
  [0, 1000], [125, 1000], [126, 1000], [127, 1000], [128, 1000],
  [65_535, 10_000], [kib64, 10_000], [kib64, 10_000, { chop: 997 }],
];

function echoes(
  group: string,
  kind: string,
  payloadOf: (bytes: number) => Bytes,
  frame: (payload: Bytes, options?: FrameOptions) => Step,
  got: (payload: Bytes) => ReturnType<typeof gotText>,
): Row[] {
  return sizes.map(([bytes, limitMs, options], index) => ({
    id: `${group}.${index + 1}`,
    title: `${kind} message of ${bytes.toLocaleString('en')} bytes${options ? `, written ${options.chop} bytes at a time` : ''}`,
    steps: [frame(payloadOf(bytes), options)],
    ...expectEvents(got(payloadOf(bytes))),
    ...closedByUs,
    ...failAfter(limitMs),
  }));
}

export const framing: Section = {
  id: '1',
  title: 'Framing',
  roles: bothRoles,
  groups: [
    {
      title: 'Text messages',
      spec: 'RFC 6455 §5.2',
      requirement:
        'A text message of any length comes back as it was, whether its length takes 7, 16 or 64 bits.',
      cases: echoes('1.1', 'Text', (bytes) => times('*', bytes), text, gotText),
    },
    {
      title: 'Binary messages',
      spec: 'RFC 6455 §5.2',
      requirement:
        'A binary message of any length comes back as it was, whether its length takes 7, 16 or 64 bits.',
      cases: echoes('1.2', 'Binary', (bytes) => times({ hex: 'fe' }, bytes), binary, gotBinary),
    },
  ],
};
