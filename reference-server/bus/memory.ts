// The bus of a single process: instances that share one MemoryBackend.
import type { Clock } from '../clock.ts';
import { Answers } from './answers.ts';
import type {
  AgentHandle,
  AgentLink,
  AgentPresence,
  AgentState,
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
import { ChannelLog } from './channel-log.ts';
import { scoped } from './scoped.ts';

export interface MemoryBackendOptions {
  /** Messages kept a channel; 256 by default. */
  maxMessages?: number;
  /** Characters of JSON kept a channel; 512 Ki by default. */
  maxBytes?: number;
  /** Channels kept; 256 by default. The longest unused one without subscribers goes first. */
  maxChannels?: number;
  /** Answers and revocations remembered; 100,000 by default. */
  maxRemembered?: number;
  /** How long a revocation counts: it must outlive every token that it revokes. A week by default. */
  rememberRevocationMs?: number;
}

interface Agent {
  presence: AgentPresence;
  link: AgentLink;
}

interface Waiting {
  agentKey: string;
  settle(outcome: CommandOutcome): void;
}

/** What the instances of one process share. */
export class MemoryBackend {
  readonly clock: Clock;
  readonly channels = new Map<string, ChannelLog>();
  readonly agents = new Map<string, Agent>();
  readonly watchers = new Map<string, Set<(agent: AgentPresence) => void>>();
  readonly waiting = new Map<string, Waiting>();
  readonly answers: Answers;
  readonly published: Answers;
  readonly revocations = new Map<string, number>();
  readonly revocationWatchers = new Set<(sub: string) => void>();
  readonly #options: Required<MemoryBackendOptions>;

  constructor(clock: Clock, options: MemoryBackendOptions = {}) {
    this.clock = clock;
    this.#options = {
      maxMessages: 256,
      maxBytes: 512 * 1024,
      maxChannels: 256,
      maxRemembered: 100_000,
      rememberRevocationMs: 7 * 86_400_000,
      ...options,
    };
    this.published = new Answers(clock, this.#options.maxRemembered);
    this.answers = new Answers(clock, this.#options.maxRemembered);
  }

  log(tenant: string, channel: string): ChannelLog {
    const key = scoped(tenant, channel);
    const log = this.channels.get(key) ?? new ChannelLog(this.#options.maxMessages, this.#options.maxBytes);
    this.channels.delete(key);
    this.channels.set(key, log);
    if (this.channels.size > this.#options.maxChannels) {
      for (const [oldest, candidate] of this.channels) {
        if (candidate.subscribers.size > 0 || candidate === log) continue;
        this.channels.delete(oldest);
        break;
      }
    }
    return log;
  }

  announce(tenant: string, agent: AgentPresence): void {
    for (const watcher of this.watchers.get(tenant) ?? []) watcher(agent);
  }

  rememberRevocation(sub: string, atMs: number): void {
    this.revocations.delete(sub);
    this.revocations.set(sub, atMs);
    // Maps keep the order of insertion, so what is too old stands first.
    for (const [oldest, oldMs] of this.revocations) {
      const isOld = oldMs <= atMs - this.#options.rememberRevocationMs;
      if (this.revocations.size <= this.#options.maxRemembered && !isOld) return;
      this.revocations.delete(oldest);
    }
  }
}

/** One instance on a {@link MemoryBackend}. */
export class MemoryBus implements Bus {
  readonly #backend: MemoryBackend;
  readonly #cleanups = new Set<() => void>();
  readonly state = 'alone';

  constructor(backend: MemoryBackend) {
    this.#backend = backend;
  }

  async publish(tenant: string, channel: string, data: unknown, effectId?: string): Promise<Published> {
    if (effectId === undefined) return this.#append(tenant, channel, data);
    const key = JSON.stringify([tenant, channel, effectId]);
    return (await this.#backend.published.once(key, async () => this.#append(tenant, channel, data))).answer;
  }

  #append(tenant: string, channel: string, data: unknown): Published {
    const log = this.#backend.log(tenant, channel);
    const message = log.append(channel, data);
    for (const deliver of log.subscribers) deliver(message);
    return { epoch: message.epoch, offset: message.offset, receivers: log.subscribers.size };
  }

  async subscribe(
    tenant: string,
    channel: string,
    onMessage: (message: BusMessage) => void,
    since?: Position,
  ): Promise<Subscription> {
    const log = this.#backend.log(tenant, channel);
    const missed = since && log.after(since);
    const deliver = (message: BusMessage): void => onMessage(message);
    log.subscribers.add(deliver);
    const end = this.#onClose(() => log.subscribers.delete(deliver));
    return {
      epoch: log.epoch,
      offset: log.offset,
      recovered: missed !== undefined,
      missed: missed ?? [],
      unsubscribe: async () => end(),
    };
  }

  async connectAgent(tenant: string, agentId: string, link: AgentLink): Promise<AgentHandle> {
    const key = scoped(tenant, agentId);
    const agent: Agent = { presence: { agentId, status: 'online' }, link };
    const before = this.#backend.agents.get(key);
    this.#backend.agents.set(key, agent);
    before?.link.replaced();
    this.#backend.announce(tenant, agent.presence);
    const current = (): boolean => this.#backend.agents.get(key) === agent;
    const end = this.#onClose(() => {
      if (!current()) return;
      this.#backend.agents.delete(key);
      this.#backend.announce(tenant, { agentId, status: 'offline' });
    });
    return {
      setStatus: async (status: AgentState, detail?: string) => {
        if (!current()) return;
        agent.presence = { agentId, status, ...(detail === undefined ? {} : { detail }) };
        this.#backend.announce(tenant, agent.presence);
      },
      answer: async ({ commandId, status, result }) => {
        const waiting = this.#backend.waiting.get(commandId);
        if (waiting?.agentKey !== key || !current()) return false;
        waiting.settle({ commandId, agentId, status, ...(result === undefined ? {} : { result }) });
        return true;
      },
      disconnect: async () => end(),
    };
  }

  async agents(tenant: string): Promise<AgentPresence[]> {
    const prefix = scoped(tenant, '');
    return [...this.#backend.agents].flatMap(([key, agent]) =>
      key.startsWith(prefix) ? [{ ...agent.presence }] : [],
    );
  }

  async watchAgents(tenant: string, onChange: (agent: AgentPresence) => void): Promise<() => void> {
    const watchers = this.#backend.watchers.get(tenant) ?? new Set();
    this.#backend.watchers.set(tenant, watchers);
    const watcher = (agent: AgentPresence): void => onChange(agent);
    watchers.add(watcher);
    return this.#onClose(() => {
      watchers.delete(watcher);
      if (watchers.size === 0) this.#backend.watchers.delete(tenant);
    });
  }

  async command(
    tenant: string,
    command: Command,
    timeoutMs: number,
    onOutcome: (outcome: CommandOutcome) => void,
  ): Promise<Dispatched> {
    const { commandId, agentId } = command;
    const agentKey = scoped(tenant, agentId);
    const agent = this.#backend.agents.get(agentKey);
    // Waits before it delivers: an agent of this process may answer before `deliver` returns.
    const cancel = this.#onClose(() => {
      this.#backend.waiting.delete(commandId);
      stopTimer();
    });
    const settle = (outcome: CommandOutcome): void => {
      cancel();
      onOutcome(outcome);
    };
    const stopTimer = this.#backend.clock.schedule(timeoutMs, () =>
      settle({ commandId, agentId, status: 'timeout' }),
    );
    this.#backend.waiting.set(commandId, { agentKey, settle });
    const delivered = agent?.link.deliver(command) ?? false;
    if (!delivered) cancel();
    return { delivered, cancel };
  }

  once<T>(key: string, effect: (effectId: string) => Promise<T>): Promise<Once<T>> {
    return this.#backend.answers.once(key, effect);
  }

  async revoke(sub: string): Promise<void> {
    this.#backend.rememberRevocation(sub, this.#backend.clock.epochMs());
    for (const watcher of this.#backend.revocationWatchers) watcher(sub);
  }

  async revokedAtMs(sub: string): Promise<number | undefined> {
    return this.#backend.revocations.get(sub);
  }

  async watchRevocations(onRevoked: (sub: string) => void): Promise<() => void> {
    const watcher = (sub: string): void => onRevoked(sub);
    this.#backend.revocationWatchers.add(watcher);
    return this.#onClose(() => this.#backend.revocationWatchers.delete(watcher));
  }

  async close(): Promise<void> {
    for (const cleanup of [...this.#cleanups]) cleanup();
  }

  /** Registers something to undo at `close()`; the returned function undoes it now. Either way it happens once. */
  #onClose(undo: () => unknown): () => void {
    const run = (): void => {
      if (this.#cleanups.delete(run)) undo();
    };
    this.#cleanups.add(run);
    return run;
  }
}
