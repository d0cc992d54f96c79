// One client in a simulated world, what is done to it, and what must hold afterwards.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Client } from '../../lib/client/client.ts';
import type { ClientError, ClientState, Position, Subscription } from '../../lib/client/index.ts';
import { resolveOptions } from '../../lib/client/options.ts';
import { FakeClock } from '../reference-server/fake-clock.ts';
import { type Door, ModelServer, tokenOf } from './model-server.ts';

/** Something that happens. */
export type Step =
  | { do: 'publish'; channel: string; timeoutMs: number; resend: boolean }
  | { do: 'subscribe' | 'unsubscribe'; channel: string }
  | { do: 'wait'; ms: number }
  | { do: 'end'; code: number }
  | { do: 'drain' | 'promise'; minMs: number; maxMs: number }
  | { do: 'door'; door: Door }
  | { do: 'provider'; provider: 'good' | 'throws' | 'hangs' | 'expired' | 'short' }
  | { do: 'penalty'; ms: number }
  | {
      do:
        | 'hole'
        | 'lose-answer'
        | 'repeat'
        | 'strip-header'
        | 'refuse-auth'
        | 'start-anew'
        | 'trim'
        | 'abort'
        | 'ping'
        | 'garbage'
        | 'somebody-else'
        | 'stall'
        | 'close';
    };

const channel = fc.constantFrom('a', 'b', 'c');
const returning = [1001, 1005, 1006, 1008, 1011, 1012, 1013, 3000, 4401, 4408, 4429, 4999];

/** Any of them; those that end a client for good are rare. */
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      channel,
      timeoutMs: fc.constantFrom(50, 3000, 30_000, 900_000),
      resend: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constantFrom('subscribe' as const, 'unsubscribe' as const), channel }),
  },
  {
    weight: 25,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 7, 12, 300, 2000, 40_000),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'wait' as const, ms: 400_000 }) },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('end' as const), code: fc.constantFrom(...returning) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('drain' as const, 'promise' as const),
      minMs: fc.constantFrom(0, 100, 70_000),
      maxMs: fc.constantFrom(100, 2000, 1e12),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('door' as const),
      door: fc.constantFrom<Door>(
        'open',
        'open',
        'shut',
        'silent',
        { httpStatus: 401 },
        { httpStatus: 502 },
        { httpStatus: 503, retryAfterMs: 2000 },
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('provider' as const),
      provider: fc.constantFrom(
        'good' as const,
        'good' as const,
        'throws' as const,
        'hangs' as const,
        'expired' as const,
        'short' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('penalty' as const), ms: fc.constantFrom(500, 5000) }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'hole' as const,
        'hole' as const,
        'lose-answer' as const,
        'lose-answer' as const,
        'repeat' as const,
        'strip-header' as const,
        'strip-header' as const,
        'refuse-auth' as const,
        'start-anew' as const,
        'trim' as const,
        'abort' as const,
        'ping' as const,
        'garbage' as const,
        'somebody-else' as const,
        'stall' as const,
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.constant({ do: 'close' as const }),
      fc.record({ do: fc.constant('end' as const), code: fc.constantFrom(1000, 1009, 4403, 4409) }),
    ),
  },
);

/** What a client and its world begin with. */
export interface Start {
  /** Of the client's chance. */
  seed: number;
  /** A function that fetches tokens, one that is never replaced, or none. */
  token: 'provider' | 'fixed' | 'none';
  overflow: 'reject' | 'drop-oldest';
  /** Otherwise nobody ever asks it to connect. */
  connects: boolean;
}

/** A trace; one in ten ends with `close()` in the middle of things instead of healing. */
export const trace = fc.record({
  steps: fc.array(step, { minLength: 3, maxLength: 25, size: '+1' }),
  heals: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  start: fc.record({
    seed: fc.nat(0xffff),
    token: fc.constantFrom(
      'provider' as const,
      'provider' as const,
      'provider' as const,
      'fixed' as const,
      'none' as const,
    ),
    overflow: fc.constantFrom('reject' as const, 'drop-oldest' as const),
    connects: fc.integer({ min: 0, max: 49 }).map((n) => n > 0),
  }),
});

function same(one: Position | undefined, other: Position): boolean {
  return one?.epoch === other.epoch && one.offset === other.offset;
}

