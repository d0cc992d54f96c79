// Looking up host names for many connections at once.
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';

type LookupCallback = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;
/** What `net.connect` takes as its `lookup`. */
export type Lookup = (
  host: string,
  options: LookupOptions,
  callback: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
) => void;

/**
 * Resolves each name once: lookups go through a pool of four threads, so that thousands of them would delay the
 * connects they are timed with. A lookup that failed is tried again by the next connection.
 */
export function sharedLookup(): Lookup {
  const known = new Map<string, LookupAddress[]>();
  const waiting = new Map<string, LookupCallback[]>();
  const resolve = (host: string, callback: LookupCallback): void => {
    const addresses = known.get(host);
    const queue = waiting.get(host);
    if (addresses) process.nextTick(callback, null, addresses);
    else queue?.push(callback);
    if (addresses || queue) return;
    const callbacks = [callback];
    waiting.set(host, callbacks);
    lookup(host, { all: true }, (error, found) => {
      waiting.delete(host);
      if (!error) known.set(host, found);
      for (const call of callbacks) call(error, found);
    });
  };
  return (host, options, callback) =>
    resolve(host, (error, found) => {
      const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : (options.family ?? 0);
      const usable = error ? [] : found.filter((address) => family === 0 || address.family === family);
      if (error) return callback(error, []);
      if (options.all) return callback(null, usable);
      const [first] = usable;
      if (first) return callback(null, first.address, first.family);
      callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }), []);
    });
}
