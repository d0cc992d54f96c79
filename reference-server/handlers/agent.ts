// What an agent does: come online, say how it is, answer commands.
import { randomUUID } from 'node:crypto';
import type { Command } from '../bus/bus.ts';
import { closes } from '../close-codes.ts';
import type { ConnectedAgent, Connection } from '../connection.ts';
import { Refusal } from '../refusal.ts';
import { ack, type Call, type Handler, identityOfCall } from './handler.ts';

export const agentConnect: Handler<'AGENT_CONNECT'> = {
  access: ['agent'],
  remember: 'connection',
  async handle(call) {
    const { payload, connection, server } = call;
    const { agentId } = payload;
    if (connection.agent && connection.agent.agentId !== agentId) {
      throw new Refusal('INVALID_MESSAGE', `this connection is agent ${connection.agent.agentId} already`);
    }
    if (!connection.agent) {
      const pendingCommands = new Map<string, number>();
      const handle = await server.bus.connectAgent(identityOfCall(call).tenant, agentId, {
        deliver: (command) => deliver(call, pendingCommands, command),
        replaced: () => connection.close(closes.replaced),
      });
      connection.agent = { agentId, sessionId: randomUUID(), handle, pendingCommands };
    }
    return ack({ for: 'AGENT_CONNECT', agentId, sessionId: connection.agent.sessionId });
  },
};

export const agentStatus: Handler<'AGENT_STATUS'> = {
  access: ['agent'],
  remember: 'connection',
  async handle({ payload, connection }) {
    const { agentId, handle } = connectedAgent(connection);
    await handle.setStatus(payload.status, payload.detail);
    return ack({ for: 'AGENT_STATUS', agentId, status: payload.status });
  },
};

export const commandResult: Handler<'COMMAND_RESULT'> = {
  access: ['agent'],
  remember: 'subject',
  async handle({ payload, connection }) {
    const { commandId } = payload;
    const { handle, pendingCommands } = connectedAgent(connection);
    pendingCommands.delete(commandId);
    if (!(await handle.answer(payload))) {
      throw new Refusal('NOT_DELIVERED', 'nobody waits for the result of this command');
    }
    return ack({ for: 'COMMAND_RESULT', commandId });
  },
};

/** Writes a command to the agent's socket, unless it has as many to answer as it may. */
function deliver(
  { connection, server }: Call<'AGENT_CONNECT'>,
  pendingCommands: Map<string, number>,
  command: Command,
): boolean {
  const { clock, commandTimeoutMs } = server.options;
  const nowMs = clock.nowMs();
  // All wait for the same time: the oldest stand first.
  for (const [oldest, endsAtMs] of pendingCommands) {
    if (endsAtMs > nowMs) break;
    pendingCommands.delete(oldest);
  }
  if (pendingCommands.size >= server.guards.maxPendingPerAgent) return false;
  if (!connection.send('COMMAND', command)) return false;
  pendingCommands.set(command.commandId, nowMs + commandTimeoutMs);
  return true;
}

function connectedAgent(connection: Connection): ConnectedAgent {
  if (!connection.agent) throw new Refusal('INVALID_MESSAGE', 'send AGENT_CONNECT first');
  return connection.agent;
}
