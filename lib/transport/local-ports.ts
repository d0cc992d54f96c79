// Own choice of local addresses and ports: a bind to port 0 searches longer the more ports are in use.
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { WsbenchError } from '../errors.ts';

/** A local address and port. */
export interface LocalEnd {
  address: string;
  port: number;
}

/** Ports from first to last. */
export interface PortRange {
  first: number;
  last: number;
}

/** All that are not for well-known services. */
export const allPorts: PortRange = { first: 10_000, last: 65_535 };

/** The ports of one address that we use ourselves. */
interface Pool {
  address: string;
  used: Uint8Array;
  /** Where the next search begins: what was freed longest ago comes first, as closed ports rest for a minute. */
  next: number;
  free: number;
}

/** Hands out local ends, one address after another, each as long as it has ports that we do not use. */
export class LocalPorts {
  readonly #range: PortRange;
  readonly #pools: Pool[];
  #turn = 0;

  /**
   * @param start how far into the range to begin: processes that share addresses should begin at different places
   * @param isOwn whether an address is of this machine
   * @throws WsbenchError `USAGE` for what is no address of this machine, or no range
   */
  constructor(
    addresses: readonly string[],
    range: PortRange = allPorts,
    start = 0,
    isOwn: (address: string) => boolean = isOwnAddress,
  ) {
    const size = range.last - range.first + 1;
    if (!(range.first >= 1 && range.last <= 65_535 && size >= 1)) {
      throw new WsbenchError('USAGE', `${range.first}–${range.last} is no range of ports`);
    }
    if (addresses.length === 0)
      throw new WsbenchError('USAGE', 'a list of local addresses must not be empty');
    const foreign = addresses.find((address) => isIP(address) === 0 || !isOwn(address));
    if (foreign !== undefined) {
      throw new WsbenchError('USAGE', `${foreign} is no address of this machine: name one that it has`);
    }
    this.#range = range;
    this.#pools = [...new Set(addresses)].map((address) => ({
      address,
      used: new Uint8Array(size),
      next: start % size,
      free: size,
    }));
  }

  /** All ends that there are, used or not. */
  get size(): number {
    return this.#pools.length * (this.#range.last - this.#range.first + 1);
  }

  /** The next one; undefined when we use them all. Whether somebody else uses it shows when it is bound. */
  take(): LocalEnd | undefined {
    for (let tried = 0; tried < this.#pools.length; tried++) {
      const pool = this.#pools[this.#turn++ % this.#pools.length];
      if (!pool || pool.free === 0) continue;
      const size = pool.used.length;
      while (pool.used[pool.next] === 1) pool.next = (pool.next + 1) % size;
      const index = pool.next;
      pool.used[index] = 1;
      pool.free--;
      pool.next = (index + 1) % size;
      return { address: pool.address, port: this.#range.first + index };
    }
    return undefined;
  }

  /** Gives one back. */
  release({ address, port }: LocalEnd): void {
    const pool = this.#pools.find((each) => each.address === address);
    const index = port - this.#range.first;
    if (pool?.used[index] !== 1) return;
    pool.used[index] = 0;
    pool.free++;
  }

  /** `127.0.0.1:10000–65535 and 127.0.0.2:10000–65535` */
  describe(): string {
    const { first, last } = this.#range;
    const ports = first === last ? `${first}` : `${first}–${last}`;
    return this.#pools
      .map(({ address }) => `${isIP(address) === 6 ? `[${address}]` : address}:${ports}`)
      .join(' and ');
  }
}

function isOwnAddress(address: string): boolean {
  // All of 127/8 belongs to the loopback interface, though it lists one address. RFC 1122 §3.2.1.3
  if (/^127\./.test(address)) return true;
  return Object.values(networkInterfaces()).some((own) => own?.some((each) => each.address === address));
}
