// Section 6: texts that are UTF-8, and texts that are not.
import type { Group, Row, Section, Step } from '../case.ts';
import {
  bothRoles,
  closeAfter,
  closedByUs,
  continuation,
  expectEcho,
  expectNothing,
  failAfter,
  failedByPeer,
  hex,
  stillOpen,
  text,
  textMessage,
  unfinished,
  wait,
} from './rows.ts';

const spec = 'RFC 6455 §5.6, §8.1';
const mustEcho = 'A text of valid UTF-8 comes back as it was, wherever fragments cut it.';
const mustFail = 'A text that is not UTF-8 fails the connection, and is not answered.';
const both = `${mustEcho} ${mustFail}`;

const refused: Pick<Row, 'expect' | 'close' | 'autoClose' | 'rules'> = {
  ...expectNothing,
  ...failedByPeer(1007),
  rules: ['wrong-side-fails'],
};
const echoed: Pick<Row, 'close' | 'autoClose' | 'timer'> = { ...closedByUs, ...closeAfter(1000) };

// "Hello-µ@ßöäüàá-UTF-8!!", cut in the middle: between two code points.
const latin = ['48656c6c6f2dc2b540c39fc3b6c3a4', 'c3bcc3a0c3a12d5554462d382121'] as const;
// The Greek word "κόσμε".
const kosme = 'cebae1bdb9cf83cebcceb5';
// The same, then a surrogate, then "edited".
const surrogateInside = `${kosme}eda080656469746564`;
// The same, then U+110000, which is none, then "edited": where the text is cut in two ways.
const cuts = [
  [kosme, 'f4908080', '656469746564'],
  [`${kosme}f4`, '90', '8080656469746564'],
] as const;

/** The same three parts as fragments of a message, or as pieces of one frame. */
function failFast(): Row[] {
  const asFragments = ([a, b, c]: (typeof cuts)[number]): Step[] => [
    text(hex(a), unfinished),
    wait(1000, 'A'),
    continuation(hex(b), unfinished),
    wait(1000, 'B'),
    continuation(hex(c)),
  ];
  const asPieces = (parts: (typeof cuts)[number]): Step[] => {
    const [a, b, c] = parts.map((part): Step => ({ do: 'piece', payload: hex(part) })) as [Step, Step, Step];
    const length = parts.join('').length / 2;
    const begin: Step = { do: 'begin', opcode: 1, fin: false, length };
    return [begin, a, wait(1000, 'A'), b, wait(1000, 'B'), c, continuation()];
  };
  const rows: [string, Step[]][] = [
    ...cuts.map((cut, index): [string, Step[]] => [`fragments, cut ${where[index]}`, asFragments(cut)]),
    ...cuts.map((cut, index): [string, Step[]] => [`pieces of a frame, cut ${where[index]}`, asPieces(cut)]),
  ];
  return rows.map(([how, steps], index) => ({
    id: `6.4.${index + 1}`,
    title: `A code point above U+10FFFF in the second of three ${how}, a second apart`,
    steps,
    ...refused,
    expect: { OK: [stillOpen('A')], 'NON-STRICT': [stillOpen('A'), stillOpen('B')] },
    ...failAfter(1000),
  }));
}
const where = ['before it', 'after its first byte'];

/** Texts in one frame each. The mark says what must come of it: `+` an echo, `-` a failed connection. */
function texts(group: string, title: string, rows: string): Group {
  const cases = rows.split(/\s+/).map((row, index): Row => {
    const isText = row.startsWith('+');
    const payload = hex(row.slice(1));
    return {
      id: `${group}.${index + 1}`,
      title: `${isText ? 'Valid' : 'Invalid'} text ${shown(row.slice(1))}`,
      steps: [textMessage(payload)],
      ...(isText ? { ...expectEcho(payload), ...closedByUs } : refused),
      ...failAfter(500),
    };
  });
  const isMixed = rows.includes('+') && rows.includes('-');
  return { title, spec, requirement: isMixed ? both : rows.includes('+') ? mustEcho : mustFail, cases };
}

/** Bytes as they are looked for in a capture. */
const shown = (digits: string): string =>
  (digits.length > 40 ? `${digits.slice(0, 40)}…` : digits).replace(/(..)(?=.)/g, '$1 ');

/** Bytes from one value to another, each followed by a space. */
const spaced = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => `${byte(from + index)}20`).join('');
const byte = (value: number): string => value.toString(16).padStart(2, '0');
/** All continuation bytes but the last. */
const continuationBytes = Array.from({ length: 63 }, (_, index) => byte(0x80 + index)).join('');
/** The two last code points of the planes, which are for nobody's use, but may be sent. RFC 3629 §3 */
const nonCharacters = ['ef', 'f09f', 'f0af', 'f0bf', 'f18f', 'f19f', 'f1af', 'f1bf', 'f28f']
  .concat(['f29f', 'f2af', 'f2bf', 'f38f', 'f39f', 'f3af', 'f3bf', 'f48f'])
  .flatMap((start) => [`+${start}bfbe`, `+${start}bfbf`])
  .join(' ');
/** Every text that ends where the Greek word is cut after one more byte. */
const prefixes = Array.from({ length: 11 }, (_, index) => {
  const isWhole = [2, 5, 7, 9, 11].includes(index + 1);
  return `${isWhole ? '+' : '-'}${kosme.slice(0, 2 * (index + 1))}`;
}).join(' ');

