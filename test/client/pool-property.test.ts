// Whatever happens to a pool: every acquire settles once, in order, and no bound is ever passed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ClientError, Lease } from '../../lib/client/index.ts';
import { isLong } from '../require.ts';
import { PoolWorld, settled } from './pool-world.ts';

type Step =
  | { do: 'acquire'; key: string | undefined; timeoutMs: number }
  | { do: 'release'; at: number; late: boolean }
  | { do: 'abort' | 'hole' | 'shut' | 'open'; at: number }
  | { do: 'wait'; ms: number }
  | { do: 'end'; at: number; code: number };

const timeout = 120_000;
const runs = isLong ? 10_000 : 1000;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('acquire' as const),
      key: fc.constantFrom(undefined, undefined, 'a', 'b', 'c'),
      timeoutMs: fc.constantFrom(30, 400, 5000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('release' as const), at: fc.nat(), late: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), at: fc.nat() }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(5, 60, 700, 4000) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      at: fc.nat(),
      code: fc.constantFrom(1006, 1006, 1001, 1013, 4409),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('hole' as const, 'shut' as const, 'open' as const),
      at: fc.nat(),
    }),
  },
);

interface Asked {
  key: string | undefined;
  order: number;
  settles: number;
  lease: Lease | undefined;
  error: ClientError | undefined;
  abort: () => void;
}

/** A server that forbids coming back, which chance does not meet with every time. */
const asking: Step = { do: 'acquire', key: undefined, timeoutMs: 5000 };
const refused: Step[] = [
  ...[0, 1, 2, 3].flatMap((at): Step[] => [asking, { do: 'wait', ms: 60 }, { do: 'end', at, code: 4409 }]),
  { do: 'wait', ms: 60 },
  asking,
];

const bounds = { min: 1, max: 3, maxPerMember: 2, maxWaiting: 6, idleMs: 2000 };

test(`${runs} random traces of a pool`, { timeout }, async (t) => {
  const ends = new Map<string, number>();
  let ejections = 0;
  let most = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40, size: '+1' }), async (steps) => {
      const world = new PoolWorld({ ...bounds, circuit: { minMs: 200, maxMs: 2000 } });
      const asked: Asked[] = [];
      const held = (): Asked[] => asked.filter(({ lease }) => lease);
      const check = (): void => {
        const { leases, members } = world.pool.statistics;
        assert.ok(members <= bounds.max && world.mostMembers <= bounds.max, 'more members than max');
        most = Math.max(most, leases);
        const byClient = new Map<unknown, number>();
        for (const { lease } of held()) byClient.set(lease?.client, (byClient.get(lease?.client) ?? 0) + 1);
        for (const count of byClient.values())
          assert.ok(count <= bounds.maxPerMember, 'more leases than bound');
        assert.ok(world.pool.statistics.waiting <= bounds.maxWaiting);
      };
      const granted: Asked[] = [];
      const acquire = (key: string | undefined, timeoutMs: number): void => {
        const controller = new AbortController();
        const one: Asked = {
          key,
          order: asked.length,
          settles: 0,
          lease: undefined,
          error: undefined,
          abort: () => controller.abort(),
        };
        asked.push(one);
        const options = { timeoutMs, signal: controller.signal, ...(key === undefined ? {} : { key }) };
        world.pool.acquire(options).then(
          (lease) => {
            one.settles += 1;
            one.lease = lease;
            // Nobody is passed by a later one that wants the same: all of one key, or all without one.
            for (const other of granted) assert.ok(other.key !== key || other.order < one.order, 'passed by');
            granted.push(one);
            check();
          },
          (error: ClientError) => {
            one.settles += 1;
            one.error = error;
          },
        );
      };
      for (const what of steps) {
        const servers = [...world.servers.values()];
        switch (what.do) {
          case 'acquire':
            acquire(what.key, what.timeoutMs);
            break;
          case 'release': {
            const one = held()[what.at % Math.max(1, held().length)];
            one?.lease?.release();
            one?.lease?.release();
            if (one) one.lease = undefined;
            break;
          }
          case 'abort':
            asked[what.at % Math.max(1, asked.length)]?.abort();
            break;
          case 'wait':
            await world.wait(what.ms, 100);
            break;
          case 'end':
            servers[what.at % Math.max(1, servers.length)]?.end(what.code);
            break;
          case 'hole':
            for (const peer of servers[what.at % Math.max(1, servers.length)]?.peers ?? [])
              peer.isHole = true;
            break;
          default:
            for (const server of servers) server.door = what.do;
            world.door = what.do;
        }
        await settled();
        check();
      }
      ejections += world.pool.statistics.ejections;
      const closed = world.pool.close();
      await world.wait(6000, 100);
      await closed;
      for (const { settles, error } of asked) {
        assert.equal(settles, 1, 'an acquire that settles once');
        const end = error?.code ?? 'served';
        ends.set(end, (ends.get(end) ?? 0) + 1);
      }
      assert.equal(world.clock.pending, 0, 'a timer is left');
      assert.equal(world.members, 0, 'a member is left');
    }),
    { numRuns: runs, examples: [[refused]] },
  );
  t.diagnostic(`${JSON.stringify(Object.fromEntries(ends))}, ${ejections} ejections, ${most} leases at most`);
  for (const end of ['served', 'POOL_TIMEOUT', 'ABORTED', 'OVERFLOW', 'CLOSED', 'STOPPED'])
    assert.ok(ends.has(end), end);
  assert.ok(ejections > 0);
  assert.equal(most, bounds.max * bounds.maxPerMember);
});
