// The pool: several clients of one server, and whom each request goes through.
import type { Client } from './client.ts';
import type { ClientClock } from './clock.ts';
import { Emitter } from './emitter.ts';
import { ClientError } from './errors.ts';
import { positive } from './options.ts';
import type { PoolEvents, PoolStatistics } from './pool-events.ts';
import { homeOf } from './pool-hash.ts';
import type { AcquireOptions, Lease } from './pool-lease.ts';
import { Member } from './pool-member.ts';
import type { ResolvedPool } from './pool-options.ts';
import { Waiters } from './waiters.ts';

/** What a pool stands on. */
export interface PoolParts {
  clock: ClientClock;
  /** From 0 (included) to 1 (excluded). */
  chance: () => number;
  /** Makes a client that has not connected; its chance is the pool's, so that its members spread. */
  newClient: (chance: () => number) => Client;
}

interface Held {
  member: Member;
  leases: number;
}

/** The fractional part of the golden ratio: multiples of it, modulo 1, leave no gap and no heap, however many there are. */
const golden = 0.618033988749895;

/**
 * A pool of clients. `createPool` makes it.
 *
 * @example
 * import { createPool, type Pool } from 'wsbench/client';
 * const pool: Pool = createPool('wss://service.example/ws', { client: { token: getToken }, min: 2 });
 * const echo = await pool.use((client) => client.request('ECHO', 'hello'));
 * console.log(echo.payload); // hello
 * await pool.close();
 */
export class Pool {
  readonly #options: ResolvedPool;
  readonly #parts: PoolParts;
  readonly #events = new Emitter<PoolEvents>();
  readonly #members = new Map<number, Member>();
  /** Numbers that no member may have any more: the server forbade it to come back. */
  readonly #dead = new Set<number>();
  /** Keys with leases, which stay where they are until the last is released. */
  readonly #held = new Map<string, Held>();
  readonly #waiters: Waiters<Lease, string | undefined>;
  readonly #opening: Waiters<void>;
  #isStarted = false;
  #isBusy = false;
  /** Something has changed since waiters were last served. */
  #isStale = false;
  #chance: number;
  #acquired = 0;
  #timedOut = 0;
  #ejections = 0;
  #longestWaitMs = 0;
  #cancelStatistics: () => void = () => {};
  #closing: Promise<void> | undefined;
  #drained: () => void = () => {};
  #error: ClientError | undefined;

  /** @internal */
  constructor(options: ResolvedPool, parts: PoolParts) {
    this.#options = options;
    this.#parts = parts;
    this.#chance = parts.chance();
    this.#waiters = new Waiters(parts.clock, 'POOL_TIMEOUT');
    this.#opening = new Waiters(parts.clock, 'POOL_TIMEOUT');
  }

