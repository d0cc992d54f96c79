// The outer form of a token: three parts in base64url (RFC 7515 §7.1).

/** The header of a token of the form that RFC 7515 §7.1 gives it, letter by letter; undefined for anything else. */
export function headerOf(token: string): { alg: string; kid?: string } | undefined {
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return undefined;
  // Spare bits of the last letter must be zero: a token has one spelling.
  const isCanonical = token
    .split('.')
    .every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
  if (!isCanonical) return undefined;
  const header: unknown = JSON.parse(decoded(token, 0));
  if (header === null || typeof header !== 'object' || !('alg' in header)) return undefined;
  const { alg, kid } = header as { alg: unknown; kid?: unknown };
  if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')) return undefined;
  return { alg, ...(kid === undefined ? {} : { kid }) };
}

/** The text of a part: 0 the header, 1 the payload. */
export function decoded(token: string, part: number): string {
  return Buffer.from(token.split('.')[part] ?? '', 'base64url').toString();
}
