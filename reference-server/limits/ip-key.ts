// The key under which an address is limited.
import { isIPv6 } from 'node:net';

/** An IPv4 address as it is (also when mapped into IPv6), an IPv6 address as its /64: one household, one key. */
export function ipKey(address: string | undefined): string {
  // A socket that is gone already has no address.
  if (address === undefined) return 'unknown';
  const bare = (address.split('%', 1)[0] ?? '').toLowerCase();
  if (!isIPv6(bare)) return bare;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare);
  if (mapped?.[1]) return mapped[1];
  const [head = '', tail] = bare.split('::', 2);
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - groupsOf(right));
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  const prefix = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${prefix.join(':')}::/64`;
}

/** A dotted quad at the end stands for two groups. */
function groupsOf(groups: readonly string[]): number {
  return groups.length + (groups.at(-1)?.includes('.') ? 1 : 0);
}
