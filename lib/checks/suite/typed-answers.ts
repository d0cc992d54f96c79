// typed-answers: every request type gets exactly one answer of its own kind with its id; PONG gets none.
import { randomUUID } from 'node:crypto';
import { type Check, failed, passed } from '../check.ts';
import type { CheckConnection } from '../connection.ts';
import type { Context } from '../context.ts';
import { describeAnswers, describeMessage, type Envelope, type Exchange } from '../message.ts';

interface Evidence {
  exchanges: Exchange[];
  /** Answers to a PONG that carried an id. */
  toPong: Envelope[];
  /** Messages that look like an answer and belong to no request. */
  stray: Envelope[];
}

/** How each request type is answered: the type of the answer, and the context that an ACK must carry. */
const answers: Record<string, { type: 'PONG' | 'ECHO' | 'ACK'; context: readonly string[] }> = {
  PING: { type: 'PONG', context: ['serverTime'] },
  ECHO: { type: 'ECHO', context: [] },
  AUTH: { type: 'ACK', context: ['sub', 'roles', 'expiresAt'] },
  DASHBOARD_CONNECT: { type: 'ACK', context: ['sessionId', 'agents'] },
  SUBSCRIBE: { type: 'ACK', context: ['channel', 'epoch', 'offset', 'recovered'] },
  PUBLISH: { type: 'ACK', context: ['channel', 'epoch', 'offset', 'receivers'] },
  UNSUBSCRIBE: { type: 'ACK', context: ['channel'] },
  AGENT_CONNECT: { type: 'ACK', context: ['agentId', 'sessionId'] },
  AGENT_STATUS: { type: 'ACK', context: ['agentId', 'status'] },
  COMMAND: { type: 'ACK', context: ['agentId', 'commandId'] },
  COMMAND_RESULT: { type: 'ACK', context: ['commandId'] },
};

export const typedAnswers: Check<Evidence> = {
  id: 'typed-answers',
  title: 'Every request gets one typed answer',
  tags: ['quick'],
  needs: ['wsbench', 'mint'],
  impact: 'none',
  dependsOn: ['connect', 'heartbeat', 'echo', 'dashboard-connect', 'agent-command', 'publish-subscribe'],
  async run(context) {
    const tenant = context.sub;
    const dashboardToken = await context.mint({ roles: ['dashboard'], tenant });
    const agentToken = await context.mint({ roles: ['agent'], tenant, sub: `${context.sub}-agent` });
    const dashboard = await context.connect({ token: dashboardToken });
    const agent = await context.connect({ token: agentToken });
    const exchanges = await converse(context, dashboard, agent, dashboardToken);

    const pongId = randomUUID();
    dashboard.send({ type: 'PONG', id: pongId });
    // A last round trip on each, and a moment: what was sent late has arrived by then.
    exchanges.push(await dashboard.request('PING'), await agent.request('PING'));
    await context.sleep(100);
    // What answered the opening, such as a token by message, answers no request of this check.
    const all = [dashboard, agent].flatMap(({ received, joinedAt }) =>
      received.slice(joinedAt).flatMap(({ envelope }) => (envelope ? [envelope] : [])),
    );
    const asked = new Set(exchanges.map(({ id }) => id));
    return {
      exchanges: exchanges.map(({ type, id }) => ({
        type,
        id,
        answers: all.filter((envelope) => envelope.id === id),
      })),
      toPong: all.filter(({ id }) => id === pongId),
      stray: all.filter(
        ({ type, id }) =>
          (type === 'ACK' || type === 'ERROR' || type === 'PONG') && !asked.has(id ?? '') && id !== pongId,
      ),
    };
  },
  judge({ exchanges, toPong, stray }) {
    for (const exchange of exchanges) {
      const wanted = answers[exchange.type];
      if (!wanted) return failed(`a known request type`, exchange.type);
      const name = wanted.type === 'ACK' ? `ACK for ${exchange.type}` : wanted.type;
      const expected = `exactly one ${name} with the id of the ${exchange.type}`;
      const [answer] = exchange.answers;
      if (exchange.answers.length !== 1 || answer?.type !== wanted.type) {
        return failed(expected, describeAnswers(exchange));
      }
      if (wanted.type === 'ACK' && answer.payload.for !== exchange.type) {
        return failed(expected, describeMessage(answer));
      }
      const lacking = wanted.context.filter((field) => answer.payload[field] === undefined);
      if (lacking.length > 0) {
        return failed(
          `${expected} and ${wanted.context.join(', ')}`,
          `${name} without ${lacking.join(', ')}`,
        );
      }
    }
    if (toPong.length > 0) return failed('no answer to a PONG', describeAnswers({ answers: toPong }));
    if (stray.length > 0) {
      return failed('no answer without a request', describeAnswers({ answers: stray }));
    }
    const types = new Set(exchanges.map(({ type }) => type));
    return passed(`${types.size} request types, one typed answer each; PONG not answered`);
  },
};

async function converse(
  context: Context,
  dashboard: CheckConnection,
  agent: CheckConnection,
  dashboardToken: string,
): Promise<Exchange[]> {
  const agentId = `agent-${randomUUID()}`;
  const channel = `quick-${randomUUID()}`;
  const exchanges = [
    await dashboard.request('PING'),
    await dashboard.request('ECHO', context.sub),
    await dashboard.request('AUTH', { token: dashboardToken }),
    await dashboard.request('DASHBOARD_CONNECT'),
    await dashboard.request('SUBSCRIBE', { channel }),
    await dashboard.request('PUBLISH', { channel, data: 1 }),
    await dashboard.request('UNSUBSCRIBE', { channel }),
    await agent.request('AGENT_CONNECT', { agentId }),
    await agent.request('AGENT_STATUS', { status: 'busy' }),
    await dashboard.request('COMMAND', { agentId, command: 'status' }),
  ];
  const order = await agent.next(({ type }) => type === 'COMMAND');
  const commandId = String(order?.payload.commandId);
  exchanges.push(await agent.request('COMMAND_RESULT', { commandId, status: 'ok' }));
  return exchanges;
}
