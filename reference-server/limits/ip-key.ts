// The key under which an address is limited.
import { isIPv6 } from 'node:net';

/** An IPv4 address as it is (also when mapped into IPv6), an IPv6 address as its /64: one household, one key. */
export function ipKey(address: string | undefined): string {
  // A socket that is gone already has no address.
  if (address === undefined) return 'unknown';
  const plain = plainAddress(address);
  if (!isIPv6(plain)) return plain;
  const prefix = groupsOf(plain).slice(0, 4);
  return `${prefix.map((group) => group.toString(16)).join(':')}::/64`;
}

/** In small letters, without a zone, and as IPv4 where it is that mapped into IPv6. What is no address stays what it is. */
export function plainAddress(address: string): string {
  const bare = (address.split('%', 1)[0] ?? '').toLowerCase();
  if (!isIPv6(bare)) return bare;
  const groups = groupsOf(bare);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped) return bare;
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const quad = /(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address);
  const [a = 0, b = 0, c = 0, d = 0] = quad?.slice(1).map(Number) ?? [];
  const hex = quad
    ? `${address.slice(0, quad.index)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
    : address;
  const [head = '', tail] = hex.split('::', 2);
  const read = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const left = read(head);
  const right = read(tail ?? '');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<number>(zeros).fill(0), ...right];
}
