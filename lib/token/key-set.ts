// The public keys that a URL publishes (RFC 7517 §5): fetched when needed, kept as long as they are all there is.
import { messageOf, WsbenchError } from '../errors.ts';

/** One public key, as published. */
export interface PublicKey {
  kty: string;
  kid?: string;
  [member: string]: unknown;
}

/** How a {@link KeySet} fetches. */
export interface KeySetOptions {
  /** After how long the keys are fetched anew; 600,000 by default, which is what Supabase asks of caches. */
  maxAgeMs?: number;
  /** Time from one fetch to the next at least, whoever asks for what; 4000 by default. */
  cooldownMs?: number;
  /** How long a fetch may take; 1500 by default. */
  timeoutMs?: number;
  /** A clock that never goes back, in ms; the process's by default. */
  nowMs?: () => number;
  /** Called after every fetch. */
  onFetch?: (outcome: FetchOutcome) => void;
}

/** What a fetch brought: keys, or why there are none. */
export type FetchOutcome = { ok: true } | { ok: false; why: string };

/** Keys to look for a token's key in, or when to ask again because they could not be fetched. */
export type KeysFound = { ok: true; keys: readonly PublicKey[] } | { ok: false; retryAfterMs: number };

const maxSetBytes = 1024 ** 2;
const maxKeys = 256;

/**
 * Keys behind a URL. There is one fetch at a time and at most one per cool-down, however many tokens ask for keys that nobody
 * knows. While the URL does not answer, the keys that were published last go on counting, however long that takes.
 */
export class KeySet {
  readonly #url: URL;
  /** After how long the keys are fetched anew. */
  readonly maxAgeMs: number;
  readonly #cooldownMs: number;
  readonly #timeoutMs: number;
  readonly #nowMs: () => number;
  readonly #onFetch: (outcome: FetchOutcome) => void;
  #keys: readonly PublicKey[] | undefined;
  #kids: ReadonlySet<string> = new Set();
  #ids: ReadonlySet<string> = new Set();
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #failed = false;
  #pending: Promise<void> | undefined;

  constructor(url: URL, options: KeySetOptions = {}) {
    this.#url = new URL(url);
    this.maxAgeMs = options.maxAgeMs ?? 600_000;
    this.#cooldownMs = options.cooldownMs ?? 4000;
    this.#timeoutMs = options.timeoutMs ?? 1500;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#onFetch = options.onFetch ?? (() => {});
  }

  /** The keys among which that of a token with this `kid` must be. Takes no longer than a fetch may. */
  async keysFor(kid: string | undefined): Promise<KeysFound> {
    const isKnown = this.#keys !== undefined && (kid === undefined || this.#kids.has(kid));
    if (!isKnown || this.#nowMs() - this.#fetchedAtMs >= this.maxAgeMs) {
      const refreshed = this.refresh();
      // Once a fetch has failed, nobody whose key is known waits for the next one.
      if (!isKnown || !this.#failed) await refreshed;
    }
    const keys = this.#keys;
    if (keys && (!this.#failed || kid === undefined || this.#kids.has(kid))) return { ok: true, keys };
    const retryAfterMs = Math.max(0, this.#triedAtMs + this.#cooldownMs - this.#nowMs());
    return { ok: false, retryAfterMs };
  }

  /** Whether the keys that were fetched last, if any were, have the one that {@link keyIdOf} calls so. */
  publishes(keyId: string): boolean {
    return this.#ids.has(keyId);
  }

  /** Fetches the keys, unless that was tried a moment ago. Never rejects. */
  refresh(): Promise<void> {
    if (!this.#pending) {
      if (this.#nowMs() - this.#triedAtMs < this.#cooldownMs) return Promise.resolve();
      this.#triedAtMs = this.#nowMs();
      this.#pending = this.#fetch().finally(() => {
        this.#pending = undefined;
      });
    }
    return this.#pending;
  }

  async #fetch(): Promise<void> {
    let keys: PublicKey[];
    try {
      keys = await fetchKeys(this.#url, this.#timeoutMs);
    } catch (error) {
      this.#failed = true;
      this.#onFetch({ ok: false, why: whyOf(error) });
      return;
    }
    this.#keys = keys;
    this.#kids = new Set(keys.flatMap(({ kid }) => kid ?? []));
    this.#ids = new Set(keys.map(keyIdOf));
    this.#fetchedAtMs = this.#nowMs();
    this.#failed = false;
    this.#onFetch({ ok: true });
  }
}

async function fetchKeys(url: URL, timeoutMs: number): Promise<PublicKey[]> {
  const response = await fetch(url, {
    // A key set that moves elsewhere is for the operator to follow, not for us.
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
    headers: { accept: 'application/json, application/jwk-set+json' },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`HTTP ${response.status}`);
  }
  return publicKeysOf(JSON.parse(await boundedText(response)));
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (bytes > maxSetBytes) throw new Error('more than 1 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/**
 * The usable keys of a set. What is no public key is left out: RFC 7517 §5 has readers ignore what they do not understand.
 *
 * @throws WsbenchError `CONFIG` when it is no set, or too large a one
 */
export function publicKeysOf(set: unknown): PublicKey[] {
  const keys = set !== null && typeof set === 'object' && 'keys' in set ? set.keys : undefined;
  if (!Array.isArray(keys)) throw new WsbenchError('CONFIG', 'not a JSON Web Key Set');
  const usable = keys.filter(isPublicKey);
  if (usable.length > maxKeys) throw new WsbenchError('CONFIG', `more than ${maxKeys} keys`);
  return usable;
}

function isPublicKey(key: unknown): key is PublicKey {
  if (key === null || typeof key !== 'object' || !('kty' in key)) return false;
  const isKind = key.kty === 'EC' || key.kty === 'RSA' || key.kty === 'OKP';
  return isKind && !('d' in key) && !('k' in key) && (!('kid' in key) || typeof key.kid === 'string');
}

/** What makes a key this key: another one under the same `kid` is another. */
export function keyIdOf({ kty, kid, crv, x, y, n, e }: PublicKey): string {
  return JSON.stringify([kty, kid, crv, x, y, n, e]);
}

function whyOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'not JSON';
  if (error instanceof Error && error.name === 'TimeoutError') return 'no answer in time';
  // `fetch failed` says nothing; its cause does.
  return messageOf(error instanceof TypeError && error.cause ? error.cause : error);
}
