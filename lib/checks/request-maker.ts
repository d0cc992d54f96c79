// Renders the request that a target's description names.
import { randomBytes } from 'node:crypto';
import { type ConnectionValues, connectionValue } from '../target/opening.ts';
import type { Target } from '../target/target.ts';
import { messageText, placeholdersIn, substitute } from '../target/template.ts';

/** A rendered request and what its reply may be known by. */
export interface MadeRequest {
  id: string;
  seq: number;
  text: string;
}

/** `{{ seq }}` has 13 digits, always. */
const firstSeq = 1_000_000_000_000;

/** Makes the requests of one connection. */
export class RequestMaker {
  readonly #request: Target['request'];
  readonly #sizeBytes: number;
  readonly #pads: number;
  readonly #values: ConnectionValues;
  readonly #next: () => number;
  readonly #prefix = randomBytes(4).toString('hex');

  /** @param next numbers that no other request of the run has, from 0 */
  constructor(target: Target, values: ConnectionValues, next: () => number) {
    this.#request = target.request;
    this.#sizeBytes = target.size ?? 0;
    this.#pads = placeholdersIn(target.request).filter(({ name }) => name === 'pad').length;
    this.#values = values;
    this.#next = next;
  }

  /** True when requests can be made larger. */
  get canPad(): boolean {
    return this.#pads > 0;
  }

  /** The next request, padded to this many bytes where its template has `{{ pad }}`; what it needs is the least. */
  make(sizeBytes = this.#sizeBytes): MadeRequest {
    const number = this.#next();
    const id = `${this.#prefix}-${String(number).padStart(6, '0')}`;
    const seq = firstSeq + number;
    const fill = (pads: string[]): string => {
      const stands = (name: string): unknown => {
        if (name === 'id') return id;
        if (name === 'seq') return seq;
        return name === 'pad' ? (pads.shift() ?? '') : connectionValue(name, this.#values);
      };
      return messageText(substitute(this.#request, stands));
    };
    const bare = fill([]);
    const lacking = sizeBytes - Buffer.byteLength(bare);
    if (this.#pads === 0 || lacking <= 0) return { id, seq, text: bare };
    // One of several takes what cannot be shared out evenly.
    const share = Math.floor(lacking / this.#pads);
    const pads = Array.from({ length: this.#pads }, (_, at) =>
      'x'.repeat(at === 0 ? lacking - share * (this.#pads - 1) : share),
    );
    return { id, seq, text: fill(pads) };
  }
}
