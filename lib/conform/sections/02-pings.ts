// Section 2: pings and pongs.
import type { Row, Section } from '../case.ts';
import {
  bothRoles,
  byteByByte,
  close,
  closeAfter,
  closedByUs,
  expectEvents,
  expectNothing,
  failAfter,
  failedByPeer,
  gotPong,
  hex,
  ping,
  pong,
  times,
} from './rows.ts';

const bytes = hex('00 ff fe fd fc fb 00 ff');
const unasked = 'unsolicited pong payload';
const ten = Array.from({ length: 10 }, (_, index) => `payload-${index}`);

const answered: Pick<Row, 'close' | 'autoClose' | 'timer'> = { ...closedByUs, ...closeAfter(1000) };

export const pings: Section = {
  id: '2',
  title: 'Pings and pongs',
  roles: bothRoles,
  groups: [
    {
      title: 'Pings and pongs',
      spec: 'RFC 6455 §5.5.2, §5.5.3',
      requirement:
        'Each ping is answered by a pong with the same payload; a pong that nobody asked for is passed over; ' +
        'a control frame of more than 125 bytes fails the connection.',
      cases: [
        {
          id: '2.1',
          title: 'Ping without payload',
          steps: [ping()],
          ...expectEvents(gotPong('')),
          ...answered,
        },
        {
          id: '2.2',
          title: 'Ping with a text payload',
          steps: [ping('Hello, world!')],
          ...expectEvents(gotPong('Hello, world!')),
          ...answered,
        },
        {
          id: '2.3',
          title: 'Ping with a payload that is no UTF-8',
          steps: [ping(bytes)],
          ...expectEvents(gotPong(bytes)),
          ...answered,
        },
        {
          id: '2.4',
          title: 'Ping with 125 bytes, the most there may be',
          steps: [ping(times({ hex: 'fe' }, 125))],
          ...expectEvents(gotPong(times({ hex: 'fe' }, 125))),
          ...answered,
        },
        {
          id: '2.5',
          title: 'Ping with 126 bytes, one too many',
          spec: 'RFC 6455 §5.5',
          steps: [ping(times({ hex: 'fe' }, 126))],
          ...expectNothing,
          ...failedByPeer(1002),
          ...failAfter(1000),
        },
        {
          id: '2.6',
          title: 'Ping with 125 bytes, written byte by byte',
          steps: [ping(times({ hex: 'fe' }, 125), byteByByte)],
          ...expectEvents(gotPong(times({ hex: 'fe' }, 125))),
          ...closedByUs,
          ...closeAfter(2000),
        },
        {
          id: '2.7',
          title: 'Pong without payload that nobody asked for, then a close',
          steps: [pong(), close(1000)],
          ...expectNothing,
          ...answered,
        },
        {
          id: '2.8',
          title: 'Pong with a payload that nobody asked for, then a close',
          steps: [pong(unasked), close(1000)],
          ...expectNothing,
          ...answered,
        },
        {
          id: '2.9',
          title: 'Pong that nobody asked for, then a ping',
          steps: [pong(unasked), ping('ping payload')],
          ...expectEvents(gotPong('ping payload')),
          ...answered,
        },
        {
          id: '2.10',
          title: 'Ten pings at once',
          steps: ten.map((payload) => ping(payload)),
          ...expectEvents(...ten.map(gotPong)),
          ...closedByUs,
          ...closeAfter(3000),
        },
        {
          id: '2.11',
          title: 'Ten pings, written byte by byte',
          steps: ten.map((payload) => ping(payload, byteByByte)),
          ...expectEvents(...ten.map(gotPong)),
          ...closedByUs,
          ...closeAfter(3000),
        },
      ],
    },
  ],
};
