// REDIS_URL and what stands beside it, checked. No message here repeats the URL: it has a password.
import { readFileSync } from 'node:fs';
import { WsbenchError } from '../../lib/errors.ts';

/** How instances share a Redis. */
export interface RedisOptions {
  /** `redis://` or `rediss://`, as in `rediss://default:password@host:port/0`. */
  url: string;
  /** A file of certificates that the server's must be signed by, instead of those that Node trusts. For `rediss://`. */
  caFile?: string;
  /** The first part of every key and channel: instances with the same one share everything. `wsbench` by default. */
  prefix?: string;
  /** Not to start, and not to be ready, without Redis. By default true; false serves what needs no other instance. */
  required?: boolean;
}

/** {@link RedisOptions}, taken apart. */
export interface RedisSettings {
  host: string;
  port: number;
  username: string | undefined;
  password: string | undefined;
  db: number;
  /** Set for `rediss://`: the certificate is always checked, against these or against those that Node trusts. */
  tls: { ca: string | undefined } | undefined;
  /** The first part of every key and channel. The database is in it, as channels know no databases. */
  prefix: string;
  /** Where it is, for people: nothing secret in it. */
  name: string;
}

const example = 'rediss://default:password@host:6379';

/**
 * Takes the options apart.
 *
 * @throws WsbenchError `CONFIG` when the URL is none, asks for something unknown, or the file cannot be read
 */
export function redisSettings(options: RedisOptions): RedisSettings {
  const url = URL.canParse(options.url) ? new URL(options.url) : undefined;
  if (!url || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') {
    fail(`not a URL like ${example} (#, / and ? in a password are written %23, %2F and %3F)`);
  }
  // Parameters of other clients switch certificate checks off, or change the protocol: better refused than ignored.
  if (url.search !== '' || url.hash !== '') fail('parameters after ? or # are not taken');
  const db = url.pathname.replace(/^\//, '');
  if (!/^\d{0,5}$/.test(db)) fail('what comes after the / must be the number of a database');
  const isTls = url.protocol === 'rediss:';
  if (options.caFile !== undefined && !isTls) {
    throw new WsbenchError('CONFIG', 'REDIS_CA: it is for rediss:// only, and REDIS_URL is redis://');
  }
  const prefix = options.prefix ?? 'wsbench';
  if (!/^[\w.-]{1,64}$/.test(prefix)) {
    throw new WsbenchError('CONFIG', 'REDIS_PREFIX: 1 to 64 letters, digits and . - _ only');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    host,
    port: url.port === '' ? 6379 : Number(url.port),
    username: decoded(url.username) || undefined,
    password: decoded(url.password) || undefined,
    db: Number(db),
    tls: isTls ? { ca: options.caFile === undefined ? undefined : certificates(options.caFile) } : undefined,
    prefix: `${prefix}:${Number(db)}`,
    name: `${url.protocol}//${url.host}${db === '' ? '' : `/${db}`}`,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fail('user name or password is not properly encoded: write % as %25');
  }
}

function certificates(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'error';
    throw new WsbenchError('CONFIG', `REDIS_CA: ${file} cannot be read (${code})`, { cause });
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new WsbenchError('CONFIG', `REDIS_CA: ${file} has no certificate in PEM`);
  }
  return text;
}

function fail(what: string): never {
  throw new WsbenchError('CONFIG', `REDIS_URL: ${what}`);
}
