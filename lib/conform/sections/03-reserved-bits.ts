// Section 3: reserved bits that no extension gave a meaning.
import type { Row, Section } from '../case.ts';
import {
  binary,
  bothRoles,
  byItself,
  byteByByte,
  expectEchoOrNothing,
  expectNothing,
  failAfter,
  failedByPeer,
  frame,
  hex,
  ping,
  text,
} from './rows.ts';

const hello = 'Hello, world!';
const failed: Pick<Row, 'close' | 'autoClose' | 'timer'> = { ...failedByPeer(1002), ...failAfter(1000) };

export const reservedBits: Section = {
  id: '3',
  title: 'Reserved bits',
  roles: bothRoles,
  groups: [
    {
      title: 'Reserved bits',
      spec: 'RFC 6455 §5.2',
      requirement:
        'A reserved bit fails the connection unless an extension that was agreed gives it a meaning; ' +
        'what came before it may still be answered.',
      cases: [
        { id: '3.1', title: 'Text with RSV3', steps: [text(hello, { rsv: 1 })], ...expectNothing, ...failed },
        {
          id: '3.2',
          title: 'Text, text with RSV2, ping, at once',
          steps: [text(hello), text(hello, { rsv: 2 }), ping()],
          ...expectEchoOrNothing(hello),
          ...failed,
        },
        {
          id: '3.3',
          title: 'Text, text with RSV2 and RSV3, ping, frame by frame',
          steps: [text(hello, byItself), text(hello, { ...byItself, rsv: 3 }), ping('', byItself)],
          ...expectEchoOrNothing(hello),
          ...failed,
        },
        {
          id: '3.4',
          title: 'Text, text with RSV1, ping, byte by byte',
          steps: [text(hello, byteByByte), text(hello, { ...byteByByte, rsv: 4 }), ping('', byteByByte)],
          ...expectEchoOrNothing(hello),
          ...failed,
        },
        {
          id: '3.5',
          title: 'Binary with RSV1 and RSV3',
          steps: [binary(hex('00 ff fe fd fc fb 00 ff'), { rsv: 5 })],
          ...expectNothing,
          ...failed,
        },
        {
          id: '3.6',
          title: 'Binary with RSV1 and RSV2',
          steps: [binary(hello, { rsv: 6 })],
          ...expectNothing,
          ...failed,
        },
        {
          id: '3.7',
          title: 'Close with all reserved bits',
          steps: [frame(8, '', { rsv: 7 })],
          ...expectNothing,
          ...failed,
        },
      ],
    },
  ],
};
