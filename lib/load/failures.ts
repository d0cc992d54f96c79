// Failures grouped by cause, with what to do about each: connections that never opened, and protocol violations.
import type { FailureKind } from '../cause/cause.ts';
import { hintOf } from '../cause/hints.ts';
import {
  type FailureGroup,
  failureKey,
  failureRecords,
  maxFailureGroups,
  otherFailures,
} from '../result/failure-groups.ts';
import { redactText } from '../result/redact.ts';
import type { FailureRecord } from '../result/result.ts';
import { nowUs } from './clock.ts';

/** Groups failures by what they have in common; bounded, because details come from the peer. */
export class FailureLog {
  readonly #records = new Map<string, FailureGroup>();

  add(kind: FailureKind, detail: string, atUs: number = nowUs()): void {
    const key = failureKey(kind, detail);
    const known =
      this.#records.get(key) ?? (this.#records.size < maxFailureGroups ? undefined : this.#others(atUs));
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

  data(): FailureGroup[] {
    return [...this.#records.values()].map((record) => ({ ...record }));
  }

  #others(atUs: number): FailureGroup {
    const known = this.#records.get('') ?? otherFailures(atUs);
    this.#records.set('', known);
    return known;
  }
}
