// How connections closed, grouped.
import type { CloseRecord } from '../result/result.ts';
import type { ClosedBy } from './drivers/driver.ts';

/** Closes grouped by code, by who began them, and by whether they were clean. */
export class CloseLog {
  readonly #closes = new Map<string, CloseRecord>();

  add(code: number, by: ClosedBy, clean: boolean): void {
    const key = `${code} ${by} ${clean}`;
    const record = this.#closes.get(key) ?? { code, by, clean, count: 0 };
    record.count++;
    this.#closes.set(key, record);
  }

  /** The most frequent first. */
  get records(): CloseRecord[] {
    return [...this.#closes.values()].sort((a, b) => b.count - a.count);
  }
}
