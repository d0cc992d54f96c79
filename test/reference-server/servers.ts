// Starts reference servers for tests and stops them afterwards.
import type { TestContext } from 'node:test';
import { type Guards, guards } from '../../reference-server/guards.ts';
import { createServer, type ReferenceServer, type ServerOptions } from '../../reference-server/index.ts';
import { createGuarded } from '../../reference-server/server.ts';

/** A server that listens, without rate limits unless asked, and is closed when the test ends. */
export async function listening(t: TestContext, options: ServerOptions = {}): Promise<ReferenceServer> {
  const server = await createServer({ limits: 'off', drainTimeoutMs: 1000, ...options });
  t.after(() => server.close());
  await server.listen();
  return server;
}

/** As {@link listening}, with some guards taken away: an attack that is defended against must work here, or its test shows nothing. */
export async function unguarded(
  t: TestContext,
  without: Partial<Guards>,
  options: ServerOptions = {},
): Promise<ReferenceServer> {
  const server = await createGuarded(
    { limits: 'off', drainTimeoutMs: 1000, ...options },
    { ...guards, ...without },
  );
  t.after(() => server.close());
  await server.listen();
  return server;
}
