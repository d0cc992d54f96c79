// How connections ended before the run did, and what those ends have in common.
import { closeAdvice, describeClose } from '../cause/close-code.ts';
import { formatDuration } from '../duration.ts';
import type { ClosedBy } from './drivers/driver.ts';

/** When what happened on a connection, in µs; 0: never. */
export interface LaneTimes {
  openedUs: number;
  flushedUs: number;
  receivedUs: number;
  pongedUs: number;
}

/** One end. */
interface End {
  atUs: number;
  /** Since the connection opened, and since anything went over it. */
  ageUs: number;
  idleUs: number;
}

/** Ends with one code, as plain data. */
export interface EndsData {
  code: number;
  by: ClosedBy;
  count: number;
  /** The first of them. */
  samples: End[];
}

/** So many ends of a kind are looked at. */
export const maxSamples = 100;
// Closer together than this they are no coincidence.
const spread = 0.1;
const leastUs = 1e6;

/** Ends grouped by close code; bounded. */
export class EndLog {
  readonly #ends = new Map<string, EndsData>();

  add(lane: LaneTimes, code: number, by: ClosedBy, atUs: number): void {
    const key = `${code} ${by}`;
    const ends = this.#ends.get(key) ?? { code, by, count: 0, samples: [] };
    this.#ends.set(key, ends);
    ends.count++;
    if (ends.samples.length >= maxSamples) return;
    const { openedUs, flushedUs, receivedUs, pongedUs } = lane;
    const lastUs = Math.max(openedUs, flushedUs, receivedUs, pongedUs);
    ends.samples.push({ atUs, ageUs: atUs - openedUs, idleUs: atUs - lastUs });
  }

  data(): EndsData[] {
    return [...this.#ends.values()].map((ends) => ({ ...ends, samples: [...ends.samples] }));
  }
}

/** The most frequent ends in words, each with what it may come from. */
export function describeEnds(data: readonly EndsData[], most: number): string {
  return [...data]
    .sort((a, b) => b.count - a.count)
    .slice(0, most)
    .map((ends) => {
      const who = ends.by === 'us' ? ' by us, after a protocol violation' : '';
      const hint = ends.by === 'us' ? undefined : (patternOf(ends.samples) ?? closeAdvice(ends.code));
      return `${describeClose(ends.code)}${who}, ${ends.count} ${ends.count === 1 ? 'time' : 'times'}${hint === undefined ? '' : ` (${hint})`}`;
    })
    .join('; ');
}

/** What several ends have in common: a time without traffic, a time since the connection opened. */
function patternOf(samples: readonly End[]): string | undefined {
  const idleUs = common(samples.map((end) => end.idleUs));
  if (idleUs !== undefined) {
    return `each about ${inWords(idleUs)} after its last message: an idle timeout of the target or of a proxy? A heartbeat or a higher rate keeps connections open`;
  }
  const ageUs = common(samples.map((end) => end.ageUs));
  const ends = samples.map(({ atUs }) => atUs);
  // All at the same moment: that is a target that went down, whatever their age was.
  if (ageUs === undefined || Math.max(...ends) - Math.min(...ends) <= spread * ageUs) return undefined;
  return `each about ${inWords(ageUs)} after it opened: a limit on how long connections may live?`;
}

/** The value that all share, if it is long enough to mean something. */
function common(valuesUs: readonly number[]): number | undefined {
  const [least, most] = [Math.min(...valuesUs), Math.max(...valuesUs)];
  return valuesUs.length >= 2 && least >= leastUs && most - least <= spread * most
    ? (least + most) / 2
    : undefined;
}

const inWords = (us: number): string => formatDuration(Math.round(us / 1e5) * 100);
