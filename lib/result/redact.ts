// Secrets never reach a result, a report or a log: this is where they are masked.

// Too much masked costs a reader little, too little costs a secret: X-Custom-Auth and X-Session count.
const secretHeader = /auth|cookie|token|secret|passw|credential|session|signature|jwt|key$/i;
const secretParameter =
  /auth|token|secret|passw|credential|session|signature|jwt|key$|^(pass|pw|pwd|sig|sid|code|ticket|otp)$/i;
// Names that end in what they hold: `token`, `jwtSecret`, `api_key`; not `tokenIn`.
const secretOption = /(token|secret|password|passphrase|apikey|api[-_]key|authorization|cookie|jwt)s?$/i;
// Two dots or more: JWS and JWE.
const jwt = /eyJ[\w-]{4,}(?:\.[\w-]*){2,}/g;
const supabaseKey = /\bsb_(publishable|secret)_[\w-]+/g;
const headerLine = /\b((?:proxy-)?authorization|(?:set-)?cookie|apikey|x-api-key)(\s*:\s*)[^\r\n']+/gi;
const userInformation = /\b([a-z][a-z+]*:\/\/)[^/?#\s"']*@/gi;
// The same in what was meant to be a URL: `user:password@host`, `ws:/user:password@host`.
const strayUserInformation = /[^/?#\s"'@:[\]]{1,100}:[^/?#\s"'@:[\]]{1,100}@/g;
const jsonMember =
  /("[\w-]*(?:token|secret|password|passphrase|api[-_]?key|authorization|cookie|jwt)"\s*:\s*")(?:[^"\\]|\\.)*"/gi;
// `bearer, <token>`: browsers cannot set headers, so a credential may follow such a name in the list of subprotocols.
const credentialFollows =
  /^(bearer|token|jwt|auth|authorization|access[-_.]?token|.*[-_.](bearer|token|jwt|auth))$/i;

const mask = '[redacted]';

// Shorter ones would mask ordinary words.
const shortestSecret = 6;
const kept = new Set<string>();

/**
 * Remembers a secret that this process was given, so that {@link redactText} masks it wherever it turns up, whatever it looks
 * like: a target may send it back. Its forms in URLs, JSON and base64url are masked too.
 */
export function keepSecret(value: string): void {
  const escaped = JSON.stringify(value).slice(1, -1);
  for (const form of [value, encodeURIComponent(value), escaped, Buffer.from(value).toString('base64url')]) {
    if (form.length >= shortestSecret) kept.add(form);
  }
}

function maskKept(text: string): string {
  let masked = text;
  for (const secret of kept) if (masked.includes(secret)) masked = masked.replaceAll(secret, mask);
  return masked;
}

/**
 * Masks everything in free text that looks like a secret: JWTs, Supabase keys, bearer credentials, header lines, the
 * user information of URLs, parameters.
 */
export function redactText(text: string): string {
  return maskKept(text)
    .replace(jwt, mask)
    .replace(supabaseKey, mask)
    .replace(headerLine, `$1$2${mask}`)
    .replace(userInformation, `$1${mask}@`)
    .replace(strayUserInformation, `${mask}@`)
    .replace(jsonMember, `$1${mask}"`)
    .replace(/\b(bearer(?:\s+|\.))(?!\[redacted\])[^\s,"'\]]+/gi, `$1${mask}`)
    .replace(/([?&;#])([\w.-]+)=([^&\s"'#;]+)/g, (whole, lead: string, name: string) =>
      secretParameter.test(name) ? `${lead}${name}=${mask}` : whole,
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

/** Masks the value of a query parameter if its name says that it is a secret, else what looks like one in it. */
export function redactParameter(name: string, value: string): string {
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
        key,
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
