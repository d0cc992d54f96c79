// The bus of several instances: what they share is in Redis, and they talk over its channels.
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type {
  AgentHandle,
  AgentLink,
  AgentPresence,
  Bus,
  BusMessage,
  Command,
  CommandOutcome,
  Dispatched,
  Once,
  Position,
  Published,
  Subscription,
} from './bus.ts';
import { RedisAgents } from './redis-agents.ts';
import { RedisChannels } from './redis-channels.ts';
import { RedisCommands } from './redis-commands.ts';
import type { RedisBounds, RedisContext, RedisPart } from './redis-context.ts';
import { noLimits, RedisLimits, type RedisLimitsOptions } from './redis-limits.ts';
import { RedisLink } from './redis-link.ts';
import { RedisNames } from './redis-names.ts';
import { RedisOnce } from './redis-once.ts';
import { RedisRevocations } from './redis-revocations.ts';
import type { RedisSession } from './redis-session.ts';
import type { RedisSettings } from './redis-settings.ts';
import type { Dropped } from './redis-wire.ts';

export interface RedisBusOptions {
  settings: RedisSettings;
  clock: Clock;
  /** Whether questions about revoked tokens are answered from what is known here while Redis is not there. */
  answersAlone?: boolean;
  bounds?: Partial<RedisBounds>;
  /** What {@link RedisBus.limits} keeps; nothing by default. */
  limits?: RedisLimitsOptions;
  /** A message on one of our channels was not ours. */
  dropped?: (why: Dropped) => void;
  /** Redis answered a call with an error, whose text it is. */
  refused?: (message: string) => void;
  /** Redis came or went; `why` for people, without secrets. */
  changed?: (isUp: boolean, why: string) => void;
}

const defaults: RedisBounds = {
  maxMessages: 256,
  maxBytes: 512 * 1024,
  keepLogMs: 3_600_000,
  maxRevocations: 100_000,
  rememberRevocationMs: 7 * 86_400_000,
  lifeMs: 5000,
};

/** One instance on a Redis. Every call rejects with BusUnavailable rather than wait for one that does not answer. */
export class RedisBus implements Bus {
  /** The limits of all instances, over the same connections. */
  readonly limits: RedisLimits;
  readonly #link: RedisLink;
  readonly #names: RedisNames;
  readonly #channels: RedisChannels;
  readonly #agents: RedisAgents;
  readonly #commands: RedisCommands;
  readonly #once: RedisOnce;
  readonly #revocations: RedisRevocations;
  readonly #parts: readonly RedisPart[];
  readonly #dropped: (why: Dropped) => void;

  constructor(options: RedisBusOptions) {
    this.#names = new RedisNames(options.settings.prefix);
    this.#dropped = options.dropped ?? (() => {});
    this.#link = new RedisLink(options.settings, {
      resume: (session, isNew) => this.#resume(session, isNew),
      beat: async (session, steadyMs) => {
        for (const part of this.#parts) await part.beat(session, steadyMs);
      },
      message: (name, text) => {
        // What was unsubscribed from a moment ago may come still.
        this.#parts.some((part) => part.message(name, text));
      },
      refused: options.refused ?? (() => {}),
      changed: options.changed ?? (() => {}),
    });
    const context: RedisContext = {
      link: this.#link,
      names: this.#names,
      clock: options.clock,
      instance: randomUUID(),
      bounds: { ...defaults, ...options.bounds },
      dropped: this.#dropped,
    };
    this.#channels = new RedisChannels(context);
    this.#agents = new RedisAgents(context);
    this.#commands = new RedisCommands(context, this.#agents);
    this.#once = new RedisOnce(context);
    this.#revocations = new RedisRevocations(context, options.answersAlone ?? false);
    this.limits = new RedisLimits(context, options.limits ?? noLimits);
    // Agents first: they make this instance known, without which its connections count for nothing.
    this.#parts = [this.#channels, this.#commands.inbox, this.#agents, this.#revocations, this.limits];
  }

  get state(): 'up' | 'down' {
    return this.#link.isUp ? 'up' : 'down';
  }

  /** Why it is down. */
  get why(): string {
    return this.#link.why;
  }

  /** Starts to connect, and waits until Redis is there, but not longer than this. */
  start(waitMs: number): Promise<void> {
    return this.#link.start(waitMs);
  }

  publish(tenant: string, channel: string, data: unknown, effectId?: string): Promise<Published> {
    return this.#channels.publish(tenant, channel, data, effectId);
  }

  subscribe(
    tenant: string,
    channel: string,
    onMessage: (message: BusMessage) => void,
    since?: Position,
    onGap?: (position: Position) => void,
  ): Promise<Subscription> {
    return this.#channels.subscribe(tenant, channel, onMessage, since, onGap);
  }

  async connectAgent(tenant: string, agentId: string, link: AgentLink): Promise<AgentHandle> {
    const agent = await this.#agents.connect(tenant, agentId, link);
    return {
      setStatus: (status, detail) => this.#agents.setStatus(agent, status, detail),
      answer: (outcome) => this.#commands.answer(agent, { agentId, ...outcome }),
      disconnect: () => this.#agents.disconnect(agent),
    };
  }

  agents(tenant: string): Promise<AgentPresence[]> {
    return this.#agents.presence.list(tenant);
  }

  watchAgents(tenant: string, onChange: (agent: AgentPresence) => void): Promise<() => void> {
    return this.#agents.presence.watch(tenant, onChange);
  }

  command(
    tenant: string,
    command: Command,
    timeoutMs: number,
    onOutcome: (outcome: CommandOutcome) => void,
  ): Promise<Dispatched> {
    return this.#commands.dispatch(tenant, command, timeoutMs, onOutcome);
  }

  once<T>(key: string, effect: (effectId: string) => Promise<T>): Promise<Once<T>> {
    return this.#once.once(key, effect);
  }

  revoke(sub: string): Promise<void> {
    return this.#revocations.revoke(sub);
  }

  revokedAtMs(sub: string): Promise<number | undefined> {
    return this.#revocations.revokedAtMs(sub);
  }

  async watchRevocations(onRevoked: (sub: string) => void): Promise<() => void> {
    return this.#revocations.watch(onRevoked);
  }

  async close(): Promise<void> {
    this.#channels.clear();
    this.#commands.clear();
    this.#revocations.clear();
    await this.limits.close();
    await this.#agents.leave();
    await this.#link.close();
  }

  /** Everything is heard again before anything is read, and everything is read before anything is acknowledged. */
  async #resume(session: RedisSession, isNew: boolean): Promise<void> {
    const names = this.#parts.flatMap((part) => part.names());
    if (isNew)
      for (let from = 0; from < names.length; from += 1000)
        await session.subscribe(names.slice(from, from + 1000));
    for (const part of this.#parts) await part.resume(session, isNew);
  }
}
