// agent-command: a dashboard's command reaches its agent and the result comes back; without the agent it is NOT_DELIVERED.
import { randomUUID } from 'node:crypto';
import { type Check, failed, passed } from '../check.ts';
import { ackOf, answerOf, describeAnswers, type Envelope, type Exchange } from '../message.ts';

interface Evidence {
  agentId: string;
  agentConnect: Exchange;
  dashboardConnect: Exchange;
  command: Exchange;
  /** The same command with the same id once more. */
  repeated: Exchange;
  /** What reached the agent, in order. */
  delivered: Envelope[];
  result: Exchange;
  /** COMMAND_RESULT as pushed to the dashboard. */
  pushed: Envelope | null;
  toStranger: Exchange;
  /** Whether the dashboard heard that the agent had gone. */
  offline: boolean;
  afterwards: Exchange;
}

export const agentCommand: Check<Evidence> = {
  id: 'agent-command',
  title: 'Agent connects, a command makes its round trip',
  tags: ['quick'],
  needs: ['wsbench', 'mint'],
  impact: 'none',
  dependsOn: ['connect', 'dashboard-connect'],
  async run(context) {
    const agentId = `agent-${randomUUID()}`;
    const tenant = context.sub;
    const agent = await context.connect({
      endpoint: 'agent',
      token: await context.mint({ roles: ['agent'], tenant, sub: `${context.sub}-agent` }),
    });
    const dashboard = await context.connect({
      endpoint: 'dashboard',
      token: await context.mint({ roles: ['dashboard'], tenant }),
    });
    const agentConnect = await agent.request('AGENT_CONNECT', { agentId });
    const dashboardConnect = await dashboard.request('DASHBOARD_CONNECT');
    const order = { agentId, command: 'restart', args: { mark: context.sub } };
    const command = await dashboard.request('COMMAND', order);
    const received = await agent.next(({ type }) => type === 'COMMAND');
    const repeated = await dashboard.request('COMMAND', order, command.id);
    const commandId = String(received?.payload.commandId);
    const result = await agent.request('COMMAND_RESULT', { commandId, status: 'ok', result: context.sub });
    const pushed = await dashboard.next(({ type }) => type === 'COMMAND_RESULT');
    const toStranger = await dashboard.request('COMMAND', { ...order, agentId: `agent-${randomUUID()}` });
    const delivered = agent.envelopes.filter(({ type }) => type === 'COMMAND');
    await agent.close();
    const offline = await dashboard.next(
      ({ type, payload }) => type === 'AGENT_STATUS' && payload.status === 'offline',
    );
    const afterwards = await dashboard.request('COMMAND', order);
    return {
      ...{ agentId, agentConnect, dashboardConnect, command, repeated, delivered, result, toStranger },
      pushed: pushed ?? null,
      offline: offline?.payload.agentId === agentId,
      afterwards,
    };
  },
  judge(evidence) {
    const { agentId, agentConnect, dashboardConnect, command, repeated, delivered, result, pushed } =
      evidence;
    if (!ackOf(agentConnect)) return failed('ACK for AGENT_CONNECT', describeAnswers(agentConnect));
    if (!lists(ackOf(dashboardConnect), agentId)) {
      return failed('ACK for DASHBOARD_CONNECT that lists the agent', describeAnswers(dashboardConnect));
    }
    const ack = ackOf(command);
    if (!ack) return failed('ACK for COMMAND', describeAnswers(command));
    const [order] = delivered;
    if (!order) return failed('the COMMAND at the agent after its ACK', 'nothing');
    if (order.payload.commandId !== ack.payload.commandId || order.payload.command !== 'restart') {
      return failed(
        'the COMMAND as it was sent, with the commandId of its ACK',
        JSON.stringify(order.payload),
      );
    }
    if (delivered.length > 1 || ackOf(repeated)?.payload.duplicate !== true) {
      return failed(
        'a repeated id to have no second effect and its ACK to say duplicate: true',
        `${delivered.length} COMMANDs at the agent, ${describeAnswers(repeated)}`,
      );
    }
    if (!ackOf(result)) return failed('ACK for COMMAND_RESULT', describeAnswers(result));
    if (pushed?.payload.commandId !== ack.payload.commandId || pushed?.payload.status !== 'ok') {
      return failed(
        'COMMAND_RESULT ok pushed to the dashboard',
        pushed ? JSON.stringify(pushed.payload) : 'nothing',
      );
    }
    for (const [to, exchange] of [
      ['an unknown agent', evidence.toStranger],
      ['an agent that has gone', evidence.afterwards],
    ] as const) {
      if (answerOf(exchange, 'ERROR')?.payload.code !== 'NOT_DELIVERED') {
        return failed(`ERROR NOT_DELIVERED for a COMMAND to ${to}`, describeAnswers(exchange));
      }
    }
    if (!evidence.offline) return failed('AGENT_STATUS offline pushed to the dashboard', 'nothing');
    return passed('ACK, COMMAND, COMMAND_RESULT; NOT_DELIVERED without the agent');
  },
};

function lists(ack: Envelope | undefined, agentId: string): boolean {
  const agents = ack?.payload.agents;
  return (
    Array.isArray(agents) && agents.some((agent) => (agent as { agentId?: unknown }).agentId === agentId)
  );
}