/** Everything that has run is over. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Sent {
  id: string;
  channel: string;
  settles: number;
  resolved: boolean;
  error: ClientError | undefined;
  abort: () => void;
}

/** One client and its world. */
export class World {
  readonly clock = new FakeClock();
  readonly server = new ModelServer(this.clock);
  readonly client: Client;
  readonly sent: Sent[] = [];
  readonly transitions = new Set<string>();
  #provider: Extract<Step, { do: 'provider' }>['provider'] = 'good';
  #sub = 'alice';
  #subscriptions = new Map<string, Subscription>();
  #subscribing = 0;
  /** Whether anything was ever lost on the server: before that there are no gaps. */
  #losesLogs = false;
  #chance: number;
  #ids = 0;

  constructor({ seed, token, overflow, connects }: Start) {
    this.#chance = seed;
    this.server.wantsTokens = token !== 'none';
    const fixed = tokenOf(this.#sub, this.clock.epochMs() + 86_400_000);
    const provider = (): string | Promise<string> => {
      const nowMs = this.clock.epochMs();
      switch (this.#provider) {
        case 'throws':
          throw new Error('the provider is out of order');
        case 'hangs':
          return new Promise(() => {});
        case 'expired':
          return tokenOf(this.#sub, nowMs - 1000);
        case 'short':
          return tokenOf(this.#sub, nowMs + 20_000);
        case 'good':
          return tokenOf(this.#sub, nowMs + 3_600_000);
      }
    };
    this.client = new Client(
      'ws://model.example/',
      resolveOptions(
        {
          ...(token === 'none' ? {} : { token: token === 'fixed' ? fixed : provider }),
          queue: { maxMessages: 5, overflow },
          maxUnread: 1e6,
        },
        true,
      ),
      {
        transport: this.server.transport,
        clock: this.clock,
        chance: () => this.#random(),
        newId: () => `id-${this.#ids++}`,
        connectivity: undefined,
      },
    );
    this.client.on('state', ({ from, to }) => this.transitions.add(`${from} > ${to}`));
    if (connects) this.client.connect().catch(() => {});
  }

  #random(): number {
    this.#chance = (this.#chance * 1_103_515_245 + 12_345) & 0x7fffffff;
    return this.#chance / 0x80000000;
  }

  /** Time passes, in pieces, so that promises get their turn. */
  async wait(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 10_000) {
      this.clock.advance(Math.min(left, 10_000));
      await settled();
    }
  }

  async take(what: Step): Promise<void> {
    const { server, client } = this;
    switch (what.do) {
      case 'publish':
        this.#publish(what);
        break;
      case 'subscribe':
        this.#subscribe(what.channel);
        break;
      case 'unsubscribe':
        void this.#subscriptions.get(what.channel)?.unsubscribe();
        this.#subscriptions.delete(what.channel);
        break;
      case 'wait':
        await this.wait(what.ms);
        break;
      case 'end':
        server.end(what.code);
        break;
      case 'drain':
      case 'promise':
        server[what.do](what.minMs, what.maxMs);
        break;
      case 'door':
        server.door = what.door;
        break;
      case 'provider':
        this.#provider = what.provider;
        break;
      case 'penalty':
        server.penaltyUntilMs = this.clock.nowMs() + what.ms;
        break;
      case 'hole':
        for (const peer of server.peers) peer.isHole = true;
        break;
      case 'lose-answer':
        server.losesNextAnswer = true;
        break;
      case 'repeat':
        server.repeats = !server.repeats;
        break;
      case 'strip-header':
        server.stripsHeader = !server.stripsHeader;
        break;
      case 'refuse-auth':
        server.refusesAuth = !server.refusesAuth;
        break;
      case 'start-anew':
        this.#losesLogs = true;
        server.startAnew();
        break;
      case 'trim':
        this.#losesLogs = true;
        server.trim();
        break;
      case 'abort':
        this.sent.findLast(({ settles }) => settles === 0)?.abort();
        break;
      case 'ping':
        server.push({ type: 'PING', id: 'p' });
        break;
      case 'garbage':
        server.push({ type: 'ACK', id: 'of nobody', payload: { for: 'PUBLISH' } });
        server.push({
          type: 'MESSAGE',
          payload: { channel: 'nobody asked for', epoch: 'x', offset: 1, data: 1 },
        });
        server.push({ type: 'TOKEN_EXPIRING' });
        break;
      case 'somebody-else':
        this.#sub = this.#sub === 'alice' ? 'bob' : 'alice';
        break;
      case 'stall':
        this.clock.stall(20_000);
        break;
      case 'close':
        void client.close();
    }
    await settled();
  }

  #publish({ channel: name, timeoutMs, resend }: Extract<Step, { do: 'publish' }>): void {
    const controller = new AbortController();
    const id = `m${this.sent.length}`;
    const entry: Sent = {
      id,
      channel: name,
      settles: 0,
      resolved: false,
      error: undefined,
      abort: () => controller.abort(),
    };
    this.sent.push(entry);
    this.client.publish(name, id, { id, timeoutMs, resend, signal: controller.signal }).then(
      () => {
        entry.settles += 1;
        entry.resolved = true;
      },
      (error: ClientError) => {
        entry.settles += 1;
        entry.error = error;
      },
    );
  }

  #subscribe(name: string): void {
    if (this.#subscriptions.has(name) || this.client.channels.includes(name)) return;
    this.#subscribing += 1;
    this.client
      .subscribe(name, { timeoutMs: 60_000 })
      .then(
        (subscription) => {
          this.#subscriptions.set(name, subscription);
          void this.#watch(subscription);
        },
        () => {},
      )
      .finally(() => {
        this.#subscribing -= 1;
      });
  }

  /** What is heard of a channel grows by one, or a gap says from where it goes on. */
  async #watch(subscription: Subscription): Promise<void> {
    let at: Position | undefined;
    const { broken } = this.server;
    try {
      for await (const item of subscription) {
        if (item.type === 'gap') {
          if (!this.#losesLogs) broken.push(`a gap (${item.reason}) where everything was kept`);
          if (at && !same(item.after, at)) broken.push(`a gap after ${item.after?.offset}, not ${at.offset}`);
          at = item.before;
          continue;
        }
        const { epoch, offset, data } = item;
        if (at && !same({ epoch, offset: offset - 1 }, at)) broken.push(`${offset} came after ${at.offset}`);
        if (!this.sent.some(({ id }) => id === data)) broken.push(`${data} was never sent`);
        at = { epoch, offset };
      }
    } catch (error) {
      if (this.client.state !== 'closed') broken.push(`a subscription ended: ${error}`);
    }
  }

  /** Everything works again, and time enough passes for everything to be over. */
  async heal(): Promise<void> {
    this.#provider = 'good';
    Object.assign(this.server, {
      door: 'open',
      stripsHeader: false,
      refusesAuth: false,
      losesNextAnswer: false,
      repeats: false,
      penaltyUntilMs: 0,
    });
    const isBusy = (): boolean =>
      !['idle', 'open', 'closed'].includes(this.client.state) ||
      this.client.queue.pending > 0 ||
      this.#subscribing > 0;
    // Black holes need their deadline; the longest wait that a server may ask for is a minute and its jitter.
    await this.wait(40_000);
    for (let n = 0; isBusy() && n < 300; n++) await this.wait(5000);
    assert.ok(!isBusy(), `still ${this.client.state}, ${JSON.stringify(this.client.queue)}`);
  }

  /** What must hold then. */
  check(): void {
    const { server, client } = this;
    assert.deepEqual(server.broken, []);
    for (const { id, settles, resolved, error } of this.sent) {
      const effects = server.effects.get(id) ?? 0;
      assert.equal(settles, 1, `${id} settled ${settles} times`);
      assert.ok(effects <= 1, `${id} had ${effects} effects`);
      if (resolved) assert.equal(effects, 1, `${id} was acknowledged and had no effect`);
      else if (error?.outcome === 'none') assert.equal(effects, 0, `${id} had an effect after ${error.code}`);
      assert.notEqual(error?.code, 'INTERNAL');
    }
    if (client.state !== 'open') return;
    assert.deepEqual([...(server.peer?.subscriptions ?? [])].sort(), [...client.channels].sort());
    assert.deepEqual([...this.#subscriptions.keys()].sort(), [...client.channels].sort());
    for (const [name, { position }] of this.#subscriptions) {
      const { epoch, tip } = server.log(name);
      assert.deepEqual(position, { epoch, offset: tip }, `${name} is not at the end of its log`);
    }
  }

  /** After `close()` nothing is left. */
  async close(): Promise<void> {
    const closed = this.client.close();
    await this.wait(100);
    await closed;
    assert.equal(this.client.state satisfies ClientState, 'closed');
    // What was under way in the network when it ended: nobody listens there any more.
    await this.wait(100);
    assert.equal(this.clock.pending, 0, 'timers are left');
    assert.equal([...this.server.peers].filter(({ isHole }) => !isHole).length, 0, 'sockets are left');
  }
}
