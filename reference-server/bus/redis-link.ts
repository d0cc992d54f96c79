// Keeps a session with Redis: opens one, has everything resumed on it, says "up", and starts again when it ends or falls silent.
import { messageOf } from '../../lib/errors.ts';
import { callMs, RedisSession, within } from './redis-session.ts';
import type { RedisSettings } from './redis-settings.ts';
import { BusUnavailable } from './unavailable.ts';

/** How long one try to connect may take. */
const attemptMs = 2000;

/** How long everything may take to be resumed. */
const resumeMs = 5000;

/** How long a session that fell silent is waited for before it is given up. */
const patienceMs = 2000;

export const beatMs = 1000;

/** Waits between tries: short, as delivery should be back soon after Redis is. */
const waitsMs = [20, 50, 100, 200, 250] as const;

export interface LinkUser {
  /** Runs before the link is up: all that was lost or missed is made good. `isNew`: nothing is subscribed to on this session yet. */
  resume(session: RedisSession, isNew: boolean): Promise<void>;
  /** Runs every {@link beatMs} while the link is up, for `steadyMs` now. */
  beat(session: RedisSession, steadyMs: number): Promise<void>;
  message(name: string, text: string): void;
  /** Redis answered a call with an error. */
  refused(message: string): void;
  /** The link is up, or no longer; `why` for people. */
  changed(isUp: boolean, why: string): void;
}

export class RedisLink {
  readonly #settings: RedisSettings;
  readonly #user: LinkUser;
  readonly #closing = new AbortController();
  #up: RedisSession | undefined;
  #why = 'not connected yet';
  #doubt: ((why: string) => void) | undefined;
  #waiters = new Set<() => void>();
  #loop: Promise<void> | undefined;

  constructor(settings: RedisSettings, user: LinkUser) {
    this.#settings = settings;
    this.#user = user;
  }

  get isUp(): boolean {
    return this.#up !== undefined;
  }

  /** Why it is not up. */
  get why(): string {
    return this.#why;
  }

  /** The session to call on now. Throws {@link BusUnavailable} while there is none, or one that does not answer. */
  get session(): RedisSession {
    if (!this.#up) throw new BusUnavailable('down', `Redis is not reachable: ${this.#why}`);
    return this.#up;
  }

  /** Starts, and waits until it is up, but not longer than this. */
  async start(waitMs: number): Promise<void> {
    this.#loop ??= this.#run();
    if (this.isUp) return;
    let wake = (): void => {};
    const up = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#waiters.add(wake);
    await within(up, waitMs).catch(() => {});
    this.#waiters.delete(wake);
  }

  /** Takes note that a call got no answer: no more calls until Redis answers again. */
  doubt(): void {
    this.#doubt?.(noAnswer);
  }

  /** Ends the session and stays down. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; failures++) {
      let session: RedisSession | undefined;
      try {
        const events = {
          message: (name: string, text: string) => this.#user.message(name, text),
          doubt: () => this.doubt(),
          refused: (message: string) => this.#user.refused(message),
        };
        session = await RedisSession.open(this.#settings, events, attemptMs);
        await this.#serve(session, () => {
          failures = 0;
        });
      } catch (error) {
        this.#down(messageOf(error));
      } finally {
        session?.end();
      }
      await pause(waitsMs[Math.min(failures, waitsMs.length - 1)] ?? 0, signal);
    }
    this.#down('closed');
  }

  /** Rejects when the session is over, for whatever reason; returns when the link was closed. */
  async #serve(session: RedisSession, succeeded: () => void): Promise<void> {
    for (let isNew = true; !this.#closing.signal.aborted; isNew = false) {
      await within(this.#user.resume(session, isNew), resumeMs);
      succeeded();
      this.#up = session;
      this.#user.changed(true, '');
      for (const wake of this.#waiters) wake();
      const why = await this.#untilDoubt(session);
      if (this.#closing.signal.aborted) return;
      this.#down(why);
      // Silent, but not gone: what was published meanwhile is still on its way through the same connection.
      await Promise.race([session.probe(patienceMs), failing(session)]);
    }
  }

  /** Returns why a call or beat failed, or when the link closes; rejects when the session ends. */
  async #untilDoubt(session: RedisSession): Promise<string> {
    const over = new AbortController();
    const doubt = new Promise<string>((resolve) => {
      this.#doubt = resolve;
      const closed = (): void => resolve('closed');
      this.#closing.signal.addEventListener('abort', closed, { once: true, signal: over.signal });
    });
    const startedMs = performance.now();
    const beating = (async () => {
      while (!over.signal.aborted) {
        await pause(beatMs, over.signal);
        if (over.signal.aborted) return;
        await session.probe();
        await this.#user.beat(session, performance.now() - startedMs);
      }
    })().catch((error) => this.#doubt?.(messageOf(error)));
    try {
      return await Promise.race([doubt, failing(session)]);
    } finally {
      this.#doubt = undefined;
      over.abort();
      void beating;
    }
  }

  #down(why: string): void {
    this.#why = why;
    const wasUp = this.isUp;
    this.#up = undefined;
    if (wasUp || why !== 'closed') this.#user.changed(false, why);
  }
}

const noAnswer = `no answer within ${callMs} ms`;

async function failing(session: RedisSession): Promise<never> {
  throw new BusUnavailable('down', await session.ended);
}

/** Waits, or returns early when the signal says so. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
