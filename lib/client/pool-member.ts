// One member of a pool: a client, its leases, and a circuit that takes it out when it keeps failing.
import type { Client } from './client.ts';
import type { ClientClock } from './clock.ts';
import { ClientError } from './errors.ts';
import type { EjectionReason } from './pool-events.ts';
import type { ResolvedPool } from './pool-options.ts';

/** How long a member that returns may take to answer a PING. */
const probeMs = 5000;

/** While a member that has returned counts as if it had the leases of the others, less and less so: it is not flooded for being empty. */
const rampMs = 10_000;

/** Who is told. */
export interface MemberSink {
  ejected(outMs: number, reason: EjectionReason): void;
  returned(): void;
  /** It may be able to take leases, or is not any more. */
  changed(): void;
  /** It has ended, and does not come back. */
  ended(error: ClientError | undefined): void;
}

/** A member. */
export class Member {
  readonly number: number;
  readonly client: Client;
  /** Leases that are not released. */
  leases = 0;
  /** Counts up with every lease of the pool, so that equals take turns. */
  lastLease = 0;
  /** Whether its first connection has neither opened nor failed. */
  isFresh = true;
  /** Whether the circuit keeps it out. */
  isOut = false;
  isOpen = false;
  /** Whether it has been closed, or has ended by itself. */
  isLeaving = false;
  cancelIdle: () => void = () => {};
  readonly #options: ResolvedPool;
  readonly #clock: ClientClock;
  readonly #sink: MemberSink;
  #failures = 0;
  #timeouts = 0;
  /** When it last opened, or returned. */
  #healthySinceMs = 0;
  #returnedAtMs = Number.NEGATIVE_INFINITY;
  #outUntilMs = 0;
  #ejections = 0;
  #cancelReturn: () => void = () => {};

  constructor(number: number, client: Client, options: ResolvedPool, clock: ClientClock, sink: MemberSink) {
    this.number = number;
    this.client = client;
    this.#options = options;
    this.#clock = clock;
    this.#sink = sink;
    client.on('open', () => {
      this.isFresh = false;
      this.isOpen = true;
      this.#healthySinceMs = clock.nowMs();
      if (this.isOut && clock.nowMs() >= this.#outUntilMs) this.#probe();
      sink.changed();
    });
    client.on('drain', () => {
      this.isOpen = false;
      sink.changed();
    });
    client.on('disconnected', ({ code }) => {
      this.isFresh = false;
      const wasOpen = this.isOpen;
      this.isOpen = false;
      // A server that goes away in order (`drain` came before) is no failure of the member, and an attempt that fails is the
      // client's to repeat.
      if (wasOpen && code !== 1001 && code !== 1012) this.#fail('flapping', 1);
      sink.changed();
    });
    client.on('closed', ({ error }) => {
      this.leave();
      sink.ended(error);
    });
  }

  get hasRoom(): boolean {
    return this.leases < this.#options.maxPerMember;
  }

  /** Leases, as far as the choice among `members` goes, which have `leases` together. */
  load(leases: number, members: number): number {
    const left = 1 - (this.#clock.nowMs() - this.#returnedAtMs) / rampMs;
    const others = (leases - this.leases) / Math.max(1, members - 1);
    return this.leases + others * Math.max(0, left);
  }

  /** What became of a lease. */
  judge(error: unknown): void {
    const isTimeout = error instanceof ClientError && error.code === 'TIMEOUT';
    this.#timeouts = isTimeout ? this.#timeouts + 1 : 0;
    if (this.#timeouts >= this.#options.maxTimeouts && !this.isOut) this.#fail('timeouts', 2);
  }

  /** Closes it. */
  leave(): void {
    this.isLeaving = true;
    this.isFresh = false;
    this.isOpen = false;
    this.isOut = false;
    this.cancelIdle();
    this.#cancelReturn();
    void this.client.close();
  }

  /** The second failure ejects; `least`: as many are counted at least. */
  #fail(reason: EjectionReason, least: number): void {
    const nowMs = this.#clock.nowMs();
    const { out, stableMs } = this.#options;
    if (nowMs - this.#healthySinceMs >= stableMs) this.#failures = 0;
    this.#failures = Math.max(this.#failures + 1, least);
    if (this.#failures < 2) return;
    const outMs = Math.min(out.maxMs, out.minMs * 2 ** Math.min(this.#failures - 2, 60));
    this.isOut = true;
    this.#timeouts = 0;
    this.#ejections += 1;
    this.#outUntilMs = nowMs + outMs;
    this.#cancelReturn();
    this.#cancelReturn = this.#clock.schedule(outMs, () => this.#probe());
    this.#sink.ejected(outMs, reason);
  }

  /** It returns when it answers. One without a connection is asked when it has one again. */
  #probe(): void {
    if (!this.isOpen) return;
    const ejections = this.#ejections;
    // Whoever was ejected anew meanwhile is asked anew.
    const isCurrent = (): boolean => this.isOpen && this.isOut && ejections === this.#ejections;
    this.client.ping({ timeoutMs: probeMs, resend: false }).then(
      () => {
        if (!isCurrent()) return;
        this.isOut = false;
        this.#healthySinceMs = this.#clock.nowMs();
        this.#returnedAtMs = this.#healthySinceMs;
        this.#sink.returned();
        this.#sink.changed();
      },
      () => {
        if (isCurrent()) this.#fail('probe', 2);
      },
    );
  }
}
