// Agents: which instance holds the socket of which, and how they are.
import { randomUUID } from 'node:crypto';
import type { AgentLink, AgentPresence, AgentState, Command } from './bus.ts';
import type { RedisContext, RedisPart } from './redis-context.ts';
import { RedisPresence } from './redis-presence.ts';
import {
  beatScript,
  enterScript,
  exitScript,
  heldScript,
  leaveScript,
  statusScript,
} from './redis-scripts.ts';
import type { RedisSession, Script } from './redis-session.ts';
import { wireVersion } from './redis-wire.ts';
import { scoped } from './scoped.ts';

/** Commands whose sender is remembered, an agent. */
const maxCommands = 1000;

/** An agent whose socket is here. */
export interface LocalAgent {
  readonly tenant: string;
  readonly handle: string;
  readonly link: AgentLink;
  presence: AgentPresence;
  /** Instances that sent it commands, by the command's id. */
  readonly senders: Map<string, string>;
}

export class RedisAgents implements RedisPart {
  readonly presence: RedisPresence;
  readonly #context: RedisContext;
  readonly #local = new Map<string, LocalAgent>();
  readonly #common: readonly string[];
  /** Whether Redis may hold something else than we do. */
  #unsure = false;

  constructor(context: RedisContext) {
    this.#context = context;
    const { agents, changes, presence, held, inboxes, prefix } = context.names;
    const start = `{"v":${wireVersion},"p":${JSON.stringify(prefix)},`;
    this.#common = [agents, changes, presence, held, inboxes, start];
    this.presence = new RedisPresence(context, this.#common);
  }

  /** Arguments that every script about agents starts with. */
  get common(): readonly string[] {
    return this.#common;
  }

  find(tenant: string, agentId: string): LocalAgent | undefined {
    return this.#local.get(scoped(tenant, agentId));
  }

  async connect(tenant: string, agentId: string, link: AgentLink): Promise<LocalAgent> {
    const { session } = this.#context.link;
    const handle = randomUUID();
    const agent: LocalAgent = {
      ...{ tenant, handle, link },
      presence: { agentId, status: 'online' },
      senders: new Map(),
    };
    const key = scoped(tenant, agentId);
    const before = this.#local.get(key);
    // A command may come before the answer does.
    this.#local.set(key, agent);
    try {
      await this.#enter(session, agent, true);
    } catch (error) {
      this.#unsure = true;
      if (this.#local.get(key) === agent) {
        if (before) this.#local.set(key, before);
        else this.#local.delete(key);
      }
      throw error;
    }
    before?.link.replaced();
    return agent;
  }

  isCurrent(agent: LocalAgent): boolean {
    return this.find(agent.tenant, agent.presence.agentId) === agent;
  }

  async setStatus(agent: LocalAgent, status: AgentState, detail?: string): Promise<void> {
    if (!this.isCurrent(agent)) return;
    const { session } = this.#context.link;
    const { agentId } = agent.presence;
    const presence = { agentId, status, ...(detail === undefined ? {} : { detail }) };
    await this.#about(session, statusScript, [
      ...[agent.tenant, agentId, this.#owner(agent.handle), JSON.stringify(presence)],
    ]);
    agent.presence = presence;
  }

  /** Never rejects: what Redis does not hear now it hears when it is back. */
  async disconnect(agent: LocalAgent): Promise<void> {
    if (!this.isCurrent(agent)) return;
    const { agentId } = agent.presence;
    this.#local.delete(scoped(agent.tenant, agentId));
    try {
      await this.#about(this.#context.link.session, exitScript, [
        ...[agent.tenant, agentId, this.#owner(agent.handle)],
      ]);
    } catch {
      this.#unsure = true;
    }
  }

  /** Writes a command to its agent's socket: once, however often it is sent. */
  deliver(tenant: string, command: Command, from: string): boolean {
    const agent = this.find(tenant, command.agentId);
    if (!agent) return false;
    const isNew = !agent.senders.has(command.commandId);
    if (isNew && !agent.link.deliver(command)) return false;
    agent.senders.delete(command.commandId);
    agent.senders.set(command.commandId, from);
    for (const [oldest] of agent.senders) {
      if (agent.senders.size <= maxCommands) break;
      agent.senders.delete(oldest);
    }
    return true;
  }

  /** Another instance has taken an agent over. */
  replaced(handle: string): void {
    for (const [key, agent] of this.#local) {
      if (agent.handle !== handle) continue;
      this.#local.delete(key);
      agent.link.replaced();
    }
  }

  names(): string[] {
    return this.presence.names();
  }

  message(name: string, text: string): boolean {
    return this.presence.message(name, text);
  }

  async resume(session: RedisSession, isNew: boolean): Promise<void> {
    await this.#beat(session, false);
    if (isNew || this.#unsure) await this.#agree(session);
    await this.presence.resume(session, isNew);
  }

  async beat(session: RedisSession, steadyMs: number): Promise<void> {
    const wasKnown = await this.#beat(session, steadyMs >= this.#context.bounds.lifeMs);
    if (!wasKnown || this.#unsure) await this.#agree(session);
    await this.presence.beat(session);
  }

  /** Takes this instance out of Redis, with all its agents. */
  async leave(): Promise<void> {
    this.#local.clear();
    this.presence.clear();
    const { link, names, instance } = this.#context;
    if (!link.isUp) return;
    const keys = [names.instances];
    await link.session.run(leaveScript, keys, [...this.#common, instance]).catch(() => {});
  }

  /** Says that this instance lives. False: it was given up, or Redis has forgotten everything. */
  async #beat(session: RedisSession, looks: boolean): Promise<boolean> {
    const { names, instance, bounds } = this.#context;
    const words = [...this.#common, instance, bounds.lifeMs, looks ? '1' : '0'];
    return (await session.run(beatScript, [names.instances], words)) === 1;
  }

  /** Makes Redis hold exactly the agents that are here. */
  async #agree(session: RedisSession): Promise<void> {
    this.#unsure = false;
    try {
      const held = (await this.#about(session, heldScript, [this.#context.instance])) as string[];
      for (const member of held) {
        const at = member.lastIndexOf('\n');
        const [tenant, agentId] = [member.slice(0, at), member.slice(at + 1)];
        if (!this.find(tenant, agentId)) {
          await this.#about(session, exitScript, [tenant, agentId, this.#context.instance]);
        }
      }
      await Promise.all(
        [...this.#local.values()].map(async (agent) => {
          if (await this.#enter(session, agent, false)) return;
          this.replaced(agent.handle);
          // What has its place may be a try of ours to connect whose success was never heard of.
          const { tenant, presence } = agent;
          if (this.find(tenant, presence.agentId)) return;
          await this.#about(session, exitScript, [tenant, presence.agentId, this.#context.instance]);
        }),
      );
    } catch (error) {
      this.#unsure = true;
      throw error;
    }
  }

  async #enter(session: RedisSession, agent: LocalAgent, takes: boolean): Promise<boolean> {
    const { tenant, handle, presence } = agent;
    const state = JSON.stringify(presence);
    const words = [tenant, presence.agentId, this.#owner(handle), state, takes ? '1' : '0'];
    return (await this.#about(session, enterScript, words)) === 1;
  }

  #owner(handle: string): string {
    return `${this.#context.instance}${handle}`;
  }

  #about(session: RedisSession, script: Script, words: readonly string[]): Promise<unknown> {
    return session.run(script, [], [...this.#common, ...words]);
  }
}
