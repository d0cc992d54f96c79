// Failures grouped by cause, with what to do about each: connections that never opened, and protocol violations.
import type { FailureKind } from '../cause/cause.ts';
import { hintOf } from '../cause/hints.ts';
import { redactText } from '../result/redact.ts';
import type { FailureRecord } from '../result/result.ts';
import { nowUs } from './clock.ts';

const maxRecords = 20;

/** A group of failures as plain data. */
export interface FailureData extends FailureRecord {
  /** What they have in common; '' for all that no group was left for. */
  key: string;
  /** When the first of them was. */
  firstUs: number;
}

/** Groups failures by what they have in common; bounded, because details come from the peer. */
export class FailureLog {
  readonly #records = new Map<string, FailureData>();

  add(kind: FailureKind, detail: string, atUs: number = nowUs()): void {
    const key =
      kind === 'http' ? detail.slice(0, 'HTTP 401'.length) : `${kind} ${detail.replace(/\d+/g, '#')}`;
    const known =
      this.#records.get(key) ?? (this.#records.size < maxRecords ? undefined : this.#others(atUs));
    if (known) {
      known.count++;
      return;
    }
    const hint = hintOf(kind, detail);
    const words = { kind, detail: redactText(detail), count: 1, ...(hint ? { hint } : {}) };
    this.#records.set(key, { ...words, key, firstUs: atUs });
  }

  get records(): FailureRecord[] {
    return failureRecords([...this.#records.values()]);
  }

  data(): FailureData[] {
    return [...this.#records.values()].map((record) => ({ ...record }));
  }

  #others(atUs: number): FailureData {
    const known = this.#records.get('') ?? othersFrom(atUs);
    this.#records.set('', known);
    return known;
  }
}

/** Groups as a result has them, the most frequent first; the rarest are put together where several logs had too many. */
export function failureRecords(data: readonly FailureData[]): FailureRecord[] {
  const ranked = [...data].sort((a, b) => b.count - a.count || a.firstUs - b.firstUs);
  const named = ranked.filter(({ key }) => key !== '');
  const rest = [...named.slice(maxRecords), ...ranked.filter(({ key }) => key === '')];
  const shown = named.slice(0, maxRecords);
  if (rest.length > 0)
    shown.push({ ...othersFrom(0), count: rest.reduce((sum, { count }) => sum + count, 0) });
  return shown.sort((a, b) => b.count - a.count).map(({ key: _key, firstUs: _firstUs, ...record }) => record);
}

function othersFrom(atUs: number): FailureData {
  return { kind: 'others', detail: 'other causes', count: 0, key: '', firstUs: atUs };
}
