// The tokens of a run: which a connection begins with, and which it gets when that one expires.

/** What a token says of itself; nothing of it is verified. */
export interface TokenClaims {
  sub: string | undefined;
  /** When it expires, in ms since 1970; undefined: it does not say. */
  expiresAtMs: number | undefined;
}

/** Reads the claims of a JSON Web Token without verifying anything; a token that is none has none. */
export function claimsOf(token: string): TokenClaims {
  let claims: { sub?: unknown; exp?: unknown } | null = null;
  try {
    claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  } catch {
    // An opaque token is as good as any.
  }
  const { sub, exp } = claims ?? {};
  return {
    sub: typeof sub === 'string' ? sub : undefined,
    expiresAtMs: typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : undefined,
  };
}

/** Makes a token like one that is about to expire: for the same subject. */
export type Mint = (like: string) => Promise<string>;

/** Where fresh tokens come from. */
export interface FreshTokens {
  /** A token to go on with instead of `current`; undefined: there is none that lives longer. */
  fresh(current: string, nowMs: number): Promise<string | undefined>;
}

/** Fresh tokens: they are minted, or the next of a list is taken. */
export class TokenSource implements FreshTokens {
  readonly #tokens: readonly string[];
  readonly #mint: Mint | undefined;
  /** Of the token at the same place; read when they are first needed, and once: a list may hold thousands. */
  #claims: readonly TokenClaims[] | undefined;
  #next: number;

  /** @param dealt how many connections began with one of the list each */
  constructor(tokens: readonly string[], dealt: number, mint?: Mint) {
    this.#tokens = tokens;
    this.#mint = mint;
    this.#next = dealt % Math.max(1, tokens.length);
  }

  async fresh(current: string, nowMs: number): Promise<string | undefined> {
    if (this.#mint) return this.#mint(current);
    const { sub, expiresAtMs = 0 } = claimsOf(current);
    this.#claims ??= this.#tokens.map(claimsOf);
    let other: number | undefined;
    for (let step = 0; step < this.#tokens.length; step++) {
      const at = (this.#next + step) % this.#tokens.length;
      const token = this.#tokens[at] ?? '';
      const claims = this.#claims[at];
      const isOlder = (claims?.expiresAtMs ?? Number.POSITIVE_INFINITY) <= Math.max(nowMs, expiresAtMs);
      if (token === current || isOlder) continue;
      // Servers refuse a token that makes somebody else of a connection, so one of the same subject comes first.
      if (claims?.sub === sub) return this.#take(at);
      other ??= at;
    }
    return other === undefined ? undefined : this.#take(other);
  }

  #take(at: number): string | undefined {
    this.#next = (at + 1) % this.#tokens.length;
    return this.#tokens[at];
  }
}

/** When to renew a token that expires then: with a fifth of its life left, and at least a second; undefined: never. */
export function renewInMs(token: string, nowMs: number): number | undefined {
  const { expiresAtMs } = claimsOf(token);
  if (expiresAtMs === undefined || expiresAtMs <= nowMs) return undefined;
  const leftMs = expiresAtMs - nowMs;
  return Math.max(leastRenewalMs, Math.min(0.8 * leftMs, leftMs - 1000));
}

// Tokens that live for less than a second must not keep us busy with nothing but renewing them.
const leastRenewalMs = 100;
