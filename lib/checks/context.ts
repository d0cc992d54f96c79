// What a check works with: connections to the target under the plan's credentials, and what is known about it.
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Target } from '../target/target.ts';
import type { TokenOptions } from '../token.ts';
import { Budget } from './budget.ts';
import { type CheckConnection, openConnection } from './connection.ts';
import { type Endpoint, endpointUrl } from './endpoints.ts';
import { ConnectError, type ConnectFailure } from './failure.ts';
import { type HttpAnswer, httpGet } from './http.ts';
import { readWelcome, type Welcome } from './message.ts';
import type { ConnectPlan, QuickPlan } from './plan.ts';
import { openRaw, type RawConnection } from './raw.ts';

/** What is known about the target, gathered as the run goes. */
export interface Facts {
  speaks: Exclude<Target['speaks'], 'other'> | null;
  /** The first WELCOME seen. */
  welcome: Welcome | null;
  timeoutMs: number;
  /** True when this very check was asked for by its id. */
  asked: boolean;
}

export interface ConnectOptions {
  /** The given URL (`ws`) by default. */
  endpoint?: Endpoint;
  /** A token, null for none at all; the check's own by default. */
  token?: string | null;
  autoPong?: boolean;
  answerPings?: boolean;
  /** False: a 429 at the handshake is reported, not waited out. */
  retryWhenLimited?: boolean;
  timeoutMs?: number;
}

const credentialHeader = /^(authorization|cookie|apikey|x-api-key)$/i;

/** One check's view of the run. Whatever it opens is dropped when the check is over. */
export class Context {
  readonly facts: Readonly<Facts>;
  readonly url: string;
  readonly timeoutMs: number;
  /** Connections for the check of simultaneous connections. */
  readonly connections: number;
  /** A subject of this check's own. */
  readonly sub: string = `quick-${randomUUID()}`;
  readonly #plan: QuickPlan;
  readonly #facts: Facts;
  readonly #budgets: Map<string, Budget>;
  readonly #signal: AbortSignal;
  readonly #opened = new Set<CheckConnection | RawConnection>();

  constructor(plan: QuickPlan, facts: Facts, budgets: Map<string, Budget>, signal: AbortSignal) {
    this.facts = facts;
    this.#facts = facts;
    this.url = plan.url;
    this.timeoutMs = plan.timeoutMs;
    this.connections = plan.connections;
    this.#plan = plan;
    this.#budgets = budgets;
    this.#signal = signal;
  }

  /** True when tokens can be minted. */
  get canMint(): boolean {
    return this.#plan.mint !== undefined;
  }

  /** A valid token with these claims; `sub` is this check's own unless it says otherwise. */
  async mint(options: TokenOptions = {}): Promise<string> {
    if (!this.#plan.mint) throw new Error('no key to mint tokens');
    return this.#plan.mint({ sub: this.sub, ...options });
  }

  /** A valid token: the one that was given, else a fresh one; undefined when there is neither. */
  async token(): Promise<string | undefined> {
    return this.#plan.token ?? (this.#plan.mint ? this.mint() : undefined);
  }

  /**
   * Opens a connection. On a target that speaks the reference protocol it also waits for WELCOME.
   *
   * @throws ConnectError that says why it did not open
   */
  async connect(options: ConnectOptions = {}): Promise<CheckConnection> {
    const token = options.token === undefined ? await this.token() : options.token;
    const connection = await openConnection({
      ...this.#connectPlan(token),
      url: endpointUrl(this.url, options.endpoint ?? 'ws'),
      timeoutMs: options.timeoutMs ?? this.timeoutMs,
      autoPong: options.autoPong ?? true,
      answerPings: options.answerPings ?? true,
      retryWhenLimited: options.retryWhenLimited ?? true,
      signal: this.#signal,
    });
    this.#opened.add(connection);
    if (this.#facts.speaks === 'wsbench') await this.#greet(connection);
    return connection;
  }

  /** Like {@link connect}, for checks that expect a refusal. */
  async attempt(options: ConnectOptions): Promise<CheckConnection | ConnectFailure> {
    try {
      return await this.connect(options);
    } catch (error) {
      if (error instanceof ConnectError) return error.failure;
      throw error;
    }
  }

  /** Opens a bare socket after the WebSocket handshake. */
  async raw(): Promise<RawConnection> {
    const options = this.#connectPlan(await this.token());
    for (let attempt = 1; ; attempt++) {
      try {
        const connection = await openRaw(options);
        this.#opened.add(connection);
        return connection;
      } catch (error) {
        const waitS =
          error instanceof ConnectError && error.failure.status === 429
            ? Number(error.failure.headers?.['retry-after'])
            : Number.NaN;
        if (!(waitS <= 2) || attempt > 6) throw error;
        await this.sleep(Math.max(50, waitS * 1000));
      }
    }
  }

  /** GETs the status endpoint. */
  async status(): Promise<HttpAnswer> {
    return httpGet(endpointUrl(this.url, 'status'), this.#connectPlan(null));
  }

  /** Waits; rejects when the run or the check is stopped. */
  async sleep(ms: number): Promise<void> {
    await delay(Math.max(0, ms), undefined, { signal: this.#signal });
  }

  /** Drops every connection that is still open. */
  dispose(): void {
    for (const connection of this.#opened) connection.terminate();
    this.#opened.clear();
  }

  #connectPlan(token: string | null | undefined): ConnectPlan {
    const { subprotocols, insecure, caCertificates } = this.#plan;
    const { url, timeoutMs } = this;
    return { url, headers: this.#headers(token), subprotocols, insecure, caCertificates, timeoutMs };
  }

  /** The plan's headers; null leaves out every credential among them. */
  #headers(token: string | null | undefined): Record<string, string> {
    const given = Object.entries(this.#plan.headers);
    if (token === undefined) return Object.fromEntries(given);
    if (token === null) return Object.fromEntries(given.filter(([name]) => !credentialHeader.test(name)));
    const rest = given.filter(([name]) => !/^authorization$/i.test(name));
    return { ...Object.fromEntries(rest), Authorization: `Bearer ${token}` };
  }

  async #greet(connection: CheckConnection): Promise<void> {
    const greeting = await connection.next(({ type }) => type === 'WELCOME');
    const welcome = greeting && readWelcome(greeting);
    if (!welcome) return;
    this.#facts.welcome ??= welcome;
    // The server's bucket belongs to the subject (or, anonymously, to the address), not to the connection.
    const key = welcome.sub ?? '';
    const budget = this.#budgets.get(key) ?? new Budget(welcome.limits, performance.now());
    this.#budgets.set(key, budget);
    connection.budget = budget;
  }
}
