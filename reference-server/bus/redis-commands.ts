// Commands: to the instance that holds the agent's socket, and the outcome back to the one that waits for it.
import type { Command, CommandOutcome, Dispatched } from './bus.ts';
import type { LocalAgent, RedisAgents } from './redis-agents.ts';
import type { RedisContext } from './redis-context.ts';
import { RedisInbox } from './redis-inbox.ts';
import { routeScript } from './redis-scripts.ts';
import { scoped } from './scoped.ts';

interface Waiting {
  agentKey: string;
  settle(outcome: CommandOutcome): void;
}

export class RedisCommands {
  readonly inbox: RedisInbox;
  readonly #context: RedisContext;
  readonly #agents: RedisAgents;
  readonly #waiting = new Map<string, Waiting>();
  readonly #cancels = new Set<() => void>();

  constructor(context: RedisContext, agents: RedisAgents) {
    this.#context = context;
    this.#agents = agents;
    this.inbox = new RedisInbox(context, {
      command: (tenant, command, from) => agents.deliver(tenant, command, from),
      outcome: (tenant, outcome) => this.#settle(tenant, outcome),
      replaced: (handle) => agents.replaced(handle),
    });
  }

  async dispatch(
    tenant: string,
    command: Command,
    timeoutMs: number,
    onOutcome: (outcome: CommandOutcome) => void,
  ): Promise<Dispatched> {
    const { commandId, agentId } = command;
    const cancel = (): void => {
      stopTimer();
      this.#cancels.delete(cancel);
      if (this.#waiting.get(commandId) === waiting) this.#waiting.delete(commandId);
    };
    const waiting: Waiting = {
      agentKey: scoped(tenant, agentId),
      settle: (outcome) => {
        cancel();
        onOutcome(outcome);
      },
    };
    const stopTimer = this.#context.clock.schedule(timeoutMs, () =>
      waiting.settle({ commandId, agentId, status: 'timeout' }),
    );
    // Waits before it is sent: the outcome may overtake the word that it was written.
    this.#waiting.set(commandId, waiting);
    this.#cancels.add(cancel);
    try {
      const delivered = await this.#send(tenant, command);
      if (!delivered) cancel();
      return { delivered, cancel };
    } catch (error) {
      cancel();
      throw error;
    }
  }

  /** Passes an agent's answer on to the instance that sent the command. False: nobody waits there any more. */
  async answer(agent: LocalAgent, outcome: CommandOutcome): Promise<boolean> {
    const { instance } = this.#context;
    const from = agent.senders.get(outcome.commandId);
    if (from === undefined || !this.#agents.isCurrent(agent)) return false;
    if (from === instance) return this.#settle(agent.tenant, outcome);
    return this.inbox.askInstance(from, { kind: 'outcome', tenant: agent.tenant, outcome });
  }

  clear(): void {
    for (const cancel of [...this.#cancels]) cancel();
  }

  async #send(tenant: string, command: Command): Promise<boolean> {
    const { link, instance } = this.#context;
    // Without Redis an agent of this very instance can be reached still.
    if (!link.isUp && this.#agents.deliver(tenant, command, instance)) return true;
    const { session } = link;
    return this.inbox.ask({ kind: 'command', tenant, command }, async (message) => {
      const words = [...this.#agents.common, tenant, command.agentId, message];
      return (await session.run(routeScript, [], words)) as number;
    });
  }

  #settle(tenant: string, outcome: CommandOutcome): boolean {
    const waiting = this.#waiting.get(outcome.commandId);
    if (waiting?.agentKey !== scoped(tenant, outcome.agentId)) return false;
    waiting.settle(outcome);
    return true;
  }
}
