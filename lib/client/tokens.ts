// The token to connect with: fetched in time, looked at, and never sent when it has expired.
import type { ClientClock } from './clock.ts';
import { ClientError } from './errors.ts';
import type { Fields } from './messages.ts';

/**
 * Why a provider is asked: to connect, to replace a token that soon ends, or because the server did not accept the last one. A
 * provider that keeps tokens must not hand out the kept one for `refused`.
 *
 * @example
 * import { createClient, type TokenRequest } from 'wsbench/client';
 * let kept: string | undefined;
 * const fetchToken = async ({ reason, signal }: TokenRequest): Promise<string> => {
 *   if (reason !== 'connect') kept = undefined;
 *   signal.throwIfAborted();
 *   kept ??= await getToken();
 *   return kept;
 * };
 * const client = createClient('wss://service.example/ws', { token: fetchToken });
 * await client.connect();
 * await client.close();
 */
export interface TokenRequest {
  reason: 'connect' | 'refresh' | 'refused';
  /** Aborts when nobody waits for the token any more: after `tokenTimeoutMs`, or when the client is closed. */
  signal: AbortSignal;
}

/**
 * A token, or what fetches one.
 *
 * @example
 * import { createClient, type TokenSource } from 'wsbench/client';
 * const source: TokenSource = async ({ reason }) => {
 *   console.log(reason); // connect
 *   return getToken();
 * };
 * const client = createClient('wss://service.example/ws', { token: source });
 * await client.connect();
 * await client.close();
 */
export type TokenSource = string | ((request: TokenRequest) => Promise<string> | string);

/** A token, and when it ends on the server's clock, where that can be read. */
export interface Token {
  text: string;
  expiresAtMs: number | undefined;
}

/** What has less left would end on its way: neither the way nor the server's clock is known to the millisecond. */
const travelMs = 500;
const mostSkewErrorMs = 2000;

/** Asks the source, one call at a time. */
export class Tokens {
  readonly #source: TokenSource;
  readonly #clock: ClientClock;
  readonly #timeoutMs: number;
  #giveUp: ((error: ClientError) => void) | undefined;
  /** Server's clock minus ours. */
  #skewMs = 0;

  constructor(source: TokenSource, clock: ClientClock, timeoutMs: number) {
    this.#source = source;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** Whether asking again can give another one. */
  get isRenewable(): boolean {
    return typeof this.#source !== 'string';
  }

  /**
   * The server says what time it was there, at some moment since `askedMs` by our clock: the earliest is assumed, so that no token
   * is held for too long. What took seconds says nothing: this machine may have slept meanwhile.
   */
  synchronise(serverTime: number | undefined, askedMs: number): void {
    const tookMs = this.#clock.epochMs() - askedMs;
    if (serverTime !== undefined && tookMs <= mostSkewErrorMs) this.#skewMs = serverTime - askedMs;
  }

  /** Time until a token ends; Infinity when that is not known. */
  leftMs({ expiresAtMs }: Token): number {
    return (expiresAtMs ?? Number.POSITIVE_INFINITY) - this.#clock.epochMs() - this.#skewMs;
  }

  /**
   * Fetches a token.
   *
   * @throws ClientError `TOKEN` when the provider takes too long, throws, or returns none that is good now; `CLOSED` after `stop()`
   */
  async fetch(reason: TokenRequest['reason']): Promise<Token> {
    const text = typeof this.#source === 'string' ? this.#source : await this.#ask(this.#source, reason);
    if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text)) {
      throw new ClientError('TOKEN', 'the token provider returned no token');
    }
    const token = { text, expiresAtMs: expiryOf(text) };
    if (this.leftMs(token) <= travelMs) throw new ClientError('TOKEN', 'the token has expired');
    return token;
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#giveUp?.(new ClientError('CLOSED', 'the client was closed'));
  }

  #ask(source: Exclude<TokenSource, string>, reason: TokenRequest['reason']): Promise<string> {
    const controller = new AbortController();
    return new Promise<string>((resolve, reject) => {
      const cancel = this.#clock.schedule(this.#timeoutMs, () => {
        this.#giveUp?.(new ClientError('TOKEN', `the token provider took more than ${this.#timeoutMs} ms`));
      });
      const end = (): void => {
        cancel();
        this.#giveUp = undefined;
      };
      const giveUp = (error: ClientError): void => {
        end();
        reject(error);
        controller.abort(error);
      };
      this.#giveUp = giveUp;
      // A provider that answers after it was given up on must not end another call.
      const isOver = (): boolean => this.#giveUp !== giveUp;
      Promise.resolve()
        .then(() => source({ reason, signal: controller.signal }))
        .then(
          (text) => {
            if (isOver()) return;
            end();
            resolve(text);
          },
          (cause: unknown) => {
            if (isOver()) return;
            end();
            reject(new ClientError('TOKEN', 'the token provider failed', { cause }));
          },
        );
    });
  }
}

/** `exp` of a JSON Web Token; undefined for what is none. Nobody relies on it but for timing. */
function expiryOf(token: string): number | undefined {
  try {
    const part = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const { exp } = JSON.parse(atob(part)) as Fields;
    return typeof exp === 'number' ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
