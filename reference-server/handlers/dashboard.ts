// What a dashboard does: watch agents and send them commands.
import { randomUUID } from 'node:crypto';
import type { CommandOutcome } from '../bus/bus.ts';
import { Refusal } from '../refusal.ts';
import { ack, type Handler, identityOfCall } from './handler.ts';

/** Commands of one connection that may wait for their result at a time. */
const maxPendingCommands = 100;

export const dashboardConnect: Handler<'DASHBOARD_CONNECT'> = {
  access: ['dashboard'],
  remember: 'connection',
  async handle(call) {
    const { connection, server } = call;
    const { tenant } = identityOfCall(call);
    if (!connection.dashboard) {
      const stopWatching = await server.bus.watchAgents(tenant, (agent) =>
        connection.send('AGENT_STATUS', agent),
      );
      connection.dashboard = { sessionId: randomUUID(), stopWatching };
    }
    const agents = await server.bus.agents(tenant);
    return ack({
      for: 'DASHBOARD_CONNECT',
      sessionId: connection.dashboard.sessionId,
      agents: agents.map(({ agentId, status }) => ({ agentId, status })),
    });
  },
};

export const command: Handler<'COMMAND'> = {
  access: ['dashboard'],
  remember: 'subject',
  async handle(call) {
    const { payload, connection, server } = call;
    const { tenant } = identityOfCall(call);
    if (connection.commands.size >= maxPendingCommands) {
      throw new Refusal('LIMIT_EXCEEDED', `${maxPendingCommands} commands are waiting for their result`);
    }
    const commandId = call.effectId ?? randomUUID();
    const { agentId } = payload;
    // An outcome may come before the ACK has gone out: the agent is quick, or the bus slow to say "delivered".
    let early: CommandOutcome[] | undefined = [];
    const dispatched = await server.bus.command(
      tenant,
      { commandId, ...payload },
      server.options.commandTimeoutMs,
      (outcome) => {
        connection.commands.delete(commandId);
        if (early) early.push(outcome);
        else connection.send('COMMAND_RESULT', outcome);
      },
    );
    if (!dispatched.delivered)
      throw new Refusal('NOT_DELIVERED', `agent ${agentId} is not connected, or has too much to answer`);
    if (early.length === 0) connection.commands.set(commandId, dispatched);
    return ack({ for: 'COMMAND', agentId, commandId }, () => {
      for (const outcome of early ?? []) connection.send('COMMAND_RESULT', outcome);
      early = undefined;
    });
  },
};
