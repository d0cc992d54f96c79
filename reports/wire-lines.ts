// What went over the wire in a case, a line each.
import type { WireRecord } from '../lib/result/result.ts';

const arrows = { out: ['→', '>'], in: ['←', '<'], none: ['·', '-'] } as const;

/**
 * Lines such as `0.412 ms ← text frame, FIN, 5 bytes "Hello"`, the bytes behind them when they are wanted.
 *
 * @param most lines; of more, those in the middle are left out
 */
export function wireLines(
  wire: readonly WireRecord[],
  { most, hex, unicode }: { most: number; hex: boolean; unicode: boolean },
): string[] {
  const lines = (hex ? wire.map((record) => ({ record, times: 1 })) : alike(wire)).map(
    ({ record, times }) => `${line(record, hex, unicode)}${times > 1 ? ` (${times} times)` : ''}`,
  );
  if (lines.length <= most) return lines;
  const head = lines.slice(0, Math.ceil(most / 2));
  const tail = lines.slice(lines.length - Math.floor(most / 2));
  return [...head, `(${lines.length - head.length - tail.length} lines left out)`, ...tail];
}

/** Neighbours that say the same, told once: fragments of a large message are many. */
function alike(wire: readonly WireRecord[]): { record: WireRecord; times: number }[] {
  const groups: { record: WireRecord; times: number }[] = [];
  for (const record of wire) {
    const last = groups.at(-1);
    if (last && last.record.text === record.text && last.record.direction === record.direction) last.times++;
    else groups.push({ record, times: 1 });
  }
  return groups;
}

function line({ atUs, direction, text, hex }: WireRecord, withHex: boolean, unicode: boolean): string {
  const bytes = withHex && hex !== undefined && hex !== '' ? `  [${spaced(hex)}]` : '';
  return `${(atUs / 1000).toFixed(3)} ms ${arrows[direction][unicode ? 0 : 1]} ${text}${bytes}`;
}

const spaced = (hex: string): string => (/^[\da-f]+$/i.test(hex) ? hex.replace(/(..)(?=.)/g, '$1 ') : hex);
