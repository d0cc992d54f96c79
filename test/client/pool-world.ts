// A pool in a simulated world: every member has a server of its own in memory, so that each can fail alone.
import { Client } from '../../lib/client/client.ts';
import type { Lease, PoolEvents, PoolOptions } from '../../lib/client/index.ts';
import { resolveOptions } from '../../lib/client/options.ts';
import { Pool } from '../../lib/client/pool.ts';
import { resolvePool } from '../../lib/client/pool-options.ts';
import { FakeClock } from '../reference-server/fake-clock.ts';
import { type Door, ModelServer } from './model-server.ts';

const names = ['added', 'removed', 'ejected', 'returned', 'statistics', 'closed'] as const;

/** Everything that has run is over. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A pool and what it stands in. */
export class PoolWorld {
  readonly clock = new FakeClock();
  readonly pool: Pool;
  /** By member, the newest that had the number. */
  readonly servers = new Map<number, ModelServer>();
  readonly events: { name: keyof PoolEvents; atMs: number; member?: number; outMs?: number }[] = [];
  /** How the next members' connects go. */
  door: Door = 'open';
  /** Members that there are, and the most that there ever were. */
  members = 0;
  mostMembers = 0;
  #made: ModelServer | undefined;

  constructor(options: PoolOptions) {
    const { clock } = this;
    let ids = 0;
    this.pool = new Pool(resolvePool(options), {
      clock,
      chance: () => 0.5,
      newClient: (chance) => {
        const server = new ModelServer(clock);
        server.wantsTokens = false;
        server.door = this.door;
        this.#made = server;
        const parts = { transport: server.transport, newId: () => `id-${ids++}`, connectivity: undefined };
        return new Client('ws://model.example/', resolveOptions(options.client ?? {}, true), {
          clock,
          chance,
          ...parts,
        });
      },
    });
    for (const name of names) {
      this.pool.on(name, (event) => this.events.push({ name, atMs: clock.nowMs(), ...event }));
    }
    this.pool.on('added', ({ member }) => {
      if (this.#made) this.servers.set(member, this.#made);
      this.members += 1;
      this.mostMembers = Math.max(this.mostMembers, this.members);
    });
    this.pool.on('removed', () => {
      this.members -= 1;
    });
  }

  /** Time passes, in steps, so that promises get their turn. */
  async wait(ms: number, stepMs = 20): Promise<void> {
    await settled();
    for (let left = ms; left > 0; left -= stepMs) {
      this.clock.advance(Math.min(left, stepMs));
      await settled();
    }
  }

  /** A pool whose `min` members serve. */
  static async serving(options: PoolOptions): Promise<PoolWorld> {
    const world = new PoolWorld(options);
    const connected = world.pool.connect();
    await world.wait(40);
    await connected;
    return world;
  }

  /** Closes the pool, with the time that its members' close frames take. */
  async close(options: { timeoutMs?: number } = {}): Promise<void> {
    const closed = this.pool.close(options);
    await this.wait(80);
    await closed;
  }

  server(member: number): ModelServer {
    const server = this.servers.get(member);
    if (!server) throw new Error(`there is no member ${member}`);
    return server;
  }

  /** As many leases at once. */
  leases(count: number, key?: string): Promise<Lease[]> {
    return Promise.all(
      Array.from({ length: count }, () => this.pool.acquire(key === undefined ? {} : { key })),
    );
  }

  of(name: keyof PoolEvents, member?: number): { atMs: number; outMs?: number }[] {
    return this.events.filter((event) => event.name === name && (member ?? event.member) === event.member);
  }
}

/** How many leases each member has. */
export function tally(leases: readonly Lease[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { member } of leases) counts[member] = (counts[member] ?? 0) + 1;
  return counts;
}
