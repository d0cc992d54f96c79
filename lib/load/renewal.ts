// Giving an open connection a fresh token before its own expires, by a message.
import { messageOf } from '../errors.ts';
import { redactText } from '../result/redact.ts';
import { compileMatcher, type Received } from '../target/matcher.ts';
import { type ConnectionValues, connectionMessage } from '../target/opening.ts';
import type { Target } from '../target/target.ts';
import type { MessageSource } from '../target/template.ts';
import { type FreshTokens, renewInMs } from './tokens.ts';

// A target that announces the end of tokens a minute ahead asks again at once when the fresh one lives for less.
const leastGapMs = 1000;
// Node's timers hold no more.
const longestTimerMs = 2 ** 31 - 1;

/** The rules of a target's `auth.refresh`, compiled once for all its connections, and what became of the renewals. */
export class RenewalPlan {
  readonly when: ((message: Received) => boolean) | undefined;
  readonly send: MessageSource;
  readonly expect: ((message: Received) => boolean) | undefined;
  readonly refuse: ((message: Received) => boolean) | undefined;
  readonly source: FreshTokens;
  /** An answer that takes longer is none. */
  readonly timeoutMs: number;
  renewed = 0;
  failed = 0;
  /** Why the first one failed. */
  firstFailure: string | undefined;

  constructor(
    rules: NonNullable<NonNullable<Target['auth']>['refresh']>,
    source: FreshTokens,
    timeoutMs: number,
  ) {
    this.when = rules.when && compileMatcher(rules.when);
    this.send = rules.send;
    this.expect = rules.expect && compileMatcher(rules.expect);
    this.refuse = rules.refuse && compileMatcher(rules.refuse);
    this.source = source;
    this.timeoutMs = timeoutMs;
  }
}

/** What a renewal needs of its connection. */
export interface RenewalParts {
  /** The token in use is changed in there. */
  values: ConnectionValues;
  send: (text: string) => boolean;
  /** True when the message answers a message of the load: then it answers no renewal, whatever it looks like. */
  isReply: () => boolean;
  /** The connection has a fresh token. */
  onToken: (token: string) => void;
  onError: (error: unknown) => void;
}

/** The renewals of one connection's token. */
export class Renewal {
  readonly #plan: RenewalPlan;
  readonly #parts: RenewalParts;
  #state: 'idle' | 'asking' | 'waiting' | 'over' = 'idle';
  #offered = '';
  #renewedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(plan: RenewalPlan, parts: RenewalParts) {
    this.#plan = plan;
    this.#parts = parts;
  }

  /** Begins: the connection is ready. */
  start(): void {
    this.#schedule();
  }

  /** Ends: the connection is over. */
  stop(): void {
    this.#state = 'over';
    clearTimeout(this.#timer);
  }

  /** What a message is to the renewals: the answer to one, which is no traffic, or the wish for one; undefined: neither. */
  receive(message: Received): 'answer' | 'wish' | undefined {
    const { when, expect, refuse } = this.#plan;
    if (this.#state === 'waiting') {
      if (refuse?.(message) && !this.#parts.isReply()) {
        this.#fail('refused');
        return 'answer';
      }
      if (expect?.(message) && !this.#parts.isReply()) {
        this.#done();
        return 'answer';
      }
    }
    if (!when?.(message)) return undefined;
    if (this.#state === 'idle') this.#asked();
    return 'wish';
  }

  #asked(): void {
    const waitMs = this.#renewedMs + leastGapMs - performance.now();
    if (waitMs <= 0) this.#renew();
    else this.#wait(waitMs);
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#renew(), Math.min(longestTimerMs, ms));
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const { token } = this.#parts.values;
    const waitMs = token === undefined ? undefined : renewInMs(token, Date.now());
    if (waitMs !== undefined) this.#wait(waitMs);
  }

  #renew(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'asking';
    clearTimeout(this.#timer);
    this.#plan.source
      .fresh(this.#parts.values.token ?? '', Date.now())
      .then(
        (token) => this.#offer(token),
        (error) => this.#fail(`no fresh token: ${redactText(messageOf(error))}`),
      )
      .catch((error) => this.#parts.onError(error));
  }

  #offer(token: string | undefined): void {
    if (this.#state !== 'asking') return;
    if (token === undefined) {
      this.#fail('there is no other token that lives longer');
      return;
    }
    this.#offered = token;
    this.#state = 'waiting';
    if (!this.#parts.send(connectionMessage(this.#plan.send, { ...this.#parts.values, token }, undefined)))
      return;
    if (!this.#plan.expect) this.#done();
    else this.#timer = setTimeout(() => this.#fail('not answered'), this.#plan.timeoutMs);
  }

  #done(): void {
    this.#state = 'idle';
    this.#renewedMs = performance.now();
    this.#plan.renewed++;
    this.#parts.values.token = this.#offered;
    this.#parts.onToken(this.#offered);
    this.#schedule();
  }

  /** The connection goes on with the token that it has; if the target asks again, so do we. */
  #fail(why: string): void {
    if (this.#state === 'over') return;
    this.#state = 'idle';
    clearTimeout(this.#timer);
    this.#plan.failed++;
    this.#plan.firstFailure ??= why;
  }
}
