// Where a handshake may carry its credential: header, subprotocol, cookie, query. Pure.
import type { IncomingMessage } from 'node:http';

/** The subprotocol that the server speaks. Credentials stand beside it and are never selected. */
export const subprotocol = 'wsbench.v1';

/** A credential as found: a token, or something that is none and why. */
export type Credential = { token: string } | { malformed: string };

/** What counts as a credential beside headers and subprotocols. */
export interface CredentialRules {
  /** Origins whose pages may use the cookie; without the list a cookie is no credential. */
  allowedOrigins: readonly string[] | undefined;
  /** Whether a token in the query is taken; it is refused otherwise, not overlooked. */
  allowQueryToken: boolean;
}

/** The parts of a request that are looked at. */
export type Handshake = Pick<IncomingMessage, 'headers' | 'headersDistinct' | 'url'>;

const kubernetesPrefix = 'base64url.bearer.authorization.k8s.io.';
const queryNames = ['token', 'access_token', 'apikey'];

/** Every credential of a handshake, wherever it stands. More than one is more than a handshake may have. */
export function credentialsOf(request: Handshake, rules: CredentialRules): Credential[] {
  return [
    ...ofHeader(request),
    ...ofSubprotocols(request),
    ...ofCookies(request, rules),
    ...ofQuery(request, rules),
  ];
}

/** Node keeps the first of several Authorization headers; the others are credentials, too. */
function ofHeader({ headersDistinct }: Handshake): Credential[] {
  return (headersDistinct.authorization ?? []).map((value) => {
    const token = /^Bearer +([^\s,]+) *$/i.exec(value)?.[1];
    return token === undefined
      ? { malformed: 'the Authorization header must be: Bearer <token>' }
      : { token };
  });
}

/** `bearer.<token>`, `bearer, <token>`, or the form of Kubernetes with the token in base64url. */
function ofSubprotocols({ headers }: Handshake): Credential[] {
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  const found: Credential[] = [];
  for (let index = 0; index < offered.length; index++) {
    const name = offered[index] ?? '';
    // Whoever writes Bearer means it: a credential is judged, not overlooked.
    const form = name.toLowerCase();
    if (form === 'bearer') {
      const token = offered[++index];
      found.push(
        token === undefined || token === '' || token === subprotocol
          ? { malformed: 'in Sec-WebSocket-Protocol the token must follow bearer' }
          : { token },
      );
    } else if (form.startsWith('bearer.')) {
      found.push({ token: name.slice('bearer.'.length) });
    } else if (form.startsWith(kubernetesPrefix)) {
      found.push(decoded(name.slice(kubernetesPrefix.length)));
    }
  }
  return found;
}

function decoded(text: string): Credential {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text && text !== ''
    ? { token: bytes.toString() }
    : { malformed: 'the token in Sec-WebSocket-Protocol must be in base64url, without padding' };
}

/**
 * The cookie `token`. Browsers send cookies along with the handshakes of any page, so that a cookie proves nothing without an
 * Origin that is on the list (cross-site WebSocket hijacking).
 */
function ofCookies({ headersDistinct }: Handshake, { allowedOrigins }: CredentialRules): Credential[] {
  if (allowedOrigins === undefined) return [];
  const pairs = (headersDistinct.cookie ?? []).flatMap((line) => line.split(';'));
  return pairs.flatMap((pair): Credential[] => {
    const [name = '', ...value] = pair.split('=');
    if (name.trim() !== 'token') return [];
    return isAllowedOrigin(headersDistinct.origin, allowedOrigins)
      ? [
          {
            token: value
              .join('=')
              .trim()
              .replace(/^"(.*)"$/, '$1'),
          },
        ]
      : [{ malformed: 'a cookie is taken only with an Origin that is allowed' }];
  });
}

function ofQuery({ url = '' }: Handshake, { allowQueryToken }: CredentialRules): Credential[] {
  const start = url.indexOf('?');
  if (start < 0) return [];
  return [...new URLSearchParams(url.slice(start + 1))]
    .filter(([name]) => queryNames.includes(name.toLowerCase()))
    .map(([, token]) =>
      allowQueryToken
        ? { token }
        : { malformed: 'tokens in the URL are switched off here: use the Authorization header' },
    );
}

/** Whether the Origin headers of a request are exactly one that is on the list. */
export function isAllowedOrigin(origins: readonly string[] | undefined, allowed: readonly string[]): boolean {
  const [origin, ...more] = origins ?? [];
  return origin !== undefined && more.length === 0 && allowed.includes(origin);
}

/**
 * An origin as browsers send it: scheme and authority, without the scheme's own port. Undefined for what is none; `null`, which
 * any sandboxed page has, and `*` are none.
 */
export function originOf(text: string): string | undefined {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^/?#\s,*@]+\/?$/i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  // Schemes that the standard does not list (apps, extensions) have no origin of their own there.
  return url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin;
}
