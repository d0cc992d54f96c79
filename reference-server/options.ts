// What a server is made from, with every default filled in.

import { WsbenchError } from '../lib/errors.ts';
import { type JSONWebKeySet, type KeySetOptions, longestLifetimeS } from '../lib/token.ts';
import { type RedisOptions, type RedisSettings, redisSettings } from './bus/redis-settings.ts';
import { type Clock, systemClock } from './clock.ts';
import { originOf } from './credentials.ts';
import { type TrustedProxies, trustedProxiesOf } from './limits/client-address.ts';
import { type Limits, type LimitsName, limitsPresets } from './limits/presets.ts';
import { noSecret, weakSecret } from './secret.ts';

export type Environment = 'development' | 'production' | 'test';

/** Where tokens come from: a shared secret, a published key set, or a key that the server made itself. */
export type AuthMode = 'secret' | 'jwks' | 'ephemeral';

/** One thing worth logging. Tokens never appear in it. */
export interface LogEntry {
  level: 'info' | 'warn' | 'error';
  message: string;
  error?: unknown;
}

export interface Heartbeat {
  /** Time between two PINGs of one connection. */
  intervalMs: number;
  /** Time in which a PING must be answered. */
  timeoutMs: number;
}

/** Everything has a default that suits a test on this machine. */
export interface ServerOptions {
  /** 127.0.0.1 by default. */
  host?: string;
  /** 0 by default: a free one. */
  port?: number;
  /** `test` by default. Anonymous connections are allowed in development and test. */
  environment?: Environment;
  /** Follows `environment` by default. */
  limits?: LimitsName;
  /** Enables HS256 with the raw UTF-8 bytes of this text. In production at least 32 bytes. */
  secret?: string;
  /** Enables ES256, RS256 and EdDSA with these keys, or with those at this URL. */
  jwks?: JSONWebKeySet | URL;
  /** Required `iss`; not checked by default. */
  issuer?: string;
  /** Required `aud`; not checked by default. */
  audience?: string;
  /** How long a token may live, from `iat` (or from now) to `exp`, in seconds; 604,800 (a week) by default. */
  maxTokenLifetimeS?: number;
  /** How keys are fetched when `jwks` is a URL. */
  jwksFetch?: Pick<KeySetOptions, 'maxAgeMs' | 'cooldownMs' | 'timeoutMs'>;
  /**
   * Origins whose pages may connect, such as `https://app.example`. With the list every other Origin is refused with 403 and the
   * cookie `token` is a credential; without it (the default) Origins are not looked at and cookies are no credential.
   */
  allowedOrigins?: readonly string[];
  /** Take tokens from the query; by default everywhere but in production. */
  allowQueryToken?: boolean;
  /**
   * Proxies in front of this server, as addresses and networks (`10.0.0.0/8`): the limits per IP count whom they name in
   * X-Forwarded-For. By default that header is not looked at.
   */
  trustedProxies?: readonly string[];
  /** 25 s + 8 s by default, 1 s + 1 s in the test environment. */
  heartbeat?: Heartbeat;
  /** How long `close()` waits for clients to leave; 5,000 by default. */
  drainTimeoutMs?: number;
  /** Time after its DRAIN by which a client should be back elsewhere; by default as long as the number of clients asks for. */
  drainWindowMs?: number;
  /** Time in which an agent must answer a COMMAND; 10,000 by default. */
  commandTimeoutMs?: number;
  /** A Redis that several instances share; without it this server stands alone, with everything in memory. */
  redis?: RedisOptions;
  clock?: Clock;
  logger?: (entry: LogEntry) => void;
}

/** {@link ServerOptions} with defaults. */
export interface ResolvedOptions {
  host: string;
  port: number;
  environment: Environment;
  limits: Limits;
  secret: string | undefined;
  jwks: JSONWebKeySet | URL | undefined;
  issuer: string | undefined;
  audience: string | undefined;
  maxTokenLifetimeS: number;
  jwksFetch: Pick<KeySetOptions, 'maxAgeMs' | 'cooldownMs' | 'timeoutMs'>;
  allowedOrigins: readonly string[] | undefined;
  allowQueryToken: boolean;
  trustedProxies: TrustedProxies | undefined;
  auth: AuthMode;
  heartbeat: Heartbeat;
  drainTimeoutMs: number;
  drainWindowMs: number | undefined;
  commandTimeoutMs: number;
  redis: { settings: RedisSettings; required: boolean } | undefined;
  clock: Clock;
  log: (entry: LogEntry) => void;
}

/**
 * Fills in the defaults.
 *
 * @throws WsbenchError `CONFIG` when production would run without real authentication, an allowed origin or trusted proxy is none, or the
 * URL of Redis cannot be used
 */
