// JSON as an API would answer it: records with the same keys, names out of one list, numbers and times.
import { pick, randomFrom } from './random.ts';
import { english } from './words.ts';

const states = ['open', 'closed', 'waiting', 'lost'] as const;

/** A document of exactly so many characters, all of them ASCII. */
export function jsonText(length: number): string {
  const random = randomFrom(1);
  const number = (most: number): number => Math.floor(random() * most);
  const parts = ['{"records":[\n'];
  let size = parts.join('').length;
  for (let id = 1; ; id++) {
    const record = JSON.stringify({
      id,
      name: `${pick(random, english)}-${pick(random, english)}`,
      state: pick(random, states),
      createdAt: `2026-0${1 + number(9)}-1${number(10)}T0${number(10)}:3${number(10)}:00Z`,
      position: { x: number(10_000) / 100, y: number(10_000) / 100 },
      tags: [pick(random, english), pick(random, english), pick(random, english)],
      note: Array.from({ length: 4 + number(8) }, () => pick(random, english)).join(' '),
    });
    // Room for what ends the document.
    if (size + record.length + 40 > length) break;
    parts.push(`${record},\n`);
    size += record.length + 2;
  }
  const end = ['{"padding":"', '"}]}\n'];
  return parts.join('') + end.join('.'.repeat(length - size - end.join('').length));
}
