// One pair of connections to Redis, from its first to its last byte: calls with a deadline, and channels. It never reconnects:
// what was under way when it ended has failed, and nothing waits in a queue for better times.
import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { messageOf } from '../../lib/errors.ts';
import { redisConnector } from './redis-connector.ts';
import type { RedisSettings } from './redis-settings.ts';
import { BusUnavailable } from './unavailable.ts';

/** No call to Redis takes longer than this: with what surrounds it, a message is answered within 500 ms. */
export const callMs = 450;

/** Calls that may wait for their answer at a time. */
const maxCalls = 10_000;

/** A Lua script. Its first argument is always the time, by Redis's own clock, after which it must not be run any more. */
export interface Script {
  readonly body: string;
  readonly sha: string;
}

const guard = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if now > tonumber(ARGV[1]) then return redis.error_reply('LATE') end
`;

/** Makes a script. It starts with `now` (ms) and `t` (seconds and microseconds) at hand, and with its own arguments from `ARGV[2]` on. */
export function script(body: string): Script {
  const whole = `${guard}${body}`;
  return { body: whole, sha: createHash('sha1').update(whole).digest('hex') };
}

export interface SessionEvents {
  message(name: string, text: string): void;
  /** A call got no answer in time. */
  doubt(): void;
  /** A call was answered by an error. */
  refused(message: string): void;
}

export class RedisSession {
  /** Tells one life of the Redis process from the next: after it, data may be lost. Empty where Redis does not say. */
  readonly runId: string;
  /** Resolves to why it ended. */
  readonly ended: Promise<string>;
  readonly #commands: Redis;
  readonly #subscriber: Redis;
  readonly #events: SessionEvents;
  #calls = 0;
  /** Redis's clock minus ours, at most: what is sent with it is refused rather too early than too late. */
  #aheadMs = 0;
  #over = false;

  private constructor(clients: Clients, runId: string, events: SessionEvents) {
    this.runId = runId;
    this.#commands = clients.commands;
    this.#subscriber = clients.subscriber;
    this.#events = events;
    this.ended = clients.ended.finally(() => {
      this.#over = true;
    });
    this.#subscriber.on('message', (name: string, text: string) => {
      if (!this.#over) events.message(name, text);
    });
  }

  /** Connects, signs in and finds out what time it is there. Rejects with {@link BusUnavailable}. */
  static async open(
    settings: RedisSettings,
    events: SessionEvents,
    timeoutMs: number,
  ): Promise<RedisSession> {
    const clients = connectBoth(settings);
    const opening = (async () => {
      await Promise.all(
        [clients.commands, clients.subscriber].map(async (client) => {
          await client.connect();
          await signIn(client, settings);
        }),
      );
      const session = new RedisSession(clients, runIdOf(await clients.commands.info('server')), events);
      await session.#readClock();
      return session;
    })();
    const failing = clients.ended.then((why) => Promise.reject(new Error(why)));
    try {
      return await within(Promise.race([opening, failing]), timeoutMs);
    } catch (error) {
      clients.end();
      // The connection's own error says more than that it closed.
      const why = error instanceof BusUnavailable ? error : (clients.firstError() ?? error);
      throw new BusUnavailable('down', plain(why, settings));
    }
  }

  /** Redis's time now, in ms, as far as it is known here. */
  get redisMs(): number {
    return performance.now() + this.#aheadMs;
  }

  /**
   * Runs a script, or rejects with {@link BusUnavailable} within {@link callMs}. One that reaches Redis later than after `aliveMs` does
   * nothing.
   */
  async run(
    { sha, body }: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
    aliveMs = callMs,
  ): Promise<unknown> {
    const untilMs = Math.floor(this.redisMs + aliveMs);
    const words = [...keys, untilMs, ...args];
    return this.#call(async () => {
      try {
        return await this.#commands.evalsha(sha, keys.length, ...words);
      } catch (error) {
        if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
        return this.#commands.eval(body, keys.length, ...words);
      }
    });
  }

  subscribe(names: readonly string[]): Promise<unknown> {
    return this.#call(() => this.#subscriber.subscribe(...names));
  }

  unsubscribe(name: string): Promise<unknown> {
    return this.#call(() => this.#subscriber.unsubscribe(name));
  }

  /** Both connections answer, and the clocks are compared again. */
  async probe(timeoutMs = callMs): Promise<void> {
    if (this.#over) throw new BusUnavailable('down', 'the connection to Redis has ended');
    await within(Promise.all([this.#subscriber.ping(), this.#readClock()]), timeoutMs);
  }

  end(): void {
    this.#over = true;
    for (const client of [this.#commands, this.#subscriber]) client.disconnect();
  }

  async #call<T>(call: () => Promise<T>): Promise<T> {
    if (this.#over) throw new BusUnavailable('down', 'the connection to Redis has ended');
    if (this.#calls >= maxCalls) throw new BusUnavailable('down', 'too many calls wait for Redis');
    this.#calls += 1;
    try {
      return await within(call(), callMs);
    } catch (error) {
      if (error instanceof BusUnavailable) {
        this.#events.doubt();
        throw error;
      }
      const message = messageOf(error);
      // Either Redis was slow, or somebody set its clock: then the next call is right again.
      if (message.startsWith('LATE')) {
        void this.#readClock().catch(() => {});
        throw new BusUnavailable('late', 'Redis answered too late');
      }
      if (this.#over) throw new BusUnavailable('down', message);
      this.#events.refused(message);
      throw new BusUnavailable('refused', message);
    } finally {
      this.#calls -= 1;
    }
  }

  async #readClock(): Promise<void> {
    const [seconds = 0, micros = 0] = (await this.#commands.time()).map(Number);
    this.#aheadMs = seconds * 1000 + micros / 1000 - performance.now();
  }
}

interface Clients {
  commands: Redis;
  subscriber: Redis;
  ended: Promise<string>;
  firstError(): Error | undefined;
  end(): void;
}

function connectBoth(settings: RedisSettings): Clients {
  let first: Error | undefined;
  const clients = [client(settings), client(settings)] as const;
  const ended = Promise.race(
    clients.map(
      (each) =>
        new Promise<string>((resolve) => {
          each.on('error', (error) => {
            first ??= error;
          });
          each.once('end', () => resolve(first ? messageOf(first) : 'the connection to Redis has ended'));
        }),
    ),
  );
  return {
    commands: clients[0],
    subscriber: clients[1],
    ended,
    firstError: () => first,
    end: () => {
      for (const each of clients) each.disconnect();
    },
  };
}

function client(settings: RedisSettings): Redis {
  return new Redis({
    Connector: redisConnector(settings),
    // The socket is the connector's, but ioredis must know which event says that it is open.
    ...(settings.tls ? { tls: {} } : {}),
    lazyConnect: true,
    retryStrategy: () => null,
    enableOfflineQueue: false,
    // Whether it is ready is found out here, with a deadline; and so is signing in, which ioredis comments on the console.
    enableReadyCheck: false,
    disableClientInfo: true,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    connectTimeout: 2000,
  });
}

async function signIn(client: Redis, { username, password, db }: RedisSettings): Promise<void> {
  if (password !== undefined)
    await client.call('AUTH', ...(username === undefined ? [] : [username]), password);
  if (db !== 0) await client.select(db);
}

function runIdOf(info: string): string {
  return /^run_id:(\w+)/m.exec(info)?.[1] ?? '';
}

/** ioredis hangs the command, and so the password, on errors: only the text goes on, and not even there may it stand. */
function plain(error: unknown, { password }: RedisSettings): string {
  const text = messageOf(error);
  return password === undefined ? text : text.replaceAll(password, '…');
}

/** Rejects with {@link BusUnavailable} `deadline` when `work` takes longer. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const give = (): void => reject(new BusUnavailable('deadline', `Redis did not answer within ${ms} ms`));
    // Where it was us who stood still, the answer may have come: it is read before this is called late.
    timer = setTimeout(() => setImmediate(give), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
