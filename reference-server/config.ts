// What `wsbench serve` makes of its environment and flags. Pure: environment in, options out.
import { WsbenchError } from '../lib/errors.ts';
import { type LimitsName, limitsNames } from './limits/presets.ts';
import { type Environment, resolveOptions, type ServerOptions } from './options.ts';

/** The variables that `serve` knows. It reads no others. */
export const configKeys = [
  'NODE_ENV',
  'HOST',
  'PORT',
  'JWT_SECRET',
  'SUPABASE_JWT_SECRET',
  'SUPABASE_URL',
  'SUPABASE_ANON_KEY',
  'SUPABASE_SERVICE_KEY',
  'ALLOWED_ORIGINS',
  'TRUSTED_PROXIES',
  'REDIS_URL',
  'REDIS_CA',
  'REDIS_PREFIX',
] as const;

/** What the command line says; it wins over the environment. */
export interface ConfigFlags {
  host?: string;
  port?: string | number;
  limits?: string;
  /** Origins, separated by commas. */
  allowedOrigins?: string;
  allowQueryToken?: boolean;
  /** Addresses and networks, separated by commas. */
  trustedProxies?: string;
  /** Where the public keys are; instead of what SUPABASE_URL says. */
  jwksUrl?: string;
  /** Required `iss`, likewise. */
  jwtIssuer?: string;
  /** Required `aud`, likewise. */
  jwtAudience?: string;
  /** `required` or `optional`: whether to start, and to be ready, without the Redis of REDIS_URL. */
  redis?: string;
}

const environments: readonly Environment[] = ['development', 'production', 'test'];

/**
 * Reads the environment and flags of `wsbench serve`. An empty variable counts as unset. Without NODE_ENV the environment is
 * development; a name that is not known counts as production, because that is the safe mistake.
 *
 * @throws WsbenchError `CONFIG`, one line that names the variable or flag
 */
export function configFromEnv(
  env: Readonly<Record<string, string | undefined>>,
  flags: ConfigFlags = {},
): ServerOptions {
  const read = (key: (typeof configKeys)[number]): string | undefined => env[key] || undefined;
  const environment = environmentOf(read('NODE_ENV'));
  const host = flags.host ?? read('HOST');
  const port = portOf(flags.port ?? read('PORT'), flags.port === undefined ? 'PORT' : '--port');
  const secret = secretOf(read('JWT_SECRET'), read('SUPABASE_JWT_SECRET'));
  const options: ServerOptions = {
    environment,
    limits: flags.limits === undefined ? environment : limitsOf(flags.limits),
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(secret === undefined ? {} : { secret }),
    ...supabase(read('SUPABASE_URL')),
    ...(flags.jwksUrl === undefined ? {} : { jwks: keysUrl(flags.jwksUrl) }),
    ...(flags.jwtIssuer === undefined ? {} : { issuer: flags.jwtIssuer }),
    ...(flags.jwtAudience === undefined ? {} : { audience: flags.jwtAudience }),
    ...origins(flags.allowedOrigins ?? read('ALLOWED_ORIGINS')),
    ...(flags.allowQueryToken === undefined ? {} : { allowQueryToken: flags.allowQueryToken }),
    ...proxies(flags.trustedProxies ?? read('TRUSTED_PROXIES')),
    ...redis(read('REDIS_URL'), read('REDIS_CA'), read('REDIS_PREFIX'), flags.redis),
  };
  resolveOptions(options);
  return options;
}

function environmentOf(name: string | undefined): Environment {
  if (name === undefined) return 'development';
  return environments.find((known) => known === name) ?? 'production';
}

function limitsOf(name: string): LimitsName {
  const found = limitsNames.find((known) => known === name);
  if (!found) throw new WsbenchError('CONFIG', `--limits: "${name}" is none of ${limitsNames.join(', ')}`);
  return found;
}

function portOf(value: string | number | undefined, where: string): number | undefined {
  if (value === undefined) return undefined;
  const port = /^\d{1,5}$/.test(String(value)) ? Number(value) : Number.NaN;
  if (port <= 65_535) return port;
  throw new WsbenchError('CONFIG', `${where}: "${value}" is not a port from 0 to 65535`);
}

function secretOf(secret: string | undefined, alias: string | undefined): string | undefined {
  if (secret !== undefined && alias !== undefined && secret !== alias) {
    throw new WsbenchError('CONFIG', 'JWT_SECRET and SUPABASE_JWT_SECRET differ: set one of them');
  }
  return secret ?? alias;
}

function origins(list: string | undefined): Pick<ServerOptions, 'allowedOrigins'> {
  return list === undefined ? {} : { allowedOrigins: listOf(list) };
}

function proxies(list: string | undefined): Pick<ServerOptions, 'trustedProxies'> {
  return list === undefined ? {} : { trustedProxies: listOf(list) };
}

function listOf(text: string): string[] {
  return text.split(',').flatMap((name) => name.trim() || []);
}

function redis(
  url: string | undefined,
  caFile: string | undefined,
  prefix: string | undefined,
  mode: string | undefined,
): Pick<ServerOptions, 'redis'> {
  if (mode !== undefined && mode !== 'required' && mode !== 'optional') {
    throw new WsbenchError('CONFIG', `--redis: "${mode}" is neither required nor optional`);
  }
  if (url === undefined) {
    if (mode === undefined) return {};
    throw new WsbenchError('CONFIG', '--redis: REDIS_URL is not set');
  }
  return {
    redis: {
      url,
      ...(caFile === undefined ? {} : { caFile }),
      ...(prefix === undefined ? {} : { prefix }),
      ...(mode === undefined ? {} : { required: mode === 'required' }),
    },
  };
}

function keysUrl(text: string): URL {
  const url = webUrl(text);
  if (url) return url;
  throw new WsbenchError('CONFIG', '--jwks-url: not a URL like https://auth.example/.well-known/jwks.json');
}

function webUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url && ['http:', 'https:'].includes(url.protocol) && url.username === '' ? url : undefined;
}

/** A Supabase project signs its users' tokens as `<url>/auth/v1` and publishes its keys below that. */
function supabase(text: string | undefined): Pick<ServerOptions, 'jwks' | 'issuer' | 'audience'> {
  if (text === undefined) return {};
  const url = webUrl(text);
  if (!url) {
    throw new WsbenchError('CONFIG', 'SUPABASE_URL: not a URL like https://<project>.supabase.co');
  }
  const issuer = `${url.origin}${url.pathname.replace(/(?<!\/)\/+$/, '')}/auth/v1`;
  return { issuer, audience: 'authenticated', jwks: new URL(`${issuer}/.well-known/jwks.json`) };
}
