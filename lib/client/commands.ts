// COMMAND and its result, which comes later, and only on the connection that the command was sent on.
import type { ClientClock } from './clock.ts';
import { ClientError } from './errors.ts';
import { fieldsOf, type ServerMessage, textOf } from './messages.ts';
import type { Outgoing } from './outbox.ts';

/**
 * What became of a command.
 *
 * @example
 * import { type CommandResult, createClient } from 'wsbench/client';
 * const dashboard = createClient('wss://service.example/ws', { token: getToken });
 * const agent = createClient('wss://service.example/ws', { token: getToken });
 * agent.on('open', () => agent.request('AGENT_CONNECT', { agentId: 'builder-7' }));
 * let answered: Promise<unknown> | undefined;
 * agent.on('push', ({ type, payload }) => {
 *   if (type !== 'COMMAND') return;
 *   const { commandId } = payload as { commandId: string };
 *   answered = agent.request('COMMAND_RESULT', { commandId, status: 'ok', result: 42 });
 * });
 * await Promise.all([agent.connect(), dashboard.connect()]);
 * await agent.ping(); // answers come in order: the agent is known by now
 * const done: CommandResult = await dashboard.command('builder-7', 'build', { args: { target: 'all' } });
 * console.log(done.status, done.result); // ok 42
 * await answered;
 * await Promise.all([agent.close(), dashboard.close()]);
 */
export interface CommandResult {
  commandId: string;
  agentId: string;
  /** `timeout`: the agent got the command and did not answer in time. */
  status: 'ok' | 'error' | 'timeout';
  result: unknown;
}

interface Waiter {
  resolve: (result: CommandResult) => void;
  fail: (error: ClientError) => void;
}

/** Commands that were delivered and have no result yet. */
export class Commands {
  readonly #clock: ClientClock;
  readonly #waiters = new Map<string, Waiter>();

  constructor(clock: ClientClock) {
    this.#clock = clock;
  }

  /** Sends a command and waits for its result; one deadline and one signal for both. */
  run(outgoing: Outgoing, add: (outgoing: Outgoing) => Promise<ServerMessage>): Promise<CommandResult> {
    const { signal, timeoutMs } = outgoing;
    const dueMs = this.#clock.nowMs() + timeoutMs;
    return new Promise((resolve, reject) => {
      const answered = (message: ServerMessage, isFirst: boolean): void => {
        const { commandId, duplicate } = fieldsOf(message);
        const id = textOf(commandId);
        if (id === undefined || (duplicate === true && !isFirst)) {
          reject(new ClientError('LOST', lost, { outcome: 'unknown' }));
          return;
        }
        const fail = (error: ClientError): void => {
          end();
          reject(error);
        };
        const abort = (): void =>
          fail(
            new ClientError('ABORTED', 'COMMAND: the caller gave up', {
              outcome: 'unknown',
              cause: signal?.reason,
            }),
          );
        const cancel = this.#clock.schedule(dueMs - this.#clock.nowMs(), () =>
          fail(
            new ClientError('TIMEOUT', `COMMAND: no result within ${timeoutMs} ms`, { outcome: 'unknown' }),
          ),
        );
        const end = (): void => {
          cancel();
          signal?.removeEventListener('abort', abort);
          this.#waiters.delete(id);
        };
        signal?.addEventListener('abort', abort);
        this.#waiters.set(id, {
          resolve: (result) => {
            end();
            resolve(result);
          },
          fail,
        });
      };
      add({ ...outgoing, answered }).catch(reject);
    });
  }

  /** Takes COMMAND_RESULT. @returns whether somebody waits for it */
  receive(message: ServerMessage): boolean {
    const { commandId, agentId, status, result } = fieldsOf(message);
    const waiter = this.#waiters.get(textOf(commandId) ?? '');
    if (!waiter) return false;
    waiter.resolve({
      commandId: textOf(commandId) ?? '',
      agentId: textOf(agentId) ?? '',
      status: status === 'ok' || status === 'timeout' ? status : 'error',
      result,
    });
    return true;
  }

  /** The connection has ended, or the client: no result comes any more. */
  end(code: ClientError['code']): void {
    for (const { fail } of this.#waiters.values()) fail(new ClientError(code, lost, { outcome: 'unknown' }));
  }
}

const lost = 'COMMAND: it was delivered, and its result went to a connection that has ended';
