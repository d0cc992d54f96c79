// Secrets never reach a result, a report or a log: this is where they are masked.
import { keepSecret, mask, maskKept } from './kept-secrets.ts';

export { keepSecret };

// Too much masked costs a reader little, too little costs a secret: X-Custom-Auth and X-Session count.
const secretHeader = /auth|cookie|token|secret|passw|credential|session|signature|jwt|key$/i;
const secretParameter =
  /auth|token|secret|passw|credential|session|signature|jwt|key$|^(pass|pw|pwd|sig|sid|code|ticket|otp)$/i;
// Names that end in what they hold: `token`, `jwtSecret`, `api_key`; not `tokenIn`.
const secretOption = /(token|secret|password|passphrase|apikey|api[-_]key|authorization|cookie|jwt)s?$/i;
// JWS and JWE, whole or cut off (`{"` in base64url is `eyJ`), and what is inside `bearer.<base64url of a token>`.
const jwt = /(?:eyJ[\w-]{4,}(?:\.[\w-]*)+|eyJ[\w-]{12,}|ZXlK[\w-]{24,})/g;
const supabaseKey = /\bsb_(publishable|secret)_[\w-]+/g;
// Neither a name of the shell (`$TOKEN`) nor a placeholder (`{{ token }}`) is a secret: lines to run again and target files hold
// them. What was masked is not masked again, with what
// was written behind it since.
const headerLine =
  /\b((?:proxy-)?authorization|(?:set-)?cookie|apikey|x-api-key)(?!\s*:\s*(?:\$[A-Z][A-Z\d_]*"|\[redacted\](?![;,])|(?:bearer\s+|[\w-]+=)?\{\{\s*[\w.]+\s*\}\}(?=["'\r\n]|$)))(\s*:\s*)[^\r\n']+/gi;
const userInformation = /\b([a-z][a-z+]{0,30}:\/\/)(?!\$[A-Z][A-Z\d_]*@)([^/?#\s"']*)@/gi;
const parameter = /([?&;#])([\w.%-]+)=(?!\{\{\s*[\w.]+\s*\}\})([^&\s"'#;]+)/g;
const bearer = /\b(bearer(?:\s+|\.))(?!\[redacted\]|\$[A-Z][A-Z\d_]*"|\{\{\s*[\w.]+\s*\}\})[^\s,"'\]]+/gi;
// A line of a .env file, as a server that fails may show it: `JWT_SECRET=…`, `export STRIPE_KEY="…"`. Names for what is to be
// filled in are no secrets.
const setting =
  /(?:\b|(?<=\\[nrt]))((?:[A-Z][A-Z\d]*_)*(?:SECRET|TOKEN|PASSWORD|PASSWD|PWD|PASS|PASSPHRASE|KEY|CREDENTIAL|COOKIE|JWT|AUTH|SALT|DSN)S?(?:_[A-Z\d_]+)?\s?=\s?\\?["']?)(?!\$[A-Z{(]|\{\{|<|env:|\[redacted\])(?:(?<=")[^"\\\r\n]+|(?<=')[^'\\\r\n]+|[^\s"'\\]+)/g;
const shellName = /^\$[A-Z][A-Z\d_]*$/;
// The same in what was meant to be a URL: `user:password@host`, `ws:/user:password@host`.
const strayUserInformation = /[^/?#\s"'@:[\]]{1,100}:[^/?#\s"'@:[\]]{1,100}@/g;
// Messages are shown cut off: a value may have no end.
const jsonMember =
  /("[\w-]*(?:token|secret|password|passphrase|api[-_]?key|authorization|cookie|jwt)"\s*:\s*")(?!\{\{\s*[\w.]+\s*\}\}")(?:[^"\\]|\\.)*("|\\?$)/gi;
// `bearer, <token>`: browsers cannot set headers, so a credential may follow such a name in the list of subprotocols.
const credentialFollows =
  /^(bearer|token|jwt|auth|authorization|access[-_.]?token|.*[-_.](bearer|token|jwt|auth))$/i;

/** Remembers the secrets of a URL, or of what was meant to be one: user information and parameters with such names. */
export function keepUrlSecrets(url: string): void {
  const users = [...url.matchAll(userInformation)].map((match) => match[2] ?? '');
  const strays = [...url.matchAll(strayUserInformation)].map((match) => match[0].slice(0, -1));
  for (const part of [...users, ...strays].flatMap((user) => [user, ...user.split(':')])) keepDecoded(part);
  for (const [, , name = '', value = ''] of url.matchAll(parameter)) {
    if (secretParameter.test(name)) keepDecoded(value);
  }
}

/** Remembers the value of a header if its name says that it is a secret, and the credentials in it. */
export function keepHeaderSecret(name: string, value: string): void {
  if (!secretHeader.test(name)) return;
  keepSecret(value);
  if (/cookie/i.test(name)) {
    for (const pair of value.split(/;\s*/)) keepSecret(pair.slice(pair.indexOf('=') + 1));
    return;
  }
  // `Bearer <token>`; `Basic <base64 of user:password>`.
  const [, scheme = '', credential = ''] = /^(\S+)\s+(.+)$/.exec(value) ?? [];
  keepSecret(credential);
  if (/^basic$/i.test(scheme)) {
    const user = Buffer.from(credential, 'base64').toString('utf8');
    for (const part of [user, user.slice(user.indexOf(':') + 1)]) keepSecret(part);
  }
}

/** Remembers the subprotocols that carry a credential: `bearer.<token>`, and what follows a name such as `bearer`. */
export function keepSubprotocolSecrets(names: readonly string[]): void {
  names.forEach((name, index) => {
    if (credentialFollows.test(names[index - 1] ?? '')) keepSecret(name);
    const [, credential] = /^(?:.*[-_.])?(?:bearer|token|jwt|auth|authorization)\.(.+)$/i.exec(name) ?? [];
    if (credential !== undefined) keepSecret(credential);
  });
}

/** Remembers the value of a named setting, such as a variable, if its name says that it is a secret. */
export function keepNamedSecret(name: string, value: string): void {
  if (secretParameter.test(name)) keepSecret(value);
}

function keepDecoded(text: string): void {
  keepSecret(text);
  try {
    keepSecret(decodeURIComponent(text));
  } catch {
    // Not percent-encoded, then.
  }
}

/**
 * Masks everything in free text that looks like a secret: JWTs, Supabase keys, bearer credentials, header lines, the
 * user information of URLs, parameters; and every secret that {@link keepSecret} was told.
 */
export function redactText(text: string): string {
  let masked = redactOnce(text);
  // What is masked may complete what another rule looks for: `ws://bearer.?a:b@`. Results are masked again when they are
  // reported, and must not change then.
  for (let pass = 1; pass < mostPasses; pass++) {
    const again = redactOnce(masked);
    if (again === masked) break;
    masked = again;
  }
  return masked;
}

const mostPasses = 5;

function redactOnce(text: string): string {
  return maskKept(text)
    .replace(jwt, mask)
    .replace(supabaseKey, mask)
    .replace(headerLine, `$1$2${mask}`)
    .replace(setting, `$1${mask}`)
    .replace(userInformation, `$1${mask}@`)
    .replace(strayUserInformation, `${mask}@`)
    .replace(jsonMember, `$1${mask}$2`)
    .replace(bearer, `$1${mask}`)
    .replace(parameter, (whole, lead: string, name: string, value: string) =>
      secretParameter.test(name) && !shellName.test(value) ? `${lead}${name}=${mask}` : whole,
    );
}

/** Masks the secrets of a message, which may be JSON: then each of its texts by itself, so that it stays JSON. */
export function redactMessage(text: string): string {
  if (!/^\s*[[{"]/.test(text)) return redactText(text);
  const inner = text.replace(
    /"((?:[^"\\]|\\.)*)("|\\?$)/g,
    (_, content: string, end: string) => `"${redactText(content)}${end}`,
  );
  return maskKept(inner.replace(jsonMember, `$1${mask}$2`));
}

/**
 * A copy of a result in which every text went through `redact`: what was saved by another version or tool, and what came
 * from a target by a way that nobody thought of. Histograms, which are base64, are left as they are.
 */
export function redactStrings<T>(value: T, redact: (text: string) => string = redactText): T {
  return mapStrings(value, redact) as T;
}

function mapStrings(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, redact));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      maskKept(key),
      key === 'hdr' ? inner : mapStrings(inner, redact),
    ]),
  );
}

/** Masks the user information and the secret parameters of a URL. */
export function redactUrl(url: string): string {
  return redactText(url);
}

/** Masks the value of a header if its name says that it is a secret, else what looks like one in it. */
export function redactHeader(name: string, value: string): string {
  return secretHeader.test(name) ? mask : redactText(value);
}

/** Masks the value of a named setting, such as a variable, if its name says that it is a secret, else what looks like one in it. */
export function redactNamed(name: string, value: string): string {
  return secretParameter.test(name) ? mask : redactText(value);
}

/** Masks what a list of subprotocols carries as credentials: what looks like one, and what follows a name such as `bearer`. */
export function redactSubprotocols(names: readonly string[]): string[] {
  return names.map((name, index) => {
    const before = names[index - 1];
    return before !== undefined && credentialFollows.test(before) ? mask : redactText(name);
  });
}

/**
 * Whether a name says that its value is a secret: `password`, `access_token`, `Authorization`. Among request headers and
 * query parameters more names do than elsewhere.
 *
 * @param among the name of what holds it: `headers`, `query`, or anything else
 */
export function isSecretName(name: string, among = ''): boolean {
  if (/^headers?$/i.test(among)) return secretHeader.test(name);
  if (/^query$/i.test(among)) return secretParameter.test(name);
  if (among === 'auth' && name === 'value') return true;
  return secretOption.test(name) || /(passwd|pwd|credential)s?$/i.test(name);
}

/** A copy of a plan's options: values whose name says that they are secret are masked, every other string goes through {@link redactText}. */
export function redactOptions(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map(redactOptions);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        maskKept(key),
        secretOption.test(key)
          ? maskAll(inner)
          : isSubprotocols(key, inner)
            ? redactSubprotocols(inner)
            : redactOptions(inner),
      ]),
    );
  }
  return value;
}

function isSubprotocols(key: string, value: unknown): value is string[] {
  return key === 'subprotocols' && Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function maskAll(value: unknown): unknown {
  if (typeof value === 'string') return value === '' ? '' : mask;
  if (Array.isArray(value)) return value.map(maskAll);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskAll(inner)]));
  }
  return value;
}
