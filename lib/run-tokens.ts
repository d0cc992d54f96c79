// The tokens of a stress run: given, or minted before it begins.
import { WsbenchError } from './errors.ts';
import { claimsOf, type Mint } from './load/tokens.ts';
import { keepSecret } from './result/redact.ts';
import type { TargetServer } from './target-options.ts';
import { mintToken, type SigningKey, type TokenOptions } from './token.ts';

/** What a run is told about tokens. */
export interface TokenChoice {
  /** Tokens, one a connection in turn. */
  tokens?: readonly string[];
  /** Key that the target's tokens are signed with: each connection gets a token of its own, and fresh ones when they expire. */
  signingKey?: SigningKey;
  /** What minted tokens say; each has its own subject unless this names one, and lives longer than the run. */
  tokenOptions?: TokenOptions;
}

/** The tokens of a run, and how to make more. */
export interface RunTokens {
  tokens: string[];
  mint?: Mint;
}

/**
 * Minted tokens live for this many seconds unless asked otherwise.
 *
 * @param runMs how long they are needed
 */
export function tokenLifetimeS(runMs: number): number {
  return Math.max(3600, Math.ceil(runMs / 1000) + 300);
}

/**
 * The tokens that a run begins with. Whatever is secret about them is remembered, so that no output shows it.
 *
 * @param runMs how long the tokens are needed
 * @throws WsbenchError `USAGE` for a key that cannot sign, or claims without a key
 */
export async function runTokens(
  target: string | TargetServer | undefined,
  { tokens, signingKey, tokenOptions }: TokenChoice,
  { connections, runMs, signal }: { connections: number; runMs: number; signal: AbortSignal | undefined },
): Promise<RunTokens> {
  for (const token of tokens ?? []) keepSecret(token);
  if (signingKey) keepKey(signingKey);
  const sign = signerOf(target, signingKey);
  if (!sign) {
    if (tokenOptions === undefined) return { tokens: [...(tokens ?? [])] };
    throw new WsbenchError(
      'USAGE',
      'claims and lifetime are those of tokens that are minted: give a secret or key to sign with',
    );
  }
  const minted = async (sub: string | undefined): Promise<string> => {
    const subject = sub === undefined ? {} : { sub };
    const token = await sign({ expiresInS: tokenLifetimeS(runMs), ...tokenOptions, ...subject });
    keepSecret(token);
    return token;
  };
  const mint: Mint = (like) => minted(claimsOf(like).sub);
  if (tokens !== undefined) return { tokens: [...tokens], mint };
  const own: string[] = [];
  // Before the first connect, so that signing disturbs no measurement.
  while (own.length < connections && !signal?.aborted) {
    own.push(await minted(tokenOptions?.sub ?? `stress-${own.length + 1}`));
  }
  return { tokens: own, mint };
}

function signerOf(
  target: string | TargetServer | undefined,
  key: SigningKey | undefined,
): ((options: TokenOptions) => Promise<string>) | undefined {
  if (key && target === undefined) {
    throw new WsbenchError('USAGE', 'the embedded server signs its own tokens: a key needs a target URL');
  }
  if (key) return (options) => mintToken(key, options);
  return typeof target === 'object' ? target.mint?.bind(target) : undefined;
}

function keepKey(key: SigningKey): void {
  if ('secret' in key) keepSecret(key.secret);
  else for (const part of [key.jwk.d, key.jwk.k]) if (typeof part === 'string') keepSecret(part);
}
