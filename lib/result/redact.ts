// Secrets never reach a result, a report or a log: this is where they are masked.

const secretHeader =
  /^(authorization|proxy-authorization|cookie|set-cookie|apikey|x-api-key|.*token.*|.*secret.*)$/i;
const secretParameter = /^(apikey|api_key|key|password|secret|sig|signature|.*token.*|.*secret.*|jwt)$/i;
// Names that end in what they hold: `token`, `jwtSecret`, `api_key`; not `tokenIn`.
const secretOption = /(token|secret|password|passphrase|apikey|api[-_]key|authorization|cookie|jwt)s?$/i;
// Two dots or more: JWS and JWE.
const jwt = /eyJ[\w-]{4,}(?:\.[\w-]*){2,}/g;
const supabaseKey = /\bsb_(publishable|secret)_[\w-]+/g;
const headerLine = /\b((?:proxy-)?authorization|(?:set-)?cookie|apikey|x-api-key)(\s*:\s*)[^\r\n']+/gi;
const userInformation = /\b([a-z][a-z+]*:\/\/)[^/?#\s"']*@/gi;

const mask = '[redacted]';

/**
 * Masks everything in free text that looks like a secret: JWTs, Supabase keys, bearer credentials, header lines, the
 * user information of URLs, parameters.
 */
export function redactText(text: string): string {
  return text
    .replace(jwt, mask)
    .replace(supabaseKey, mask)
    .replace(headerLine, `$1$2${mask}`)
    .replace(userInformation, `$1${mask}@`)
    .replace(/\b(bearer(?:\s+|\.))[^\s,"'\]]+/gi, `$1${mask}`)
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

/** A copy of a plan's options: values whose name says that they are secret are masked, every other string goes through {@link redactText}. */
export function redactOptions(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map(redactOptions);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        secretOption.test(key) ? maskAll(inner) : redactOptions(inner),
      ]),
    );
  }
  return value;
}

function maskAll(value: unknown): unknown {
  if (typeof value === 'string') return value === '' ? '' : mask;
  if (Array.isArray(value)) return value.map(maskAll);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskAll(inner)]));
  }
  return value;
}
