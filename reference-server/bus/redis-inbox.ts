// What one instance asks of another, by its channel: said once, answered within the deadline, or counted as not done.
import { randomUUID } from 'node:crypto';
import type { Command, CommandOutcome } from './bus.ts';
import type { RedisContext, RedisPart } from './redis-context.ts';
import { tellScript } from './redis-scripts.ts';
import { callMs } from './redis-session.ts';
import { type InboxMessage, inboxWire, readWire, wireText } from './redis-wire.ts';

/** What may be asked. */
export type Question =
  | { kind: 'command'; tenant: string; command: Command }
  | { kind: 'outcome'; tenant: string; outcome: CommandOutcome };

export interface InboxHandlers {
  /** Writes a command to the agent's socket, if it is here. */
  command(tenant: string, command: Command, from: string): boolean;
  /** Hands an outcome to whoever waits for it here. */
  outcome(tenant: string, outcome: CommandOutcome): boolean;
  /** An agent that was here is elsewhere now. */
  replaced(handle: string): void;
}

export class RedisInbox implements RedisPart {
  readonly #context: RedisContext;
  readonly #handlers: InboxHandlers;
  readonly #asked = new Map<string, (ok: boolean) => void>();

  constructor(context: RedisContext, handlers: InboxHandlers) {
    this.#context = context;
    this.#handlers = handlers;
  }

  /**
   * Asks, by whatever way `send` takes (it returns how many were told), and waits for the answer. False also when none came in time.
   * Rejects with BusUnavailable when Redis cannot be asked.
   */
  async ask(question: Question, send: (text: string) => Promise<number>): Promise<boolean> {
    const { link, names, instance } = this.#context;
    const id = randomUUID();
    // Whoever reads it later than this does nothing: nobody waits any more.
    const untilMs = link.session.redisMs + callMs;
    const text = wireText(names.prefix, { ...question, id, from: instance, untilMs });
    let timer: NodeJS.Timeout | undefined;
    const answered = new Promise<boolean>((resolve) => {
      this.#asked.set(id, resolve);
      timer = setTimeout(() => resolve(false), callMs);
    });
    try {
      return (await send(text)) > 0 && (await answered);
    } finally {
      clearTimeout(timer);
      this.#asked.delete(id);
    }
  }

  /** Asks the instance with this id. */
  askInstance(instance: string, question: Question): Promise<boolean> {
    return this.ask(question, async (text) => {
      const name = `${this.#context.names.inboxes}${instance}`;
      return (await this.#context.link.session.run(tellScript, [], [name, text])) as number;
    });
  }

  names(): string[] {
    return [`${this.#context.names.inboxes}${this.#context.instance}`];
  }

  message(name: string, text: string): boolean {
    const { names, instance, dropped } = this.#context;
    if (name !== `${names.inboxes}${instance}`) return false;
    const read = readWire(inboxWire, text, names.prefix);
    if (read.ok) this.#take(read.body);
    else dropped(read.why);
    return true;
  }

  async resume(): Promise<void> {}

  async beat(): Promise<void> {}

  #take(message: InboxMessage): void {
    if (message.kind === 'replaced') {
      this.#handlers.replaced(message.handle);
      return;
    }
    if (message.kind === 'reply') {
      const answer = this.#asked.get(message.id);
      if (!answer) this.#context.dropped('unknown');
      answer?.(message.ok);
      return;
    }
    const { link, names } = this.#context;
    if (!link.isUp || link.session.redisMs > message.untilMs) return;
    const ok =
      message.kind === 'command'
        ? this.#handlers.command(message.tenant, message.command as Command, message.from)
        : this.#handlers.outcome(message.tenant, message.outcome as CommandOutcome);
    const reply = wireText(names.prefix, { kind: 'reply', id: message.id, ok });
    link.session.run(tellScript, [], [`${names.inboxes}${message.from}`, reply]).catch(() => {});
  }
}