export const utf8: Section = {
  id: '6',
  title: 'UTF-8',
  roles: bothRoles,
  groups: [
    {
      title: 'Empty texts',
      spec: 'RFC 6455 §5.4, §5.6',
      requirement: mustEcho,
      cases: [
        { id: '6.1.1', title: 'Empty text', steps: [text()], ...expectEcho(''), ...echoed },
        {
          id: '6.1.2',
          title: 'Text in three empty fragments',
          steps: [text('', unfinished), continuation('', unfinished), continuation()],
          ...expectEcho(''),
          ...echoed,
        },
        {
          id: '6.1.3',
          title: 'Text in three fragments, of which the first and last are empty',
          steps: [text('', unfinished), continuation('middle frame payload', unfinished), continuation()],
          ...expectEcho('middle frame payload'),
          ...echoed,
        },
      ],
    },
    {
      title: 'Valid UTF-8 in fragments',
      spec,
      requirement: mustEcho,
      cases: [
        {
          id: '6.2.1',
          title: 'Text with characters of two bytes, in one frame',
          steps: [textMessage(hex(latin.join('')))],
          ...expectEcho(hex(latin.join(''))),
          ...echoed,
        },
        {
          id: '6.2.2',
          title: 'The same in two fragments, cut between two characters',
          steps: [text(hex(latin[0]), unfinished), continuation(hex(latin[1]))],
          ...expectEcho(hex(latin.join(''))),
          ...echoed,
        },
        {
          id: '6.2.3',
          title: 'The same in fragments of one byte',
          steps: [textMessage(hex(latin.join('')), 1)],
          ...expectEcho(hex(latin.join(''))),
          ...echoed,
        },
        {
          id: '6.2.4',
          title: 'A Greek word in fragments of one byte',
          steps: [textMessage(hex(kosme), 1)],
          ...expectEcho(hex(kosme)),
          ...echoed,
        },
      ],
    },
    {
      title: 'Invalid UTF-8',
      spec,
      requirement: mustFail,
      cases: [
        {
          id: '6.3.1',
          title: 'A Greek word, a surrogate, a word, in one frame',
          steps: [textMessage(hex(surrogateInside))],
          ...refused,
          ...failAfter(1000),
        },
        {
          id: '6.3.2',
          title: 'The same in fragments of one byte',
          steps: [textMessage(hex(surrogateInside), 1)],
          ...refused,
          ...failAfter(1000),
        },
      ],
    },
    {
      title: 'Failing at the first wrong byte',
      spec: 'RFC 6455 §8.1',
      requirement: `${mustFail} Best at once, though the message is not finished.`,
      cases: failFast(),
    },
    texts(
      '6.5',
      'Valid texts',
      `+68656c6c6f24776f726c64 +68656c6c6fc2a2776f726c64 +68656c6c6fe282ac776f726c64 +68656c6c6ff0a4ada2776f726c64 +${kosme}`,
    ),
    texts('6.6', 'Every beginning of a text', prefixes),
    texts('6.7', 'The first code point of each length', '+00 +c280 +e0a080 +f0908080'),
    texts('6.8', 'The first of five and six bytes', '-f888808080 -fc8480808080'),
    texts('6.9', 'The last code point of each length', '+7f +dfbf +efbfbf +f48fbfbf'),
    texts('6.10', 'The last of four, five and six bytes', '-f7bfbfbf -fbbfbfbfbf -fdbfbfbfbfbf'),
    texts('6.11', 'Other boundaries', '+ed9fbf +ee8080 +efbfbd +f48fbfbf -f4908080'),
    texts(
      '6.12',
      'Continuation bytes that continue nothing',
      `-80 -bf -80bf -80bf80 -80bf80bf -80bf80bf80 -80bf80bf80bf -${continuationBytes}`,
    ),
    texts(
      '6.13',
      'First bytes without what must follow',
      `-${spaced(0xc0, 0xde)} -${spaced(0xe0, 0xee)} -${spaced(0xf0, 0xf6)} -${spaced(0xf8, 0xfa)} -${spaced(0xfc, 0xfc)}`,
    ),
    texts(
      '6.14',
      'Sequences without their last byte',
      '-c0 -e080 -f08080 -f8808080 -fc80808080 -df -efbf -f7bfbf -fbbfbfbf -fdbfbfbfbf',
    ),
    texts('6.15', 'The same, all together', '-c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf'),
    texts('6.16', 'Bytes that never occur', '-fe -ff -fefeffff'),
    texts('6.17', 'A slash in too many bytes', '-c0af -e080af -f08080af -f8808080af -fc80808080af'),
    texts(
      '6.18',
      'The last code point that would fit in fewer bytes',
      '-c1bf -e09fbf -f08fbfbf -f887bfbfbf -fc83bfbfbfbf',
    ),
    texts('6.19', 'U+0000 in too many bytes', '-c080 -e08080 -f0808080 -f880808080 -fc8080808080'),
    texts('6.20', 'Surrogates', '-eda080 -edadbf -edae80 -edafbf -edb080 -edbe80 -edbfbf'),
    texts(
      '6.21',
      'Pairs of surrogates',
      '-eda080edb080 -eda080edbfbf -edadbfedb080 -edadbfedbfbf -edae80edb080 -edae80edbfbf -edafbfedb080 -edafbfedbfbf',
    ),
    texts('6.22', 'Code points that are no characters', nonCharacters),
    texts('6.23', 'Specials', '+efbfb9 +efbfba +efbfbb +efbfbc +efbfbd +efbfbe +efbfbf'),
  ],
};