  /** How it stands now. */
  get statistics(): PoolStatistics {
    const members = [...this.#members.values()];
    return {
      members: members.length,
      serving: members.filter(serves).length,
      out: members.filter(({ isOut }) => isOut).length,
      leases: members.reduce((sum, { leases }) => sum + leases, 0),
      waiting: this.#waiters.size,
      acquired: this.#acquired,
      timedOut: this.#timedOut,
      ejections: this.#ejections,
      longestWaitMs: this.#longestWaitMs,
    };
  }

  /** Calls `listener` at every such event until the returned function is called. */
  on<K extends keyof PoolEvents>(type: K, listener: (event: PoolEvents[K]) => void): () => void {
    return this.#events.on(type, listener);
  }

  /**
   * Connects `min` members (one, where that is 0) and resolves when they serve. Nobody has to call it: `acquire` connects as well.
   *
   * @throws ClientError `POOL_TIMEOUT`, `ABORTED`, or what ended the pool
   */
  connect(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<void> {
    if (this.#closing) return Promise.reject(this.#overError());
    const opened = this.#opening.wait('connect', options);
    this.#start();
    if (this.#options.min === 0 && this.#members.size === 0) this.#add();
    this.#dispatch();
    return opened;
  }

  /**
   * A lease of a member that is open. Where all are busy a member is added, up to `max`, and after that callers wait their turn.
   *
   * @throws ClientError `POOL_TIMEOUT`, `ABORTED`, `OVERFLOW` when too many wait, or what ended the pool
   */
  async acquire(options: AcquireOptions = {}): Promise<Lease> {
    const { timeoutMs = this.#options.acquireTimeoutMs, signal, key } = options;
    positive('timeoutMs', timeoutMs);
    if (this.#closing) throw this.#overError();
    const startMs = this.#parts.clock.nowMs();
    const leased = this.#waiters.wait('acquire', { timeoutMs, signal }, key);
    this.#start();
    this.#dispatch();
    if (this.#waiters.size > this.#options.maxWaiting) {
      this.#waiters.rejectLast(new ClientError('OVERFLOW', 'acquire: too many wait for a member'));
    }
    try {
      const lease = await leased;
      this.#longestWaitMs = Math.max(this.#longestWaitMs, this.#parts.clock.nowMs() - startMs);
      return lease;
    } catch (error) {
      if ((error as ClientError).code === 'POOL_TIMEOUT') this.#timedOut += 1;
      throw error;
    }
  }

  /**
   * Does something with a member, and releases it whatever comes of it.
   *
   * @throws ClientError as `acquire`; and what `work` throws
   */
  async use<T>(work: (client: Client) => Promise<T> | T, options: AcquireOptions = {}): Promise<T> {
    const lease = await this.acquire(options);
    try {
      const result = await work(lease.client);
      lease.release();
      return result;
    } catch (error) {
      lease.release(error);
      throw error;
    }
  }

  /**
   * Ends the pool for good. Callers that wait reject with `CLOSED` at once; leases have `timeoutMs` (5,000 by default; 0: no time) to be
   * released; then the members are closed, and what they still had to do rejects with `CLOSED`. Nothing is left then that keeps a
   * process alive.
   */
  close({ timeoutMs = 5000 }: { timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs, undefined);
    return this.#closing;
  }

  async #close(timeoutMs: number, error: ClientError | undefined): Promise<void> {
    this.#error = error;
    this.#cancelStatistics();
    // In a moment: `#closing` is set then, so that nothing is served any more.
    await undefined;
    this.#waiters.reject(this.#overError());
    this.#opening.reject(this.#overError());
    if (this.statistics.leases > 0 && timeoutMs > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#parts.clock.schedule(timeoutMs, resolve);
        this.#drained = () => {
          cancel();
          resolve();
        };
      });
    }
    await Promise.all([...this.#members.values()].map(({ client }) => client.close()));
    this.#events.emit('closed', { error });
    this.#events.clear();
  }

  #overError(): ClientError {
    return this.#error ?? new ClientError('CLOSED', 'the pool is closed');
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#report();
    this.#keepMin();
  }

  #report(): void {
    const { clock } = this.#parts;
    this.#cancelStatistics = clock.schedule(this.#options.statisticsMs, () => {
      this.#events.emit('statistics', this.statistics);
      this.#longestWaitMs = 0;
      if (!this.#closing) this.#report();
    });
  }

  #keepMin(): void {
    while (!this.#closing && this.#members.size < this.#options.min && this.#add());
  }

  /** Adds a member, at `number` or at the first that is free. @returns whether there was one */
  #add(number = this.#numbers.find((each) => !this.#members.has(each))): boolean {
    if (number === undefined) return false;
    const { clock, newClient } = this.#parts;
    // One sequence for all: members that fail in the same moment come back evenly spread over their window.
    const client = newClient(() => {
      this.#chance = (this.#chance + golden) % 1;
      return this.#chance;
    });
    const member: Member = new Member(number, client, this.#options, clock, {
      changed: () => this.#dispatch(),
      ejected: (outMs, reason) => {
        this.#ejections += 1;
        this.#events.emit('ejected', { member: number, outMs, reason });
      },
      returned: () => this.#events.emit('returned', { member: number }),
      ended: (error) => this.#remove(member, error),
    });
    this.#members.set(number, member);
    this.#events.emit('added', { member: number });
    client.connect().catch(() => {}); // `closed` tells it
    this.#rest(member);
    return true;
  }

  #remove(member: Member, error: ClientError | undefined): void {
    const { number } = member;
    this.#members.delete(number);
    if (error) this.#dead.add(number);
    this.#events.emit('removed', { member: number, error });
    if (this.#closing) return;
    if (error && this.#numbers.length === 0) {
      this.#closing = this.#close(0, error);
      return;
    }
    this.#keepMin();
    this.#dispatch();
  }

  /** Numbers that members have or may have. */
  get #numbers(): number[] {
    return Array.from({ length: this.#options.max }, (_, at) => at).filter((at) => !this.#dead.has(at));
  }

  /** Serves who waits, in the order in which they came, and adds members where that is not enough. */
  #dispatch(): void {
    // Events that come of it may lead here again.
    this.#isStale = true;
    if (this.#isBusy || this.#closing) return;
    this.#isBusy = true;
    while (this.#isStale) this.#serve();
    this.#isBusy = false;
    const { serving } = this.statistics;
    if (serving > 0 && serving >= Math.min(this.#options.min, this.#numbers.length)) this.#opening.resolve();
  }

  #serve(): void {
    this.#isStale = false;
    const usable = this.#usable();
    let unserved = 0;
    this.#waiters.serve((key) => {
      // Where there is no room for one without a key, there is none for those behind it.
      const isFull = key === undefined && unserved > 0;
      const member = isFull ? undefined : this.#choose(usable, key);
      if (member?.isOpen && member.hasRoom) return this.#lease(member, key);
      if (key === undefined) unserved += 1;
      return undefined;
    });
    const coming = [...this.#members.values()].filter(({ isFresh }) => isFresh).length;
    let wanted = Math.ceil(unserved / this.#options.maxPerMember) - coming;
    while (wanted-- > 0 && this.#add());
  }

  /** Where all that are open are out, they are better than nothing. */
  #usable(): Member[] {
    const open = [...this.#members.values()].filter(({ isOpen }) => isOpen);
    const serving = open.filter(serves);
    return serving.length > 0 ? serving : open;
  }

  #leastLoaded(usable: readonly Member[]): Member | undefined {
    const all = usable.reduce((sum, { leases }) => sum + leases, 0);
    const load = (member: Member): number => member.load(all, usable.length);
    return usable
      .filter(({ hasRoom }) => hasRoom)
      .sort((a, b) => load(a) - load(b) || a.lastLease - b.lastLease)[0];
  }

  #choose(usable: readonly Member[], key: string | undefined): Member | undefined {
    if (key === undefined) return this.#leastLoaded(usable);
    const held = this.#held.get(key)?.member;
    if (held && usable.includes(held)) return held;
    // A place that is free, or whose member connects for the first time, is as good as one that serves.
    const healthy = this.#numbers.filter((number) => {
      const member = this.#members.get(number);
      return !member || member.isFresh || usable.includes(member);
    });
    const home = homeOf(key, healthy);
    if (home !== undefined && !this.#members.has(home)) this.#add(home);
    return home === undefined ? undefined : this.#members.get(home);
  }

  #lease(member: Member, key: string | undefined): Lease {
    member.leases += 1;
    this.#acquired += 1;
    member.lastLease = this.#acquired;
    member.cancelIdle();
    const held = key === undefined ? undefined : this.#hold(key, member);
    let isReleased = false;
    return {
      member: member.number,
      client: member.client,
      release: (error) => {
        if (isReleased) return;
        isReleased = true;
        member.leases -= 1;
        if (held && key !== undefined && --held.leases === 0 && this.#held.get(key) === held) {
          this.#held.delete(key);
        }
        member.judge(error);
        this.#rest(member);
        if (this.statistics.leases === 0) this.#drained();
        this.#dispatch();
      },
    };
  }

  #hold(key: string, member: Member): Held {
    const before = this.#held.get(key);
    const held = before?.member === member ? before : { member, leases: 0 };
    held.leases += 1;
    this.#held.set(key, held);
    return held;
  }

  /** A member without a lease is closed in a while, unless it is one of the `min`. */
  #rest(member: Member): void {
    if (member.leases > 0 || this.#closing || member.isLeaving) return;
    member.cancelIdle();
    member.cancelIdle = this.#parts.clock.schedule(this.#options.idleMs, () => {
      const staying = [...this.#members.values()].filter(({ isLeaving }) => !isLeaving).length;
      // While somebody waits it is not idle but away, and a new one would knock sooner than this one may.
      if (staying > this.#options.min && this.#waiters.size === 0) member.leave();
      else this.#rest(member);
    });
  }
}

function serves({ isOpen, isOut }: Member): boolean {
  return isOpen && !isOut;
}
