// Secrets that a target file holds itself, remembered to be masked wherever they turn up.
import { isSecretName, keepSecret } from '../result/redact.ts';

/** Remembers every text of a target whose name says that it is secret: `password`, `Authorization`, … */
export function keepSecretsOf(value: unknown, secret = false, parent = ''): void {
  if (typeof value === 'string') {
    // With a placeholder in it, it is the value of that that matters.
    if (secret && !value.includes('{{')) for (const part of partsOf(value)) keepSecret(part);
  } else if (Array.isArray(value)) {
    for (const item of value) keepSecretsOf(item, secret, parent);
  } else if (value !== null && typeof value === 'object') {
    for (const [name, inner] of Object.entries(value)) {
      keepSecretsOf(inner, secret || isSecretName(name, parent), name);
    }
  }
}

/** The text, and what stands behind a scheme or a cookie's name: `Bearer x`, `session=x`. */
function partsOf(text: string): string[] {
  const [, bare] = /^[\w-]+[ =]([^\s;=]+)$/.exec(text) ?? [];
  return bare === undefined ? [text] : [text, bare];
}
