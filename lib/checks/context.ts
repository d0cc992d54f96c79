// What a check works with: connections to the target under the plan's credentials, and what is known about it.
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { TokenPlace, Upgrade } from '../target/credential.ts';
import { joinHeaders } from '../target/headers.ts';
import type { TokenOptions } from '../token.ts';
import { budgetOfTarget } from './budget.ts';
import type { CheckConnection } from './connection.ts';
import { withoutCredentials, withToken } from './credentials.ts';
import { type Endpoint, endpointUrl } from './endpoints.ts';
import type { Facts } from './facts.ts';
import { ConnectError, type ConnectFailure } from './failure.ts';
import { type HttpAnswer, httpGet } from './http.ts';
import { readWelcome } from './message.ts';
import { openConnection } from './open-connection.ts';
import { openRaw } from './open-raw.ts';
import type { ConnectPlan, QuickPlan } from './plan.ts';
import type { RawConnection } from './raw-connection.ts';
import { retrying } from './retrying.ts';
import type { Shared } from './shared.ts';
import { Talk } from './talk.ts';

/** How a check connects, if not as the plan says. */
export interface ConnectOptions {
  /** The given URL (`ws`) by default. */
  endpoint?: Endpoint;
  /** A token, null for none at all; the check's own by default. */
  token?: string | null;
  /** Where the token goes, if not where tokens of this target go; then no other credential goes with it. */
  place?: TokenPlace;
  /** Subprotocols to offer beside it, if not those of the plan. */
  subprotocols?: readonly string[];
  autoPong?: boolean;
  /** False: the target's heartbeats are not answered. */
  answerPings?: boolean;
  /** False: a 429 at the handshake is reported, not waited out. */
  retryWhenLimited?: boolean;
  timeoutMs?: number;
}

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
  readonly #shared: Shared;
  readonly #signal: AbortSignal;
  readonly #opened = new Set<CheckConnection | RawConnection>();

  constructor(plan: QuickPlan, facts: Facts, shared: Shared, signal: AbortSignal) {
    this.facts = facts;
    this.#facts = facts;
    this.url = plan.url;
    this.timeoutMs = plan.timeoutMs;
    this.connections = Math.min(
      plan.connections,
      plan.target?.limits.connections ?? Number.POSITIVE_INFINITY,
    );
    this.#plan = plan;
    this.#shared = shared;
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

  /** The plan's token, if there is one: what it says may be kept where a check mints a variation of it. */
  get givenToken(): string | undefined {
    return this.#plan.token;
  }

  /** Where tokens go. */
  get tokenPlace(): TokenPlace {
    return this.#plan.tokenPlace;
  }

  /** Subprotocols that the plan offers. */
  get subprotocols(): readonly string[] {
    return this.#plan.subprotocols;
  }

  /** Number of the next request of this run, from 0. */
  nextRequest(): number {
    return this.#shared.nextRequest();
  }

  /**
   * Opens a connection and joins as the target wants it. On a target that speaks the reference protocol it also waits for
   * WELCOME.
   *
   * @throws ConnectError that says why it did not open
   */
  async connect(options: ConnectOptions = {}): Promise<CheckConnection> {
    const { endpoint = 'ws' } = options;
    const token = options.token === undefined ? await this.token() : options.token;
    const place = options.place ?? this.#placeAt(endpoint);
    const talk = new Talk({
      target: this.#plan.target,
      place,
      values: { token: token ?? undefined, connection: this.#shared.nextConnection() },
      // Only the URL that was given is what the description is about.
      joins: endpoint === 'ws',
      answersHeartbeats: options.answerPings ?? true,
    });
    const connection = await openConnection({
      ...this.#connectPlan(this.#upgrade(endpointUrl(this.url, endpoint), token, options)),
      timeoutMs: options.timeoutMs ?? this.timeoutMs,
      autoPong: options.autoPong ?? true,
      retryWhenLimited: options.retryWhenLimited ?? true,
      talk,
      signal: this.#signal,
    });
    this.#opened.add(connection);
    if (this.#facts.speaks === 'wsbench') await this.#greet(connection);
    else connection.budget = budgetOfTarget(this.#plan.target, performance.now());
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
    const options = this.#connectPlan(this.#upgrade(this.url, await this.token(), {}));
    const connection = await retrying(true, this.#signal, () => openRaw(options));
    this.#opened.add(connection);
    return connection;
  }

  /** GETs the status endpoint. */
  async status(): Promise<HttpAnswer> {
    return httpGet(endpointUrl(this.url, 'status'), this.#connectPlan(this.#upgrade(this.url, null, {})));
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

  #connectPlan({ url, headers, subprotocols }: Upgrade): ConnectPlan {
    const { insecure, caCertificates } = this.#plan;
    const { timeoutMs } = this;
    return { url, headers: joinHeaders(headers), subprotocols, insecure, caCertificates, timeoutMs };
  }

  /** Endpoints other than the given one take a credential at the handshake only. */
  #placeAt(endpoint: Endpoint): TokenPlace {
    const { tokenPlace } = this.#plan;
    return endpoint !== 'ws' && tokenPlace.in === 'message' ? { in: 'header' } : tokenPlace;
  }

  /** The plan's upgrade with a token; null leaves out every credential in it. */
  #upgrade(url: string, token: string | null | undefined, options: ConnectOptions): Upgrade {
    const { tokenPlace, headers, subprotocols } = this.#plan;
    const own = {
      url,
      headers: Object.entries(headers),
      subprotocols: options.subprotocols ?? subprotocols,
    };
    const elsewhere = options.place !== undefined;
    const bare = token === null || elsewhere ? withoutCredentials(own, tokenPlace) : own;
    if (token === null || token === undefined) return bare;
    return withToken(bare, options.place ?? this.#placeAt(options.endpoint ?? 'ws'), token);
  }

  async #greet(connection: CheckConnection): Promise<void> {
    const greeting = await connection.next(({ type }) => type === 'WELCOME');
    const welcome = greeting && readWelcome(greeting);
    if (!welcome) return;
    this.#facts.welcome ??= welcome;
    connection.budget = this.#shared.budgetOf(welcome, connection.talk.values.token);
  }
}
