// Local ports: each connection to one address and port takes one, and closed connections hold theirs for a minute.
import { BlockList, isIP } from 'node:net';
import type { MachineFiles } from './files.ts';

/** The local ports that the system chooses from. */
export interface PortRange {
  first: number;
  last: number;
  /** How many of the range it never gives out. */
  reserved: number;
}

/** Where connections go. */
export interface Destination {
  /** IP addresses. */
  addresses: readonly string[];
  port: number;
}

/** Local ports that are taken. */
export interface TakenPorts {
  /** By connections that are there. */
  inUse: number;
  /** By closed ones, which hold them for a minute (TIME_WAIT). */
  timeWait: number;
}

/** The range of the system; undefined: unknown. */
export function portRange(files: MachineFiles): PortRange | undefined {
  const bounds = /^(\d+)\s+(\d+)/.exec(files.read('/proc/sys/net/ipv4/ip_local_port_range') ?? '');
  if (!bounds) return undefined;
  const [first, last] = [Number(bounds[1]), Number(bounds[2])];
  const reserved = countWithin(files.read('/proc/sys/net/ipv4/ip_local_reserved_ports') ?? '', first, last);
  return { first, last, reserved };
}

/** Ports of a range that a list such as `8080,9148-9150` holds. */
function countWithin(list: string, first: number, last: number): number {
  let count = 0;
  for (const [, from = '', to = from] of list.matchAll(/(\d+)(?:-(\d+))?/g)) {
    count += Math.max(0, Math.min(last, Number(to)) - Math.max(first, Number(from)) + 1);
  }
  return count;
}

/** Whether the kernel gives a port in TIME_WAIT to a new connection to the same destination. */
export function reusesTimeWait(files: MachineFiles, { addresses }: Pick<Destination, 'addresses'>): boolean {
  const setting = files.read('/proc/sys/net/ipv4/tcp_tw_reuse')?.trim();
  // 2, the default since Linux 4.19: on the loopback interface only.
  return setting === '1' || (setting === '2' && addresses.every((address) => loopback.has(address)));
}

/** The local ports that connections to a destination hold. */
export function takenPorts(files: MachineFiles, { addresses, port }: Destination): TakenPorts {
  const wanted = new BlockList();
  for (const address of addresses) {
    const family = isIP(address);
    if (family !== 0) wanted.addAddress(address, family === 4 ? 'ipv4' : 'ipv6');
  }
  const taken = { inUse: 0, timeWait: 0 };
  for (const table of [files.read('/proc/net/tcp'), files.read('/proc/net/tcp6')]) {
    for (const [, remote = '', remotePort = '', state = ''] of (table ?? '').matchAll(entry)) {
      if (Number.parseInt(remotePort, 16) !== port) continue;
      const address = addressOf(remote);
      if (!wanted.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')) continue;
      if (state === '06') taken.timeWait++;
      else taken.inUse++;
    }
  }
  return taken;
}

/** Sockets of this machine in TIME_WAIT, whatever they were connected to; undefined: unknown. */
export function timeWaitSockets(files: MachineFiles): number | undefined {
  const count = /^TCP:.*\btw (\d+)/m.exec(files.read('/proc/net/sockstat') ?? '')?.[1];
  return count === undefined ? undefined : Number(count);
}

const loopback = {
  has: (address: string): boolean => /^127\./.test(address) || address === '::1',
};

// `  0: 0100007F:1F90 0100007F:C350 06 …`: number, local end, remote end, state.
const entry = /^\s*\d+: [\dA-F]+:[\dA-F]{4} ([\dA-F]{8}|[\dA-F]{32}):([\dA-F]{4}) ([\dA-F]{2}) /gm;

/** The address of an entry: words of 32 bits as this machine stores them, which on what Node runs on is little endian. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  const mapped = bytes.subarray(0, 12).toString('hex') === '00000000000000000000ffff';
  if (mapped) return bytes.subarray(12).join('.');
  return bytes.toString('hex').replace(/(.{4})(?!$)/g, '$1:');
}
