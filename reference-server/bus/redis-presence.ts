// Who watches the agents of a tenant is told every change: as it comes, and, where some were missed, by comparing with what was known.
import type { AgentPresence } from './bus.ts';
import { PerSession } from './per-session.ts';
import type { RedisContext } from './redis-context.ts';
import { listScript } from './redis-scripts.ts';
import type { RedisSession } from './redis-session.ts';
import { presenceWire, readWire } from './redis-wire.ts';

interface Tenant {
  readonly id: string;
  readonly watchers: Set<(agent: AgentPresence) => void>;
  /** How each agent was, when watchers were last told. */
  known: Map<string, AgentPresence>;
  /** Changes so far; unset until the list was read. */
  changes: number | undefined;
  /** Changes that came while the list is read; unset while what comes is in line. */
  held: { n: number; agent: AgentPresence }[] | undefined;
  /** Hearing the changes. */
  readonly opening: PerSession<RedisSession>;
  /** Reading the list. */
  readonly reading: PerSession<RedisSession>;
  /** Those that were not in the list any more: gone, or held by an instance that has yet to come back. Since when. */
  missing: Map<string, number>;
}

/** Changes that wait while the list is read. */
const maxHeld = 10_000;

export class RedisPresence {
  readonly #context: RedisContext;
  readonly #common: readonly string[];
  readonly #tenants = new Map<string, Tenant>();

  constructor(context: RedisContext, common: readonly string[]) {
    this.#context = context;
    this.#common = common;
  }

  async list(tenant: string): Promise<AgentPresence[]> {
    return (await this.#read(this.#context.link.session, tenant)).agents;
  }

  async watch(id: string, onChange: (agent: AgentPresence) => void): Promise<() => void> {
    const { session } = this.#context.link;
    const name = this.#nameOf(id);
    const tenant = this.#tenants.get(name) ?? newTenant(id);
    this.#tenants.set(name, tenant);
    const watcher = (agent: AgentPresence): void => onChange(agent);
    tenant.watchers.add(watcher);
    const stop = (): void => this.#stop(name, tenant, watcher);
    try {
      await tenant.opening.run(session, async () => {
        await session.subscribe([name]);
        await this.#catchUp(tenant, session);
      });
      return stop;
    } catch (error) {
      stop();
      throw error;
    }
  }

  names(): string[] {
    return [...this.#tenants.keys()];
  }

  message(name: string, text: string): boolean {
    const tenant = this.#tenants.get(name);
    if (!tenant) return false;
    const read = readWire(presenceWire, text, this.#context.names.prefix);
    if (read.ok) this.#take(tenant, read.body.n, read.body.a as AgentPresence);
    else this.#context.dropped(read.why);
    return true;
  }

  async resume(session: RedisSession, isNew: boolean): Promise<void> {
    for (const tenant of this.#tenants.values()) {
      if (!isNew) continue;
      tenant.opening.settle(session);
      tenant.held ??= [];
    }
    await this.#readAll(session);
  }

  async beat(session: RedisSession): Promise<void> {
    for (const tenant of this.#tenants.values()) if (tenant.missing.size > 0) tenant.held ??= [];
    await this.#readAll(session);
  }

  clear(): void {
    for (const { watchers } of this.#tenants.values()) watchers.clear();
    this.#tenants.clear();
  }

  async #readAll(session: RedisSession): Promise<void> {
    const behind = [...this.#tenants.values()].filter(({ held, opening }) => held && opening.session);
    await Promise.all(behind.map((tenant) => this.#catchUp(tenant, session)));
  }

  #stop(name: string, tenant: Tenant, watcher: (agent: AgentPresence) => void): void {
    if (!tenant.watchers.delete(watcher) || tenant.watchers.size > 0) return;
    if (this.#tenants.get(name) !== tenant) return;
    this.#tenants.delete(name);
    const { link } = this.#context;
    if (link.isUp) link.session.unsubscribe(name).catch(() => {});
  }

  #take(tenant: Tenant, n: number, agent: AgentPresence): void {
    if (tenant.held) {
      tenant.held.push({ n, agent });
      if (tenant.held.length > maxHeld) tenant.held.shift();
      return;
    }
    const changes = tenant.changes ?? 0;
    if (n === changes + 1) {
      tenant.changes = n;
      this.#tell(tenant, agent);
      return;
    }
    // 1 comes again when the count was lost with everything else.
    if (n <= changes && n !== 1) return;
    tenant.held = [{ n, agent }];
    const { session } = tenant.opening;
    if (session) this.#catchUp(tenant, session).catch(() => {});
  }

  #tell(tenant: Tenant, agent: AgentPresence): void {
    const before = tenant.known.get(agent.agentId);
    // Its instance has put it back as it was, after a restart of Redis: nobody was told that it was gone.
    const isBack = tenant.missing.delete(agent.agentId) && isSame(before, agent);
    if (isBack) return;
    if (agent.status === 'offline') tenant.known.delete(agent.agentId);
    else tenant.known.set(agent.agentId, agent);
    for (const watcher of tenant.watchers) watcher(agent);
  }

  #catchUp(tenant: Tenant, session: RedisSession): Promise<void> {
    return tenant.reading.run(session, (isCurrent) => this.#readUp(tenant, session, isCurrent));
  }

  async #readUp(tenant: Tenant, session: RedisSession, isCurrent: () => boolean): Promise<void> {
    const { changes, agents } = await this.#read(session, tenant.id);
    if (!isCurrent()) return;
    this.#compare(tenant, agents);
    tenant.changes = changes;
    const held = tenant.held ?? [];
    tenant.held = undefined;
    for (const { n, agent } of held) if (n === tenant.changes + 1) this.#take(tenant, n, agent);
  }

  #compare(tenant: Tenant, agents: AgentPresence[]): void {
    const isFirst = tenant.changes === undefined;
    const present = new Map(agents.map((agent) => [agent.agentId, agent]));
    for (const agent of agents) {
      const before = tenant.known.get(agent.agentId);
      if (isFirst) tenant.known.set(agent.agentId, agent);
      else if (!isSame(before, agent)) this.#tell(tenant, agent);
      else tenant.missing.delete(agent.agentId);
    }
    const nowMs = performance.now();
    for (const agentId of [...tenant.known.keys()].filter((known) => !present.has(known))) {
      // After a restart of Redis, each instance has to put its agents back: time enough for that.
      const sinceMs = tenant.missing.get(agentId) ?? nowMs;
      tenant.missing.set(agentId, sinceMs);
      if (nowMs - sinceMs >= this.#context.bounds.lifeMs) this.#tell(tenant, { agentId, status: 'offline' });
    }
  }

  async #read(session: RedisSession, tenant: string): Promise<{ changes: number; agents: AgentPresence[] }> {
    const words = [...this.#common, tenant];
    const [changes, pairs] = (await session.run(listScript, [], words)) as [number, string[]];
    // Ids and values in turn; a value is the instance's id, the handle's, and the state.
    const agents = pairs.flatMap((value, index) =>
      index % 2 === 1 ? [JSON.parse(value.slice(72)) as AgentPresence] : [],
    );
    return { changes, agents };
  }

  #nameOf(tenant: string): string {
    return `${this.#context.names.presence}${tenant}`;
  }
}

function isSame(before: AgentPresence | undefined, now: AgentPresence): boolean {
  return before?.status === now.status && before.detail === now.detail;
}

function newTenant(id: string): Tenant {
  return {
    id,
    watchers: new Set(),
    known: new Map(),
    changes: undefined,
    held: [],
    opening: new PerSession(true),
    reading: new PerSession(false),
    missing: new Map(),
  };
}
