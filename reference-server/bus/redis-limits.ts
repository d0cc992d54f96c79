// The limits that instances keep together: asked of Redis, and while it does not answer in time, this instance's share of them.
import { TokenBucket } from '../limits/bucket.ts';
import { LocalShare } from '../limits/local-share.ts';
import { type Limits, limitsPresets, type MessageLimits } from '../limits/presets.ts';
import { type Entered, fullRetryMs, type GateName, rateOf, type SharedLimits } from '../limits/shared.ts';
import type { RedisContext, RedisPart } from './redis-context.ts';
import { keepMs, RedisLimitBacklog } from './redis-limit-backlog.ts';
import { enterScript, passScript, peersScript } from './redis-limit-scripts.ts';
import { callMs, type RedisSession, type Script, within } from './redis-session.ts';
import { BusUnavailable } from './unavailable.ts';

export interface RedisLimitsOptions {
  limits: Limits;
  /** How long a decision may wait for Redis. */
  decisionMs: number;
  /** A decision was made without the other instances. */
  decidedAlone: () => void;
  /** Decisions are made alone from now on, or together again. */
  changed: (isAlone: boolean) => void;
}

export const noLimits: RedisLimitsOptions = {
  limits: limitsPresets.off,
  decisionMs: callMs,
  decidedAlone: () => {},
  changed: () => {},
};

type EnterAnswer = [isIn: 0 | 1, fullInMs?: string, penaltyMs?: string, refusals?: number];

export class RedisLimits implements SharedLimits, RedisPart {
  readonly #context: RedisContext;
  readonly #options: RedisLimitsOptions;
  readonly #limits: Limits;
  readonly #backlog: RedisLimitBacklog;
  /** Instances that live, with this one. */
  #instances = 1;
  /** When Redis answered last. */
  #goodMs: number | undefined;
  /** Redis was not there: it is not asked again until the others had time to tell it what they did alone. */
  #isAway = false;
  /** Set while decisions are made alone. */
  #share: LocalShare | undefined;
  /** Whether one was since the last beat. */
  #wasAlone = false;

  constructor(context: RedisContext, options: RedisLimitsOptions) {
    this.#context = context;
    this.#options = options;
    this.#limits = options.limits;
    this.#backlog = new RedisLimitBacklog(context, options.limits);
  }

