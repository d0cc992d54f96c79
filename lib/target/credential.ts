// Where a token is put on its way to the target. Pure.

import { WsbenchError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { headerTrouble, subprotocolTrouble } from './headers.ts';
import { withParameter } from './query.ts';
import { type CredentialPlace, credentialPlaces, type Target } from './target.ts';
import { placeholdersIn, substitute } from './template.ts';

/** What an upgrade is made of. */
export interface Upgrade {
  url: string;
  headers: readonly (readonly [string, string])[];
  subprotocols: readonly string[];
}

/** Where a token goes: a place, and the name or template that goes with it. */
export interface TokenPlace {
  in: CredentialPlace;
  name?: string | undefined;
  value?: string | undefined;
}

const names: Partial<Record<CredentialPlace, string>> = {
  header: 'Authorization',
  query: 'token',
  cookie: 'token',
};

/** The place that a target's description names: a bearer token in the header unless it says otherwise. */
export function tokenPlaceOf(target: Target | null): TokenPlace {
  return target?.auth ?? { in: 'header' };
}

/**
 * An upgrade with a token put where it goes, in place of what stood there. With the place `message`, or without a token, it is
 * the upgrade as it was. Cookies and query parameters beside it are kept.
 *
 * @throws WsbenchError `USAGE` for a token with characters that its place cannot carry
 */
export function placeToken(upgrade: Upgrade, place: TokenPlace, token: string | undefined): Upgrade {
  if (token === undefined || place.in === 'message') return upgrade;
  const name = place.name ?? names[place.in] ?? '';
  const template = place.value ?? standardForm(place.in, name);
  const value = String(substitute(template, (asked) => tokenForm(asked, token)));
  if (place.in === 'query') return { ...upgrade, url: withParameter(upgrade.url, name, value) };
  if (place.in === 'subprotocol') {
    // The credential goes last: servers select the first subprotocol that they know, and that must be a real one.
    const offered = listed(value).filter((one) => !upgrade.subprotocols.includes(one));
    if (offered.some(subprotocolTrouble))
      fail(place, 'a subprotocol cannot carry; {{ token.base64url }} always can');
    return { ...upgrade, subprotocols: [...upgrade.subprotocols, ...offered] };
  }
  if (headerTrouble(name, value)) fail(place, 'a header cannot carry');
  if (place.in === 'header') {
    const others = upgrade.headers.filter(([header]) => header.toLowerCase() !== name.toLowerCase());
    return { ...upgrade, headers: [...others, [name, value]] };
  }
  if (/[;,\s"\\]/.test(value)) fail(place, 'a cookie cannot carry');
  const others = upgrade.headers.flatMap((header) => withoutCookie(header, name));
  return { ...upgrade, headers: [...others, ['Cookie', `${name}=${value}`]] };
}

/** What is put at a place unless the target's description says so. */
function standardForm(place: CredentialPlace, name: string): string {
  if (place === 'subprotocol') return 'bearer.{{ token }}';
  return place === 'header' && name.toLowerCase() === 'authorization' ? 'Bearer {{ token }}' : '{{ token }}';
}

function fail(place: TokenPlace, why: string): never {
  throw new WsbenchError('USAGE', `the token (in: ${place.in}) has characters that ${why}`);
}

/** A header, without the cookie of a name if it is one of cookies; none when nothing else is left. */
function withoutCookie([header, value]: readonly [string, string], name: string): [string, string][] {
  if (header.toLowerCase() !== 'cookie') return [[header, value]];
  const others = value.split(/;\s*/).filter((cookie) => cookie !== '' && cookie.split('=')[0] !== name);
  return others.length === 0 ? [] : [[header, others.join('; ')]];
}

/** What a placeholder makes of a token: `{{ token }}`, or `{{ token.base64url }}` as Kubernetes wants it in a subprotocol. */
export function tokenForm(name: string, token: string): string | undefined {
  if (name === 'token') return token;
  return name === 'token.base64url' ? Buffer.from(token).toString('base64url') : undefined;
}

/**
 * Reads what `--token-in` says: `header[:Name]`, `query[:name]`, `cookie[:name]`, `subprotocol[:prefix]` (a prefix that ends in a
 * comma makes the token a subprotocol of its own) or `message[:template]`.
 *
 * @throws WsbenchError `USAGE` for a place that is none
 */
export function parseTokenPlace(text: string): TokenPlace {
  const colon = text.indexOf(':');
  const place = colon < 0 ? text : text.slice(0, colon);
  const rest = colon < 0 ? '' : text.slice(colon + 1);
  const known = credentialPlaces.find((name) => name === place);
  // What stands there may be the token.
  if (!known) {
    const near = nearest(place, credentialPlaces);
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    throw new WsbenchError('USAGE', `--token-in takes one of ${credentialPlaces.join(', ')}${hint}`);
  }
  if (colon < 0) return { in: known };
  const wrong = (why: string): never => {
    throw new WsbenchError('USAGE', `--token-in ${known}: ${why}; write it like ${forms[known]}`);
  };
  if (rest === '') wrong('nothing follows the colon');
  const placeholders = placeholdersIn(rest);
  const holdsToken = placeholders.some(({ name }) => /^token(\.base64url)?$/.test(name));
  if (known === 'message')
    return holdsToken ? { in: known, value: rest } : wrong('the message must hold {{ token }}');
  if (known === 'subprotocol') {
    if (placeholders.length > 0 && !holdsToken) wrong('the template must hold {{ token }}');
    const value = holdsToken ? rest : `${rest}{{ token }}`;
    if (listed(value).some(subprotocolTrouble)) wrong('a subprotocol has no such characters');
    return { in: known, value };
  }
  if (placeholders.length > 0) wrong('what follows the colon is a name');
  if (known !== 'query' && headerTrouble(rest, '')) wrong(`"${rest}" is no name that a ${known} can have`);
  return { in: known, name: rest };
}

const forms: Record<CredentialPlace, string> = {
  header: 'header:X-Api-Key',
  query: 'query:access_token',
  cookie: 'cookie:session',
  subprotocol: 'subprotocol:bearer. (a prefix)',
  message: `'message:{"token":"{{ token }}"}'`,
};

/** The subprotocols of a list, as they are offered. */
const listed = (value: string): string[] => value.split(/\s*,\s*/).filter((one) => one !== '');
