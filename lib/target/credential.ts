// Where a token is put on its way to the target. Pure.

import { WsbenchError } from '../errors.ts';
import { type CredentialPlace, credentialPlaces, type Target } from './target.ts';
import { substitute } from './template.ts';

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
 */
export function placeToken(upgrade: Upgrade, place: TokenPlace, token: string | undefined): Upgrade {
  if (token === undefined || place.in === 'message') return upgrade;
  const name = place.name ?? names[place.in] ?? '';
  const template =
    place.value ??
    { header: 'Bearer {{ token }}', subprotocol: 'bearer.{{ token }}' }[place.in as string] ??
    '{{ token }}';
  const value = String(substitute(template, (asked) => tokenForm(asked, token)));
  const others = upgrade.headers.filter(([header]) => header.toLowerCase() !== name.toLowerCase());
  if (place.in === 'header') return { ...upgrade, headers: [...others, [name, value]] };
  if (place.in === 'cookie')
    return { ...upgrade, headers: [...upgrade.headers, ['Cookie', `${name}=${value}`]] };
  if (place.in === 'query') {
    const url = new URL(upgrade.url);
    url.searchParams.set(name, value);
    return { ...upgrade, url: url.href };
  }
  // The credential goes last: servers select the first subprotocol that they know, and that must be a real one.
  return { ...upgrade, subprotocols: [...upgrade.subprotocols, ...value.split(/, */)] };
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
  if (!known) {
    throw new WsbenchError('USAGE', `--token-in: "${place}" is none of ${credentialPlaces.join(', ')}`);
  }
  if (rest === '') return { in: known };
  if (known === 'subprotocol') return { in: known, value: rest.includes('{{') ? rest : `${rest}{{ token }}` };
  if (known !== 'message') return { in: known, name: rest };
  if (rest.includes('{{ token }}')) return { in: known, value: rest };
  throw new WsbenchError('USAGE', '--token-in message: the message must hold {{ token }}');
}