  pass(gate: GateName, key: string): number | Promise<number> {
    const rate = rateOf(this.#limits, gate);
    if (!rate) return 0;
    const name = this.#context.names.hashed('gate', JSON.stringify([this.#limits.name, gate, key]));
    const asked = this.#ask(passScript, [name], [60_000 / rate.perMinute, rate.burst]);
    const alone = (): number => {
      const waitMs = this.#alone().pass(gate, key, this.#context.clock.nowMs());
      if (waitMs === 0) this.#backlog.owe(name, gate);
      return waitMs;
    };
    return asked ? asked.then((answer) => (answer === undefined ? alone() : Number(answer))) : alone();
  }

  enter(key: string, wantsBucket: boolean): Entered | Promise<Entered> {
    const messages = wantsBucket ? this.#limits.messages : null;
    const backlog = this.#backlog;
    if (!backlog.isCounted && !messages) return { ok: true, bucket: undefined };
    const mine = backlog.count(key, 1);
    const most = backlog.isCounted ? this.#limits.connectionsPerUser : -1;
    const { instance, names } = this.#context;
    const asked = this.#ask(
      enterScript,
      [...backlog.keysOf(key), names.instances],
      [...backlog.longest, instance, mine, most, keepMs, messages ? 1 : 0],
      (late) => this.#giveBack(key, late as EnterAnswer),
    );
    return asked
      ? asked.then((answer) => this.#entered(key, messages, answer as EnterAnswer | undefined))
      : this.#enterAlone(key, messages);
  }

  leave(key: string, bucket?: TokenBucket): void {
    this.#backlog.count(key, -1);
    this.#backlog.leave(key, bucket);
  }

  close(): Promise<void> {
    return this.#backlog.close();
  }

  names(): string[] {
    return [];
  }

  message(): boolean {
    return false;
  }

  resume(session: RedisSession, isNew: boolean): Promise<void> {
    return this.#settle(session, isNew);
  }

  /** A second after Redis came back, all instances have paid for what they did alone: now it may be asked again. */
  async beat(session: RedisSession): Promise<void> {
    await this.#settle(session, false);
    if (!this.#wasAlone && !this.#isAway && this.#share) {
      this.#share = undefined;
      this.#options.changed(false);
    }
    this.#wasAlone = false;
    this.#isAway = false;
    this.#goodMs = this.#context.clock.nowMs();
  }

  async #settle(session: RedisSession, everything: boolean): Promise<void> {
    await this.#backlog.settle(session, everything);
    const peers = Number(await session.run(peersScript, [this.#context.names.instances], []));
    this.#instances = Math.max(1, peers);
    this.#goodMs ??= this.#context.clock.nowMs();
  }

  /** Asks Redis. Undefined, now or later: it did not answer in time. What comes after that goes to `tooLate`. */
  #ask(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
    tooLate: (answer: unknown) => void = () => {},
  ): Promise<unknown> | undefined {
    const { link, clock } = this.#context;
    if (!link.isUp) this.#isAway = true;
    if (this.#isAway) return undefined;
    const { decisionMs } = this.#options;
    const answer = link.session.run(script, keys, args, decisionMs);
    let isLate = false;
    answer.then(
      (value) => {
        if (isLate) tooLate(value);
        else this.#goodMs = clock.nowMs();
      },
      () => {},
    );
    return within(answer, decisionMs).catch((error: unknown) => {
      if (!(error instanceof BusUnavailable)) throw error;
      isLate = true;
      if (!link.isUp) this.#isAway = true;
      return undefined;
    });
  }

  #entered(key: string, messages: MessageLimits | null, answer: EnterAnswer | undefined): Entered {
    if (!answer) return this.#enterAlone(key, messages);
    if (answer[0] === 0) return this.#refused(key, { ok: false, why: 'full', retryMs: fullRetryMs });
    return { ok: true, bucket: messages ? this.#bucketOf(key, messages, answer) : undefined };
  }

  #enterAlone(key: string, messages: MessageLimits | null): Entered {
    const share = this.#alone();
    if (this.#backlog.seats(key) > share.connectionsPerUser) {
      return this.#refused(key, { ok: false, why: 'full', retryMs: fullRetryMs });
    }
    this.#backlog.doubt(key);
    if (!messages) return { ok: true, bucket: undefined };
    const bucket = this.#backlog.findBucket(key) ?? share.bucket(messages, key, this.#context.clock.nowMs());
    return typeof bucket === 'number'
      ? this.#refused(key, { ok: false, why: 'rate', retryMs: bucket })
      : { ok: true, bucket };
  }

  #refused(key: string, entered: Entered): Entered {
    this.#backlog.count(key, -1);
    // What was sent after it may have counted one too many.
    this.#backlog.doubt(key);
    return entered;
  }

  #bucketOf(key: string, messages: MessageLimits, answer: EnterAnswer): TokenBucket {
    const nowMs = this.#context.clock.nowMs();
    const [, fullIn = 0, penalty = 0, refusals = 0] = answer;
    const rest = { fullInMs: Number(fullIn), penaltyMs: Number(penalty), refusals };
    const bucket = TokenBucket.from(messages, rest, nowMs);
    const kept = this.#backlog.findBucket(key);
    if (kept) bucket.merge(kept, nowMs);
    return bucket;
  }

  /** An answer that nobody waited for any more: the bucket in it must not be lost. */
  #giveBack(key: string, answer: EnterAnswer): void {
    this.#backlog.doubt(key);
    const { messages } = this.#limits;
    if (messages && answer.length > 1) {
      this.#backlog.keepBucket(key, this.#bucketOf(key, messages, answer));
    }
  }

  #alone(): LocalShare {
    this.#options.decidedAlone();
    this.#wasAlone = true;
    if (!this.#share) {
      this.#share = new LocalShare(this.#limits, this.#instances, this.#goodMs);
      this.#options.changed(true);
    }
    return this.#share;
  }
}
