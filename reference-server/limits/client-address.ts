// Whose request it is: the peer's, or where the peer is a proxy that we trust, that of whom it names.
import { BlockList, isIP } from 'node:net';
import { WsbenchError } from '../../lib/errors.ts';
import { plainAddress } from './ip-key.ts';

/** Proxies whose word is taken. */
export type TrustedProxies = BlockList;

/**
 * Reads addresses and networks such as `10.0.0.0/8`.
 *
 * @throws WsbenchError `CONFIG` when one is neither, or is everybody
 */
export function trustedProxiesOf(names: readonly string[]): TrustedProxies {
  const proxies = new BlockList();
  for (const name of names) {
    const [text = '', bits, more] = name.split('/');
    const address = plainAddress(text);
    const family = isIP(address);
    const most = family === 6 ? 128 : 32;
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : 0;
    if (family === 0 || more !== undefined || prefix < 1 || prefix > most) {
      throw new WsbenchError(
        'CONFIG',
        `trusted proxies: "${name}" is neither an address nor a network like 10.0.0.0/8`,
      );
    }
    proxies.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  }
  return proxies;
}

/**
 * The right-most address of X-Forwarded-For that no trusted proxy has: each proxy adds whom it hears from at the right, so what stands
 * left of that is what the client says of itself. Anything else than an address ends the search at the proxy that said it.
 */
export function clientAddress(
  peer: string | undefined,
  forwarded: string | readonly string[] | undefined,
  trusted: TrustedProxies | undefined,
): string | undefined {
  if (peer === undefined || !trusted) return peer;
  let known = plainAddress(peer);
  const hops = [forwarded ?? []].flat().join(',').split(',').reverse();
  for (const hop of hops) {
    if (!isTrusted(known, trusted)) return known;
    const address = plainAddress(withoutPort(hop.trim()));
    if (isIP(address) === 0) return known;
    known = address;
  }
  return known;
}

function isTrusted(address: string, trusted: TrustedProxies): boolean {
  const family = isIP(address);
  return family !== 0 && trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** Some proxies add the port: `192.0.2.7:443`, `[2001:db8::1]:443`. */
function withoutPort(hop: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(hop);
  if (bracketed) return bracketed[1] ?? '';
  return /^([^:]*):\d{1,5}$/.exec(hop)?.[1] ?? hop;
}
