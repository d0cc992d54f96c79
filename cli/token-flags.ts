// The options that say who a run is for the target, and how their values are read.
import type { Command } from 'commander';
import { parseDurationMs } from '../lib/duration.ts';
import { WsbenchError } from '../lib/errors.ts';
import type { SigningKey, TokenOptions } from '../lib/token.ts';
import type { Io } from './io.ts';
import { readText, secretValue, signingKey, tokensOfFile } from './options.ts';

/** Raw values of the options of {@link tokenFlags}, and of those that commands add to them. */
export interface TokenFlags {
  token?: string;
  tokensFile?: string;
  secret?: string;
  key?: string;
  tokenExpires?: string;
  claims?: string;
}

/** What they come to. */
export interface TokenValues {
  tokens?: string[];
  signingKey?: SigningKey;
  tokenOptions?: TokenOptions;
}

/**
 * Adds the options for tokens.
 *
 * @param whose what is minted with a key, such as `each check mints its own`
 */
export function tokenFlags(command: Command, whose: string): Command {
  return command
    .optionsGroup('Tokens (docs/auth.md):')
    .option('--token <token>', 'token that the target accepts, @file or env:NAME')
    .option(
      '--token-in <place>',
      'where tokens go: header[:NAME], query[:NAME], cookie[:NAME], subprotocol[:PREFIX] or message[:TEMPLATE]',
    )
    .option('--secret <secret>', `HS256 secret of the target's tokens, @file or env:NAME: ${whose}`)
    .option('--key <file>', `private JWK of the target's tokens: ${whose}`)
    .option('--claims <json>', 'claims of minted tokens, a JSON object or @file');
}

/**
 * Reads the options of {@link tokenFlags}, `--tokens-file` and `--token-expires`.
 *
 * @throws WsbenchError `USAGE` for options that exclude or need each other, or a value that cannot be read
 */
export function tokenValues(flags: TokenFlags, io: Io): TokenValues {
  const key = signingKey(flags, io);
  const options = mintOptions(flags, io);
  if (options && !key) {
    const name = flags.claims === undefined ? '--token-expires' : '--claims';
    throw new WsbenchError('USAGE', `${name} is about tokens that are minted: give --secret or --key`);
  }
  const tokens = tokensOf(flags, io);
  return {
    ...(tokens === undefined ? {} : { tokens }),
    ...(key === undefined ? {} : { signingKey: key }),
    ...(options === undefined ? {} : { tokenOptions: options }),
  };
}

function mintOptions({ claims, tokenExpires }: TokenFlags, io: Io): TokenOptions | undefined {
  if (claims === undefined && tokenExpires === undefined) return undefined;
  const options: TokenOptions = {};
  if (claims !== undefined) options.claims = parseClaims(claims, io);
  if (tokenExpires !== undefined) {
    const seconds = Math.round(parseDurationMs(tokenExpires, '--token-expires') / 1000);
    if (seconds < 1)
      throw new WsbenchError('USAGE', '--token-expires: tokens count in seconds, and live for one at least');
    options.expiresInS = seconds;
  }
  return options;
}

/**
 * The claims that `--claims` gives: a JSON object, or `@file`.
 *
 * @throws WsbenchError `USAGE` for anything else
 */
export function parseClaims(text: string, io: Io): Record<string, unknown> {
  const json = text.startsWith('@') ? readText(text.slice(1), '--claims', io) : text;
  try {
    const claims: unknown = JSON.parse(json);
    if (claims !== null && typeof claims === 'object' && !Array.isArray(claims)) {
      return claims as Record<string, unknown>;
    }
  } catch {
    // said below
  }
  throw new WsbenchError('USAGE', `--claims: not a JSON object; write it like '{"role":"admin"}'`);
}

function tokensOf(flags: TokenFlags, io: Io): string[] | undefined {
  if (flags.token !== undefined && flags.tokensFile !== undefined) {
    throw new WsbenchError('USAGE', '--token and --tokens-file exclude each other');
  }
  if (flags.token !== undefined) return [secretValue(flags.token, '--token', io)];
  return flags.tokensFile === undefined ? undefined : tokensOfFile(flags.tokensFile, io);
}
