// wsbench token: tokens for tests.
import type { Command } from 'commander';
import { parseCount, parseDurationMs } from '../../lib/duration.ts';
import { WsbenchError } from '../../lib/errors.ts';
import { mintToken, type TokenOptions } from '../../lib/index.ts';
import { newCommand } from '../command.ts';
import { type Io, note } from '../io.ts';
import { signingKey } from '../options.ts';
import { openText, stdoutPath } from '../report-files.ts';

interface MintFlags {
  secret?: string;
  key?: string;
  sub?: string;
  role: string;
  roles?: string;
  tenant?: string;
  issuer?: string;
  audience?: string;
  expires: string;
  count: string;
  output?: string;
  iKnow?: boolean;
}

/** The `token` command. */
export function tokenCommand(io: Io): Command {
  const mint = newCommand('mint', io)
    .description('sign tokens with the claims of a Supabase user')
    .option('--secret <secret>', 'HS256 secret, @file or env:NAME (or JWT_SECRET in the environment)')
    .option('--key <file>', 'private JWK (ES256, RS256 or EdDSA)')
    .option('--sub <id>', 'subject (default: a random UUID for each token)')
    .option('--role <role>', 'Supabase role', 'authenticated')
    .option('--roles <list>', 'reference-server roles, such as dashboard,agent')
    .option('--tenant <name>', 'reference-server tenant')
    .option('--issuer <url>', 'iss')
    .option('--audience <name>', 'aud (default authenticated)')
    .option('--expires <time>', 'lifetime; -1h for a token that has expired', '1h')
    .option('--count <n>', 'how many, one a line', '1')
    .option('-o, --output <file>', 'write them to a file')
    .option('--i-know', 'allow role service_role, which passes every rule of a Supabase project')
    .action((flags: MintFlags) => run(flags, io));
  return newCommand('token', io)
    .description('mint JWTs (Supabase-compatible)')
    .addCommand(mint, { isDefault: true });
}

async function run(flags: MintFlags, io: Io): Promise<void> {
  const fromEnv =
    flags.key === undefined && flags.secret === undefined && io.env.JWT_SECRET ? 'env:JWT_SECRET' : undefined;
  const key = signingKey(fromEnv === undefined ? flags : { secret: fromEnv }, io);
  if (!key) throw new WsbenchError('USAGE', 'token: give --secret env:NAME or --key FILE to sign with');
  if ('secret' in key && Buffer.byteLength(key.secret) < 32) {
    note(io, 'warning: an HS256 secret should have at least 32 bytes (RFC 7518 §3.2)');
  }
  if (flags.role === 'service_role' && !flags.iKnow) {
    throw new WsbenchError(
      'USAGE',
      'token: service_role passes every rule of a project; add --i-know if you mean it',
    );
  }
  const past = flags.expires.startsWith('-');
  const lifetimeS = Math.round(parseDurationMs(flags.expires.replace(/^-/, ''), '--expires') / 1000);
  const options: TokenOptions = { role: flags.role, expiresInS: past ? -lifetimeS : lifetimeS };
  if (flags.sub !== undefined) options.sub = flags.sub;
  if (flags.roles !== undefined) options.roles = flags.roles.split(',').map((role) => role.trim());
  if (flags.tenant !== undefined) options.tenant = flags.tenant;
  if (flags.issuer !== undefined) options.issuer = flags.issuer;
  if (flags.audience !== undefined) options.audience = flags.audience;
  const count = parseCount(flags.count, '--count');
  const tokens: string[] = [];
  for (let n = 0; n < count; n++) tokens.push(await mintToken(key, options));
  const text = `${tokens.join('\n')}\n`;
  if (flags.output === undefined || flags.output === stdoutPath) io.stdout.write(text);
  else openText(flags.output, io.cwd).write(text);
}
