// Section 5: messages in fragments, and control frames between them.
import type { Row, Section, Step } from '../case.ts';
import {
  bothRoles,
  byItself,
  byteByByte,
  closeAfter,
  closedByUs,
  continuation,
  expectEcho,
  expectEchoOrNothing,
  expectEvents,
  expectNothing,
  type FrameOptions,
  failAfter,
  failedByPeer,
  gotPong,
  gotText,
  ping,
  pong,
  text,
  unfinished,
  wait,
} from './rows.ts';

const [one, two, three, four, five] = ['fragment1', 'fragment2', 'fragment3', 'fragment4', 'fragment5'];
const whole: Pick<Row, 'close' | 'autoClose' | 'timer'> = { ...closedByUs, ...closeAfter(1000) };
const failed: Pick<Row, 'close' | 'autoClose' | 'timer'> = { ...failedByPeer(1002), ...failAfter(1000) };

/** How the same frames are written in three rows that follow each other. */
const ways: readonly [string, FrameOptions][] = [
  ['at once', {}],
  ['frame by frame', byItself],
  ['byte by byte', byteByByte],
];

/** One row for each way of writing. */
function eachWay(
  first: number,
  title: string,
  stepsOf: (way: FrameOptions) => Step[],
  outcome: Omit<Row, 'id' | 'title' | 'steps'>,
): Row[] {
  return ways.map(([how, way], index) => ({
    id: `5.${first + index}`,
    title: `${title}, ${how}`,
    steps: stepsOf(way),
    ...outcome,
  }));
}

/** A continuation frame that continues nothing, then a whole text. */
const strayBeforeText =
  (fin: boolean) =>
  (way: FrameOptions): Step[] => [
    continuation('non-continuation payload', { ...way, fin }),
    text('Hello, world!', way),
  ];

/** Five fragments with two pings among them, and a second in the middle in which nothing is sent. */
const slowFragments = (way: FrameOptions): Step[] => [
  text(one, { ...way, ...unfinished }),
  continuation(two, { ...way, ...unfinished }),
  ping('pongme 1!', way),
  wait(1000),
  continuation(three, { ...way, ...unfinished }),
  continuation(four, { ...way, ...unfinished }),
  ping('pongme 2!', way),
  continuation(five, way),
];
const slowFragmentsBack = expectEvents(
  gotPong('pongme 1!'),
  gotPong('pongme 2!'),
  gotText(`${one}${two}${three}${four}${five}`),
);

/** Twice: a continuation of nothing, a text that is not finished, its last fragment. */
const confused = (fin: boolean): Step[] =>
  [0, 1].flatMap(() => [continuation(one, { fin }), text(two, unfinished), continuation(three)]);

export const fragmentation: Section = {
  id: '5',
  title: 'Fragmentation',
  roles: bothRoles,
  groups: [
    {
      title: 'Fragmentation',
      spec: 'RFC 6455 §5.4',
      requirement:
        'Fragments make one message, control frames may stand between them and are answered at once; ' +
        'a control frame in fragments, a continuation of nothing, and a message within a message fail the connection.',
      cases: [
        {
          id: '5.1',
          title: 'Ping in two fragments',
          spec: 'RFC 6455 §5.4, §5.5',
          steps: [ping(one, unfinished), continuation(two)],
          ...expectNothing,
          ...failed,
        },
        {
          id: '5.2',
          title: 'Pong in two fragments',
          spec: 'RFC 6455 §5.4, §5.5',
          steps: [pong(one, unfinished), continuation(two)],
          ...expectNothing,
          ...failed,
        },
        ...eachWay(
          3,
          'Text in two fragments',
          (way) => [text(one, { ...way, ...unfinished }), continuation(two, way)],
          { ...expectEcho(`${one}${two}`), ...whole },
        ),
        ...eachWay(
          6,
          'Text in two fragments with a ping between them',
          (way) => [text(one, { ...way, ...unfinished }), ping('ping payload', way), continuation(two, way)],
          { ...expectEvents(gotPong('ping payload'), gotText(`${one}${two}`)), ...whole },
        ),
        ...eachWay(9, 'Last fragment of nothing, then text', strayBeforeText(true), {
          ...expectNothing,
          ...failed,
        }),
        ...eachWay(12, 'Middle fragment of nothing, then text', strayBeforeText(false), {
          ...expectNothing,
          ...failed,
        }),
        {
          id: '5.15',
          title: 'Text in two fragments, then a middle fragment of nothing and a text',
          steps: [text(one, unfinished), continuation(two), continuation(three, unfinished), text(four)],
          ...expectEchoOrNothing(`${one}${two}`),
          ...failed,
        },
        {
          id: '5.16',
          title: 'Middle fragment of nothing before a text in fragments, twice',
          steps: confused(false),
          ...expectNothing,
          ...failed,
        },
        {
          id: '5.17',
          title: 'Last fragment of nothing before a text in fragments, twice',
          steps: confused(true),
          ...expectNothing,
          ...failed,
        },
        {
          id: '5.18',
          title: 'A text before the last one is finished',
          steps: [text(one, unfinished), text(two)],
          ...expectNothing,
          ...failed,
        },
        {
          id: '5.19',
          title: 'Text in five fragments with two pings and a second of silence between them, at once',
          steps: slowFragments({}),
          ...slowFragmentsBack,
          ...whole,
        },
        {
          id: '5.20',
          title: 'Text in five fragments with two pings and a second of silence between them, frame by frame',
          steps: slowFragments(byItself),
          ...slowFragmentsBack,
          ...whole,
        },
      ],
    },
  ],
};
