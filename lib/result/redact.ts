// Secrets never reach a result, a report or a log: this is where they are masked.

const secretHeader =
  /^(authorization|proxy-authorization|cookie|set-cookie|apikey|x-api-key|.*token.*|.*secret.*)$/i;
const secretParameter = /^(apikey|api_key|key|password|secret|sig|signature|.*token.*|.*secret.*|jwt)$/i;
const jwt = /\beyJ[\w-]{4,}\.[\w-]+\.[\w-]*/g;
const supabaseKey = /\bsb_(publishable|secret)_[\w-]+/g;

const mask = '[redacted]';

/** Masks everything in free text that looks like a token: JWTs, Supabase keys, bearer credentials, query parameters. */
export function redactText(text: string): string {
  return text
    .replace(jwt, mask)
    .replace(supabaseKey, mask)
    .replace(/\b(bearer[ .])[^\s,"'\]]+/gi, `$1${mask}`)
    .replace(/([?&;])([\w.-]+)=([^&\s"'#;]+)/g, (whole, lead: string, name: string) =>
      secretParameter.test(name) ? `${lead}${name}=${mask}` : whole,
    );
}

/** Masks the user information and the secret query parameters of a URL. */
export function redactUrl(url: string): string {
  return redactText(url.replace(/^([a-z][a-z+]*:\/\/)[^/?#@]*@/i, `$1${mask}@`));
}

/** Masks the value of a header if its name says that it is a secret, else what looks like one in it. */
export function redactHeader(name: string, value: string): string {
  return secretHeader.test(name) ? mask : redactText(value);
}

/** A copy of a plan's options with every string in it masked by {@link redactText}. */
export function redactOptions(value: unknown): unknown {
  if (typeof value === 'string') return redactUrl(value);
  if (Array.isArray(value)) return value.map(redactOptions);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactOptions(inner)]));
  }
  return value;
}
