// What both entries share: a client out of an address, options, and the parts of the platform.
import { Client, type ClientParts } from './client.ts';
import { systemClock } from './clock.ts';
import { ClientError } from './errors.ts';
import { type ClientOptions, resolveOptions } from './options.ts';
import { Pool } from './pool.ts';
import { type PoolOptions, resolvePool } from './pool-options.ts';

/**
 * Makes a client that does nothing yet.
 *
 * @throws ClientError `USAGE` when the address or an option is wrong
 */
export function create(
  url: string | URL,
  options: ClientOptions,
  parts: Pick<ClientParts, 'transport' | 'connectivity'> & Partial<ClientParts>,
): Client {
  return new Client(addressOf(url), resolveOptions(options, parts.transport.canSendHeaders), {
    clock: systemClock,
    chance: Math.random,
    newId: idMaker(),
    ...parts,
  });
}

/**
 * Makes a pool that does nothing yet.
 *
 * @throws ClientError `USAGE` when the address or an option is wrong
 */
export function pool(
  url: string | URL,
  options: PoolOptions,
  parts: Pick<ClientParts, 'transport' | 'connectivity'>,
): Pool {
  const newClient = (chance: () => number): Client => create(url, options.client ?? {}, { ...parts, chance });
  const resolved = resolvePool(options);
  // A mistake is told here, and not by the first member.
  void newClient(Math.random).close();
  return new Pool(resolved, { clock: systemClock, chance: Math.random, newClient });
}

function addressOf(url: string | URL): string {
  let address: URL;
  try {
    address = new URL(url);
  } catch (cause) {
    throw new ClientError('USAGE', 'url: not an address such as wss://service.example/ws', { cause });
  }
  if (!['ws:', 'wss:'].includes(address.protocol) || address.hash !== '') {
    throw new ClientError('USAGE', 'url: begins with ws:// or wss:// and has no #fragment');
  }
  return address.href;
}

/** The server remembers ids by subject, and a subject may have many clients: 96 random bits keep them apart. */
function idMaker(): () => string {
  const prefix = [...crypto.getRandomValues(new Uint8Array(12))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  let count = 0;
  return () => `${prefix}-${(count++).toString(36)}`;
}
