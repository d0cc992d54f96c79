// Failures grouped by cause, with what to do about each: connections that never opened, and protocol violations.
import type { FailureKind } from '../cause/cause.ts';
import { hintOf } from '../cause/hints.ts';
import { redactText } from '../result/redact.ts';
import type { FailureRecord } from '../result/result.ts';

const maxRecords = 20;

/** Groups failures by what they have in common; bounded, because details come from the peer. */
export class FailureLog {
  readonly #records = new Map<string, FailureRecord>();

  add(kind: FailureKind, detail: string): void {
    const key =
      kind === 'http' ? detail.slice(0, 'HTTP 401'.length) : `${kind} ${detail.replace(/\d+/g, '#')}`;
    const known = this.#records.get(key) ?? (this.#records.size < maxRecords ? undefined : this.#others());
    if (known) {
      known.count++;
      return;
    }
    const hint = hintOf(kind, detail);
    this.#records.set(key, { kind, detail: redactText(detail), count: 1, ...(hint ? { hint } : {}) });
  }

  get records(): FailureRecord[] {
    return [...this.#records.values()].sort((a, b) => b.count - a.count);
  }

  /** True when the generator ran out of files or ports. */
  get hasResources(): boolean {
    return this.records.some((record) => record.kind === 'resources');
  }

  #others(): FailureRecord {
    const others = this.#records.get('') ?? { kind: 'others', detail: 'other causes', count: 0 };
    this.#records.set('', others);
    return others;
  }
}
