// Starts reference servers for tests and stops them afterwards.
import type { TestContext } from 'node:test';
import { createServer, type ReferenceServer, type ServerOptions } from '../../reference-server/index.ts';

/** A server that listens, without rate limits unless asked, and is closed when the test ends. */
export async function listening(t: TestContext, options: ServerOptions = {}): Promise<ReferenceServer> {
  const server = await createServer({ limits: 'off', drainTimeoutMs: 1000, ...options });
  t.after(() => server.close());
  await server.listen();
  return server;
}