export function resolveOptions(options: ServerOptions): ResolvedOptions {
  const environment = options.environment ?? 'test';
  const { secret, jwks } = options;
  const unusable = secret === undefined ? undefined : noSecret(secret);
  if (unusable !== undefined) throw new WsbenchError('CONFIG', `JWT_SECRET: ${unusable}`);
  const limits = limitsPresets[options.limits ?? environment];
  // Callers may be plain JavaScript, or a message from another process.
  if (!limits) throw new WsbenchError('CONFIG', `no limits are called "${options.limits ?? environment}"`);
  if (environment === 'production') {
    if (secret === undefined && jwks === undefined) {
      throw new WsbenchError(
        'CONFIG',
        'production needs JWT_SECRET (at least 32 bytes), SUPABASE_URL or --jwks-url',
      );
    }
    const weak = secret === undefined ? undefined : weakSecret(secret);
    if (weak !== undefined) throw new WsbenchError('CONFIG', `JWT_SECRET: ${weak}`);
  }
  return {
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    environment,
    limits,
    secret,
    jwks,
    issuer: options.issuer,
    audience: options.audience,
    maxTokenLifetimeS: options.maxTokenLifetimeS ?? longestLifetimeS,
    jwksFetch: options.jwksFetch ?? {},
    allowedOrigins: options.allowedOrigins?.map(checkedOrigin),
    allowQueryToken: options.allowQueryToken ?? environment !== 'production',
    trustedProxies: options.trustedProxies && trustedProxiesOf(options.trustedProxies),
    auth: secret !== undefined ? 'secret' : jwks !== undefined ? 'jwks' : 'ephemeral',
    heartbeat:
      options.heartbeat ??
      (environment === 'test'
        ? { intervalMs: 1000, timeoutMs: 1000 }
        : { intervalMs: 25_000, timeoutMs: 8000 }),
    drainTimeoutMs: options.drainTimeoutMs ?? 5000,
    drainWindowMs: options.drainWindowMs,
    commandTimeoutMs: options.commandTimeoutMs ?? 10_000,
    redis: options.redis && {
      settings: redisSettings(options.redis),
      required: options.redis.required ?? true,
    },
    clock: options.clock ?? systemClock,
    log: sparing(options.logger),
  };
}

/** A logger that fails is no reason for anything else to fail: logging happens where failures are handled. */
function sparing(logger: ServerOptions['logger']): ResolvedOptions['log'] {
  return (entry) => {
    try {
      logger?.(entry);
    } catch {
      // There is nobody left to tell.
    }
  };
}

function checkedOrigin(text: string): string {
  const origin = originOf(text);
  if (origin !== undefined) return origin;
  throw new WsbenchError(
    'CONFIG',
    `--allowed-origins (ALLOWED_ORIGINS): "${text}" is not an origin like https://app.example`,
  );
}

function isPlaintext({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** Where this server takes tokens from, in the words of `--token-in`. */
export function tokenPlacesOf({ allowQueryToken, allowedOrigins }: ResolvedOptions): string[] {
  const fromBrowsers = allowedOrigins !== undefined && allowedOrigins.length > 0;
  return [
    ...['header', 'subprotocol', 'message'],
    ...(allowQueryToken ? ['query'] : []),
    ...(fromBrowsers ? ['cookie'] : []),
  ];
}

/** What a person should know before trusting this server. */
export function warningsOf(options: ResolvedOptions): string[] {
  const warnings: string[] = [];
  if (options.limits.name === 'off') warnings.push('rate limits are OFF: any client may flood this server');
  if (options.auth === 'ephemeral') {
    warnings.push('tokens are signed with an ephemeral key made at start; this is not real authentication');
  }
  const weak = options.secret === undefined ? undefined : weakSecret(options.secret);
  if (weak !== undefined) warnings.push(`${weak}: production refuses it`);
  const { jwks } = options;
  if (options.environment === 'production' && jwks instanceof URL && isPlaintext(jwks)) {
    warnings.push('the signing keys are fetched over plain http: whoever is in between can sign tokens');
  }
  if (options.environment === 'production' && options.allowQueryToken) {
    warnings.push('tokens are taken from URLs: proxies and browsers keep those in logs and histories');
  }
  if (options.redis && options.auth === 'ephemeral') {
    warnings.push(
      'instances that share a Redis have each their own key: a token of one is refused by the others',
    );
  }
  if (options.environment === 'production' && options.redis && !isNear(options.redis.settings)) {
    warnings.push(
      'Redis is reached without TLS: whoever is in between can read and write all that instances share',
    );
  }
  return warnings;
}

function isNear({ tls, host }: RedisSettings): boolean {
  return tls !== undefined || /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host);
}
