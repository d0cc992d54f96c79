// Replaces the token of an open connection before it ends.
import { fullJitterMs } from './back-off.ts';
import type { ClientClock } from './clock.ts';
import { ClientError } from './errors.ts';
import { fieldsOf, numberOf, type ServerMessage, textOf } from './messages.ts';
import type { Token, Tokens } from './tokens.ts';

/** Retries while the old token still holds. */
const retries = { minMs: 500, maxMs: 10_000 };

/** The longest before its end that a token is replaced: ahead of the server's warning, which comes with a minute left. */
const maxLeadMs = 90_000;

/** What a renewal stands on. */
export interface RenewalParts {
  clock: ClientClock;
  tokens: Tokens;
  chance: () => number;
  /** Sends AUTH. */
  authenticate: (token: string, answered: (answer: ServerMessage) => void) => void;
  renewed: (token: Token) => void;
  failed: (error: ClientError) => void;
}

/** Renews the token of one connection, until it is stopped. */
export class Renewal {
  readonly #parts: RenewalParts;
  #cancel: () => void = () => {};
  #isBusy = false;
  #isOver = false;
  #step = 0;

  constructor(parts: RenewalParts, token: Token) {
    this.#parts = parts;
    this.#plan(token);
  }

  /** The server warns that the token ends. */
  expiring(): void {
    if (!this.#isBusy && !this.#isOver) void this.#renew();
  }

  stop(): void {
    this.#isOver = true;
    this.#cancel();
    if (this.#isBusy) this.#parts.tokens.stop();
  }

  #plan(token: Token): void {
    const leftMs = this.#parts.tokens.leftMs(token);
    if (leftMs === Number.POSITIVE_INFINITY) return;
    const leadMs = Math.min(Math.max(1000, Math.min(maxLeadMs, leftMs / 5)), leftMs / 2);
    // Many clients may have got their tokens in the same moment.
    const earlyMs = this.#parts.chance() * Math.min(leadMs / 4, leftMs - leadMs);
    this.#wait(Math.max(leftMs - leadMs - earlyMs, 200));
  }

  #wait(delayMs: number): void {
    this.#cancel();
    this.#cancel = this.#parts.clock.schedule(delayMs, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { tokens, authenticate } = this.#parts;
    this.#cancel();
    this.#isBusy = true;
    try {
      const token = await tokens.fetch('refresh');
      if (this.#isOver) return;
      authenticate(token.text, (answer) => this.#judge(token, answer));
      this.#isBusy = false;
    } catch (error) {
      this.#isBusy = false;
      if (!this.#isOver) this.#failed(error as ClientError, 0);
    }
  }

  #judge(token: Token, answer: ServerMessage): void {
    if (this.#isOver) return;
    const fields = fieldsOf(answer);
    if (answer.type === 'ACK') {
      this.#step = 0;
      const renewed = { ...token, expiresAtMs: numberOf(fields.expiresAt) ?? token.expiresAtMs };
      this.#parts.renewed(renewed);
      this.#plan(renewed);
      return;
    }
    const code = textOf(fields.code) ?? 'UNKNOWN';
    const text = `the server refused the new token: ${code} ${textOf(fields.message) ?? ''}`;
    this.#failed(new ClientError('TOKEN', text, { serverCode: code }), numberOf(fields.retryAfterMs) ?? 0);
  }

  #failed(error: ClientError, leastMs: number): void {
    this.#parts.failed(error);
    this.#wait(Math.max(leastMs, fullJitterMs(this.#step, retries, this.#parts.chance()), 100));
    this.#step += 1;
  }
}
