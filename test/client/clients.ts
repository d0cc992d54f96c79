// Makes clients for tests, and closes them afterwards.
import type { TestContext } from 'node:test';
import { type Client, type ClientEvents, type ClientOptions, createClient } from '../../lib/client/index.ts';

/** A client that is closed when the test ends. Comes back quickly unless asked otherwise. */
export function clientOf(t: TestContext, url: string, options: ClientOptions = {}): Client {
  const client = createClient(url, {
    ...options,
    reconnect: { minMs: 20, maxMs: 200, ...options.reconnect },
  });
  t.after(() => client.close());
  return client;
}

/** The next such event that `wanted` accepts. */
export function next<K extends keyof ClientEvents>(
  client: Client,
  type: K,
  wanted: (event: ClientEvents[K]) => boolean = () => true,
): Promise<ClientEvents[K]> {
  return new Promise((resolve) => {
    const off = client.on(type, (event) => {
      if (!wanted(event)) return;
      off();
      resolve(event);
    });
  });
}
