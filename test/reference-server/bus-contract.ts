// What every Bus must do, whatever it is made of: run against a factory that joins instances to one backend.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type {
  AgentLink,
  AgentPresence,
  Bus,
  BusMessage,
  Command,
  CommandOutcome,
} from '../../reference-server/bus/bus.ts';

/** One backend. `join` gives another instance on it; `advance` lets time pass for it. */
export interface BusWorld {
  join(): Promise<Bus>;
  advance(ms: number): Promise<void>;
  end(): Promise<void>;
}

const timeout = 20_000;

/** Waits until something that another instance does has arrived. */
async function eventually(holds: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.fail(`never: ${what}`);
}

function link(overrides: Partial<AgentLink> = {}): AgentLink & { commands: Command[]; replacements: number } {
  const seen = {
    commands: [] as Command[],
    replacements: 0,
    deliver: (command: Command) => {
      seen.commands.push(command);
      return true;
    },
    replaced: () => {
      seen.replacements += 1;
    },
    ...overrides,
  };
  return seen;
}

export function busContract(name: string, create: () => Promise<BusWorld>): void {
  const on = (title: string, run: (a: Bus, b: Bus, world: BusWorld) => Promise<void>): void => {
    test(`${name}: ${title}`, { timeout }, async (t: TestContext) => {
      const world = await create();
      t.after(() => world.end());
      await run(await world.join(), await world.join(), world);
    });
  };
  const command = (commandId: string, agentId = 'g1'): Command => ({ commandId, agentId, command: 'go' });

  on('publishes to the subscribers of every instance, in order', async (a, b) => {
    const seenByA: BusMessage[] = [];
    const seenByB: BusMessage[] = [];
    await a.subscribe('t', 'c', (message) => seenByA.push(message));
    const { epoch, offset } = await b.subscribe('t', 'c', (message) => seenByB.push(message));
    assert.equal(offset, 0);
    for (let n = 1; n <= 20; n++) {
      const published = await (n % 2 ? a : b).publish('t', 'c', { n });
      assert.deepEqual({ ...published, receivers: 0 }, { epoch, offset: n, receivers: 0 });
      assert.equal(typeof published.receivers, 'number');
    }
    await eventually(() => seenByA.length === 20 && seenByB.length === 20, '20 messages at both');
    const expected = Array.from({ length: 20 }, (_, i) => ({
      channel: 'c',
      epoch,
      offset: i + 1,
      data: { n: i + 1 },
    }));
    assert.deepEqual(seenByA, expected);
    assert.deepEqual(seenByB, expected);
  });

  on('counts receivers', async (a, b) => {
    assert.equal((await a.publish('t', 'c', 0)).receivers, 0);
    await a.subscribe('t', 'c', () => {});
    await b.subscribe('t', 'c', () => {});
    assert.equal((await a.publish('t', 'c', 1)).receivers, 2);
  });

  on('keeps tenants and channels apart, whatever their names', async (a, b) => {
    const seen: string[] = [];
    for (const [tenant, channel] of [
      ['a', 'b/c'],
      ['a/b', 'c'],
      ['1:a', 'b/c'],
      ['', 'x'],
    ] as const) {
      await a.subscribe(tenant, channel, () => seen.push(`${tenant} ${channel}`));
    }
    await b.publish('a/b', 'c', 1);
    await b.publish('other', 'c', 1);
    await eventually(() => seen.length > 0, 'the message');
    assert.deepEqual(seen, ['a/b c']);
  });

  on('recovers what came after a position', async (a, b) => {
    const first = await a.subscribe('t', 'c', () => {});
    assert.equal(first.recovered, false);
    assert.deepEqual(first.missed, []);
    await first.unsubscribe();
    for (let n = 1; n <= 5; n++) await a.publish('t', 'c', n);
    const back = await b.subscribe('t', 'c', () => {}, { epoch: first.epoch, offset: 2 });
    assert.equal(back.recovered, true);
    assert.equal(back.offset, 5);
    assert.deepEqual(
      back.missed.map(({ offset, data }) => [offset, data]),
      [
        [3, 3],
        [4, 4],
        [5, 5],
      ],
    );
    const upToDate = await b.subscribe('t', 'c', () => {}, { epoch: first.epoch, offset: 5 });
    assert.equal(upToDate.recovered, true);
    assert.deepEqual(upToDate.missed, []);
  });

  on('admits a gap: another epoch, the future, or too long ago', async (a) => {
    const { epoch } = await a.subscribe('t', 'c', () => {});
    for (let n = 1; n <= 2000; n++) await a.publish('t', 'c', n);
    for (const since of [
      { epoch: 'another', offset: 1999 },
      { epoch, offset: 2001 },
      { epoch, offset: 0 },
    ]) {
      const subscription = await a.subscribe('t', 'c', () => {}, since);
      assert.equal(subscription.recovered, false, JSON.stringify(since));
      assert.deepEqual(subscription.missed, []);
      assert.equal(subscription.offset, 2000);
    }
  });

  on('appends once an effect, on whichever instance it is tried again', async (a, b) => {
    const seen: unknown[] = [];
    await b.subscribe('t', 'c', ({ data }) => seen.push(data));
    const first = await a.publish('t', 'c', 'one', 'effect');
    assert.deepEqual(await b.publish('t', 'c', 'one', 'effect'), first);
    assert.equal((await b.publish('t', 'other', 'one', 'effect')).offset, 1);
    assert.equal((await b.publish('t', 'c', 'two', 'another')).offset, 2);
    await eventually(() => seen.length === 2, 'both');
    assert.deepEqual(seen, ['one', 'two']);
  });

  on('hands over nothing after unsubscribe', async (a, b) => {
    const seen: unknown[] = [];
    const { unsubscribe } = await a.subscribe('t', 'c', ({ data }) => seen.push(data));
    await b.publish('t', 'c', 1);
    await eventually(() => seen.length === 1, 'the first message');
    await unsubscribe();
    await unsubscribe();
    assert.equal((await b.publish('t', 'c', 2)).receivers, 0);
    assert.deepEqual(seen, [1]);
  });

  on('announces agents to every instance, of their tenant only', async (a, b) => {
    const seen: AgentPresence[] = [];
    const stop = await b.watchAgents('t', (agent) => seen.push(agent));
    const handle = await a.connectAgent('t', 'g1', link());
    await a.connectAgent('other', 'g2', link());
    assert.deepEqual(await b.agents('t'), [{ agentId: 'g1', status: 'online' }]);
    await handle.setStatus('busy', 'at work');
    assert.deepEqual(await b.agents('t'), [{ agentId: 'g1', status: 'busy', detail: 'at work' }]);
    await handle.disconnect();
    assert.deepEqual(await b.agents('t'), []);
    await eventually(() => seen.length === 3, 'three changes');
    assert.deepEqual(seen, [
      { agentId: 'g1', status: 'online' },
      { agentId: 'g1', status: 'busy', detail: 'at work' },
      { agentId: 'g1', status: 'offline' },
    ]);
    stop();
    await a.connectAgent('t', 'g3', link());
    assert.equal(seen.length, 3);
  });

  on('replaces an agent that connects again elsewhere', async (a, b) => {
    const before = link();
    const after = link();
    const old = await a.connectAgent('t', 'g1', before);
    await b.connectAgent('t', 'g1', after);
    await eventually(() => before.replacements === 1, 'the replacement');
    await old.setStatus('busy');
    await old.disconnect();
    assert.deepEqual(await a.agents('t'), [{ agentId: 'g1', status: 'online' }]);
    assert.equal((await a.command('t', command('1'), 1000, () => {})).delivered, true);
    assert.equal(before.commands.length, 0);
    assert.deepEqual(after.commands, [command('1')]);
  });

  on('routes a command to its agent and the outcome back, once', async (a, b) => {
    const agent = link();
    const outcomes: CommandOutcome[] = [];
    const handle = await b.connectAgent('t', 'g1', agent);
    const sent = { ...command('1'), args: { deep: [1] } };
    const dispatched = await a.command('t', sent, 1000, (outcome) => outcomes.push(outcome));
    assert.equal(dispatched.delivered, true);
    assert.deepEqual(agent.commands, [sent]);
    assert.equal(await handle.answer({ commandId: '1', status: 'ok', result: 42 }), true);
    assert.equal(await handle.answer({ commandId: '1', status: 'error' }), false);
    await eventually(() => outcomes.length === 1, 'the outcome');
    assert.deepEqual(outcomes, [{ commandId: '1', agentId: 'g1', status: 'ok', result: 42 }]);
  });

  on('says when a command was not written', async (a, b, world) => {
    const outcomes: CommandOutcome[] = [];
    const missing = await a.command('t', command('1'), 10, (outcome) => outcomes.push(outcome));
    assert.equal(missing.delivered, false);
    await b.connectAgent('t', 'g1', link({ deliver: () => false }));
    assert.equal((await a.command('t', command('2'), 10, (o) => outcomes.push(o))).delivered, false);
    assert.equal((await a.command('other', command('3'), 10, (o) => outcomes.push(o))).delivered, false);
    await world.advance(100);
    assert.deepEqual(outcomes, []);
  });

  on('times a command out, and takes no answer after that or from another agent', async (a, b, world) => {
    const outcomes: CommandOutcome[] = [];
    const handle = await b.connectAgent('t', 'g1', link());
    const other = await b.connectAgent('t', 'g2', link());
    await a.command('t', command('1'), 1000, (outcome) => outcomes.push(outcome));
    assert.equal(await other.answer({ commandId: '1', status: 'ok' }), false);
    await world.advance(999);
    assert.deepEqual(outcomes, []);
    await world.advance(2);
    await eventually(() => outcomes.length === 1, 'the timeout');
    assert.deepEqual(outcomes, [{ commandId: '1', agentId: 'g1', status: 'timeout' }]);
    assert.equal(await handle.answer({ commandId: '1', status: 'ok' }), false);
  });

  on('stops waiting when a command is cancelled', async (a, b, world) => {
    const outcomes: CommandOutcome[] = [];
    const handle = await b.connectAgent('t', 'g1', link());
    const dispatched = await a.command('t', command('1'), 1000, (outcome) => outcomes.push(outcome));
    dispatched.cancel();
    dispatched.cancel();
    await world.advance(2000);
    assert.equal(await handle.answer({ commandId: '1', status: 'ok' }), false);
    assert.deepEqual(outcomes, []);
  });

  on('runs an effect once a key, on whichever instance, for 5 minutes', async (a, b, world) => {
    let effects = 0;
    const effect = async (): Promise<number> => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      effects += 1;
      return effects;
    };
    const [first, second] = await Promise.all([a.once('k', effect), b.once('k', effect)]);
    assert.deepEqual([first.duplicate, second.duplicate].sort(), [false, true]);
    assert.deepEqual([first.answer, second.answer, effects], [1, 1, 1]);
    await world.advance(5 * 60_000 - 1000);
    assert.deepEqual(await b.once('k', effect), { answer: 1, duplicate: true });
    await world.advance(1001);
    assert.deepEqual(await b.once('k', effect), { answer: 2, duplicate: false });
    assert.deepEqual(await a.once('other', effect), { answer: 3, duplicate: false });
  });

  on('gives every effect an id of its own', async (a, b, world) => {
    const ids: string[] = [];
    const effect = async (effectId: string): Promise<string> => {
      ids.push(effectId);
      return effectId;
    };
    const { answer } = await a.once('k', effect);
    await b.once('k', effect);
    await b.once('other', effect);
    assert.deepEqual([ids.length, ids[0]], [2, answer]);
    await world.advance(5 * 60_000 + 1);
    await a.once('k', effect);
    assert.equal(new Set(ids).size, 3);
  });

  on('does not remember an effect that failed', async (a, b) => {
    await assert.rejects(
      a.once('k', async () => {
        throw new Error('no');
      }),
      /no/,
    );
    assert.deepEqual(await b.once('k', async () => 1), { answer: 1, duplicate: false });
  });

  on('tells every instance of a revocation and remembers it', async (a, b) => {
    const seen: string[] = [];
    const stop = await b.watchRevocations((sub) => seen.push(sub));
    assert.equal(await b.revokedAtMs('alice'), undefined);
    await a.revoke('alice');
    await eventually(() => seen.length === 1, 'the revocation');
    assert.deepEqual(seen, ['alice']);
    assert.equal(typeof (await b.revokedAtMs('alice')), 'number');
    stop();
    await a.revoke('bob');
    assert.deepEqual(seen, ['alice']);
  });

  on('ends an instance’s part when it closes, and only that', async (a, b) => {
    const seen: unknown[] = [];
    const agents: AgentPresence[] = [];
    await a.subscribe('t', 'c', () => assert.fail('called after close'));
    await b.subscribe('t', 'c', ({ data }) => seen.push(data));
    await a.connectAgent('t', 'g1', link());
    await b.connectAgent('t', 'g2', link());
    await b.watchAgents('t', (agent) => agents.push(agent));
    await a.close();
    await eventually(() => agents.length === 1, 'the agent to go');
    assert.deepEqual(agents, [{ agentId: 'g1', status: 'offline' }]);
    assert.deepEqual(await b.agents('t'), [{ agentId: 'g2', status: 'online' }]);
    assert.equal((await b.publish('t', 'c', 1)).receivers, 1);
    await eventually(() => seen.length === 1, 'the message');
  });
}
