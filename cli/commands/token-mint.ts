// wsbench token mint: tokens for tests.
import { type Command, Option } from 'commander';
import { parseCount, parseDurationMs } from '../../lib/duration.ts';
import { WsbenchError } from '../../lib/errors.ts';
import { mintToken, type SigningKey, type TokenOptions } from '../../lib/index.ts';
import { signClaims } from '../../lib/token.ts';
import { newCommand } from '../command.ts';
import { type Io, note } from '../io.ts';
import { signingKey } from '../options.ts';
import { openText, stdoutPath } from '../report-files.ts';
import { parseClaims } from '../token-flags.ts';

interface MintFlags {
  secret?: string;
  key?: string;
  sub?: string;
  role: string;
  roles?: string;
  tenant?: string;
  issuer?: string;
  audience?: string;
  claims?: string;
  apiKey?: 'anon' | 'service_role';
  ref?: string;
  expires?: string;
  count: string;
  output?: string;
  iKnow?: boolean;
}

// The API keys that Supabase makes live for ten years.
const apiKeyLifetime = '87600h';

/** The `token mint` command. */
export function mintCommand(io: Io): Command {
  const command = newCommand('mint', io)
    .description('sign tokens with the claims of a Supabase user')
    .option('--secret <secret>', 'HS256 secret, @file or env:NAME (or JWT_SECRET in the environment)')
    .option('--key <file>', 'private JWK (ES256, RS256 or EdDSA)')
    .option('--sub <id>', 'subject (default: a random UUID for each token)')
    .option('--role <role>', 'Supabase role', 'authenticated')
    .option('--roles <list>', 'reference-server roles, such as dashboard,agent')
    .option('--tenant <name>', 'reference-server tenant')
    .option('--issuer <url>', 'iss')
    .option('--audience <name>', 'aud (default authenticated)')
    .option('--claims <json>', 'more claims, a JSON object or @file; they win over the others')
    .addOption(
      new Option('--api-key <role>', 'a legacy Supabase API key instead of a user token').choices([
        'anon',
        'service_role',
      ]),
    )
    .option('--ref <project>', 'project of the API key')
    .option('--expires <time>', 'lifetime; -1h for a token that has expired (default 1h)')
    .option('--count <n>', 'how many, one a line', '1')
    .option('-o, --output <file>', 'write them to a file that only you can read')
    .option('--i-know', 'allow role service_role, which passes every rule of a Supabase project');
  return command.action((flags: MintFlags) => mint(flags, command, io));
}

async function mint(flags: MintFlags, command: Command, io: Io): Promise<void> {
  const key = keyOf(flags, io);
  if ((flags.apiKey ?? flags.role) === 'service_role' && !flags.iKnow) {
    throw new WsbenchError(
      'USAGE',
      'token: service_role passes every rule of a project; add --i-know if you mean it',
    );
  }
  const count = parseCount(flags.count, '--count');
  const sign = flags.apiKey === undefined ? userToken(flags, key, io) : apiKey(flags, key, command, io);
  const tokens: string[] = [];
  for (let n = 0; n < count; n++) tokens.push(await sign());
  const text = `${tokens.join('\n')}\n`;
  if (flags.output === undefined || flags.output === stdoutPath) io.stdout.write(text);
  else openText(flags.output, io.cwd, undefined, 0o600).write(text);
}

function keyOf(flags: MintFlags, io: Io): SigningKey {
  const fromEnv =
    flags.key === undefined && flags.secret === undefined && io.env.JWT_SECRET ? 'env:JWT_SECRET' : undefined;
  const key = signingKey(fromEnv === undefined ? flags : { secret: fromEnv }, io);
  if (!key) throw new WsbenchError('USAGE', 'token: give --secret env:NAME or --key FILE to sign with');
  if ('secret' in key && Buffer.byteLength(key.secret) < 32) {
    note(io, 'warning: an HS256 secret should have at least 32 bytes (RFC 7518 §3.2)');
  }
  return key;
}

function userToken(flags: MintFlags, key: SigningKey, io: Io): () => Promise<string> {
  if (flags.ref !== undefined) throw new WsbenchError('USAGE', '--ref goes with --api-key');
  const options: TokenOptions = { role: flags.role, expiresInS: lifetimeS(flags.expires ?? '1h') };
  if (flags.sub !== undefined) options.sub = flags.sub;
  if (flags.roles !== undefined) options.roles = flags.roles.split(',').map((role) => role.trim());
  if (flags.tenant !== undefined) options.tenant = flags.tenant;
  if (flags.issuer !== undefined) options.issuer = flags.issuer;
  if (flags.audience !== undefined) options.audience = flags.audience;
  if (flags.claims !== undefined) options.claims = parseClaims(flags.claims, io);
  return () => mintToken(key, options);
}

const ofUsers = ['sub', 'role', 'roles', 'tenant', 'issuer', 'audience'];

/** A legacy API key: neither sub nor aud, for it stands for a project and not a user. */
function apiKey(flags: MintFlags, key: SigningKey, command: Command, io: Io): () => Promise<string> {
  const misplaced = ofUsers.find(
    (name) => !['default', undefined].includes(command.getOptionValueSource(name)),
  );
  if (misplaced !== undefined) {
    throw new WsbenchError('USAGE', `--${misplaced} is for user tokens: an API key has no such claim`);
  }
  const nowS = Math.floor(Date.now() / 1000);
  const claims = {
    iss: 'supabase',
    ref: flags.ref ?? 'wsbench',
    role: flags.apiKey,
    iat: nowS + Math.min(0, lifetimeS(flags.expires ?? apiKeyLifetime)),
    exp: nowS + lifetimeS(flags.expires ?? apiKeyLifetime),
    ...(flags.claims === undefined ? {} : parseClaims(flags.claims, io)),
  };
  return () => signClaims(key, claims);
}

function lifetimeS(text: string): number {
  const length = Math.round(parseDurationMs(text.replace(/^-/, ''), '--expires') / 1000);
  return text.startsWith('-') ? -length : length;
}
