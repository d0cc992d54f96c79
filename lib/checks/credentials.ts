// Credentials on their way to the target, and out again: a check of what happens without a token must send none at all. Pure.
import { redactHeader, redactSubprotocols, redactUrl } from '../result/redact.ts';
import { placeToken, type TokenPlace, type Upgrade } from '../target/credential.ts';

/** An upgrade with this token at its place and whatever stood there before gone; everything else is kept. */
export function withToken(upgrade: Upgrade, place: TokenPlace, token: string): Upgrade {
  return placeToken(withoutToken(upgrade, place), place, token);
}

/**
 * An upgrade without any credential, whatever its place: what stands where tokens go, and whatever else looks like one among
 * headers, cookies, query parameters, subprotocols and the URL's user information.
 */
export function withoutCredentials(upgrade: Upgrade, place: TokenPlace): Upgrade {
  const { headers, url, subprotocols } = withoutToken(upgrade, place);
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  for (const name of [...bare.searchParams.keys()]) {
    if (isSecretParameter(name)) bare.searchParams.delete(name);
  }
  return {
    url: bare.href,
    headers: headers.filter(([name, value]) => redactHeader(name, value) === value),
    subprotocols: withoutSecrets(subprotocols),
  };
}

function withoutToken(upgrade: Upgrade, place: TokenPlace): Upgrade {
  const { headers, url, subprotocols } = upgrade;
  switch (place.in) {
    case 'header': {
      const taken = (place.name ?? 'Authorization').toLowerCase();
      return { ...upgrade, headers: headers.filter(([name]) => name.toLowerCase() !== taken) };
    }
    case 'cookie':
      return {
        ...upgrade,
        headers: headers.flatMap((header) => withoutCookie(header, place.name ?? 'token')),
      };
    case 'query': {
      const bare = new URL(url);
      bare.searchParams.delete(place.name ?? 'token');
      return { ...upgrade, url: bare.href };
    }
    case 'subprotocol': {
      const prefix = (place.value ?? 'bearer.').split('{{')[0] ?? '';
      const others = withoutSecrets(subprotocols);
      // A prefix with a comma is a subprotocol of its own, which the token's template brings along.
      const names = prefix.split(/, */).filter((name) => name !== '');
      return {
        ...upgrade,
        subprotocols: others.filter(
          (given) => !names.some((name) => (prefix.includes(',') ? given === name : given.startsWith(name))),
        ),
      };
    }
    case 'message':
      return upgrade;
  }
}

/** A Cookie header without one cookie; nothing when it held no other. RFC 6265 §4.2.1 */
function withoutCookie([name, value]: readonly [string, string], cookie: string): [string, string][] {
  if (name.toLowerCase() !== 'cookie') return [[name, value]];
  const others = value.split(/; */).filter((pair) => pair.split('=')[0]?.trim() !== cookie);
  return others.length === 0 ? [] : [[name, others.join('; ')]];
}

const isSecretParameter = (name: string): boolean => {
  const probe = `?${encodeURIComponent(name)}=x`;
  return redactUrl(probe) !== probe;
};

/** Names that are no credentials, and do not announce that one follows. */
function withoutSecrets(names: readonly string[]): string[] {
  const shown = redactSubprotocols(names);
  return names.filter((name, at) => shown[at] === name && redactSubprotocols([name, 'x'])[1] === 'x');
}
