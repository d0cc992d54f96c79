// Section 9: large messages, many fragments, many pieces, many round trips.
import type { Bytes, Group, Load, Row, Section, Step } from '../case.ts';
import {
  binary,
  binaryMessage,
  bothRoles,
  closeAfter,
  closedByUs,
  expectNothing,
  type FrameOptions,
  text,
  textMessage,
  times,
} from './rows.ts';

const kib = 1024;
const mib = 1024 * kib;
const s = 1000;
const roundTrips = 1000;

type Payload = (length: number) => Bytes;
/** What messages are made of. */
const payloads = {
  mixedText: (length: number) => times('BAsd7&jh23', length),
  mixedBinary: (length: number) => times({ hex: '00fe23faf0' }, length),
  stars: (length: number) => times('*', length),
  bytes: (length: number) => times({ hex: 'fe' }, length),
} satisfies Record<string, Payload>;

/** How a load's case ends, and with what. */
function loaded(load: Load, limitMs: number): Omit<Row, 'id' | 'title' | 'steps'> {
  return { load, ...expectNothing, ...closedByUs, autoClose: false, ...closeAfter(limitMs) };
}

/** 65,536 as it is read. */
const words = (bytes: number): string =>
  bytes >= mib ? `${bytes / mib} MiB` : bytes >= kib ? `${bytes / kib} KiB` : `${bytes} bytes`;

const kindOf = (isBinary: boolean): string => (isBinary ? 'Binary' : 'Text');

function growing(group: string, isBinary: boolean, limitsS: readonly number[]): Group {
  const frame = isBinary ? binary : text;
  const payloadOf = isBinary ? payloads.mixedBinary : payloads.mixedText;
  const sizes = [64 * kib, 256 * kib, mib, 4 * mib, 8 * mib, 16 * mib];
  return {
    title: `${kindOf(isBinary)} message in one frame`,
    spec: 'RFC 6455 §5.2',
    requirement: 'A large message comes back whole.',
    cases: sizes.map((size, index) => ({
      id: `${group}.${index + 1}`,
      title: `${kindOf(isBinary)} message of ${words(size)} in one frame`,
      steps: [frame(payloadOf(size))],
      ...loaded({ kind: 'large', binary: isBinary, payload: payloadOf(size) }, (limitsS[index] ?? 0) * s),
    })),
  };
}

function fragmented(group: string, isBinary: boolean, payloadOf: (index: number) => Payload): Group {
  const message = isBinary ? binaryMessage : textMessage;
  const sizes = [64, 256, kib, 4 * kib, 16 * kib, 64 * kib, 256 * kib, mib, 4 * mib];
  return {
    title: `${kindOf(isBinary)} message of 4 MiB in fragments`,
    spec: 'RFC 6455 §5.4',
    requirement: 'A large message in many fragments comes back whole.',
    cases: sizes.map((size, index) => {
      const payload = payloadOf(index)(4 * mib);
      return {
        id: `${group}.${index + 1}`,
        title: `${kindOf(isBinary)} message of 4 MiB in fragments of ${words(size)}`,
        steps: [message(payload, size)],
        ...loaded({ kind: 'large', binary: isBinary, payload }, 100 * s),
      };
    }),
  };
}

function chopped(group: string, isBinary: boolean): Group {
  const frame: (payload: Bytes, options: FrameOptions) => Step = isBinary ? binary : text;
  const payload = (isBinary ? payloads.mixedBinary : payloads.mixedText)(mib);
  return {
    title: `${kindOf(isBinary)} message of 1 MiB in pieces`,
    spec: 'RFC 6455 §5.2',
    requirement: 'A large frame that arrives in many pieces comes back whole.',
    cases: [64, 128, 256, 512, 1024, 2048].map((size, index) => ({
      id: `${group}.${index + 1}`,
      title: `${kindOf(isBinary)} message of 1 MiB, written ${words(size)} at a time`,
      steps: [frame(payload, { chop: size })],
      ...loaded({ kind: 'large', binary: isBinary, payload }, 1000 * s),
    })),
  };
}

function repeated(group: string, isBinary: boolean): Group {
  const sizes: readonly [bytes: number, limitS: number][] = [
    [0, 60],
    [16, 60],
    [64, 60],
    [256, 120],
    [1024, 240],
    [4096, 480],
  ];
  return {
    title: `Round trips of ${isBinary ? 'binary' : 'text'} messages`,
    spec: 'RFC 6455 §5.6',
    requirement: 'Each of many messages comes back, one after another.',
    cases: sizes.map(([bytes, limitS], index) => ({
      id: `${group}.${index + 1}`,
      title: `1,000 round trips of a ${isBinary ? 'binary' : 'text'} message of ${bytes.toLocaleString('en')} bytes`,
      steps: [],
      ...loaded(
        {
          kind: 'round-trips',
          binary: isBinary,
          payload: (isBinary ? payloads.bytes : payloads.stars)(bytes),
          count: roundTrips,
        },
        limitS * s,
      ),
    })),
  };
}

export const limits: Section = {
  id: '9',
  title: 'Limits and performance',
  roles: bothRoles,
  groups: [
    growing('9.1', false, [10, 10, 100, 100, 100, 100]),
    growing('9.2', true, [10, 10, 10, 10, 100, 100]),
    fragmented('9.3', false, () => payloads.stars),
    // Autobahn's first row alone is made of what the table of the group says.
    fragmented('9.4', true, (index) => (index === 0 ? payloads.bytes : payloads.stars)),
    chopped('9.5', false),
    chopped('9.6', true),
    repeated('9.7', false),
    repeated('9.8', true),
  ],
};
