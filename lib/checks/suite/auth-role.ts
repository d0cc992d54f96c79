// auth-role: whoever lacks a role is refused, at the role's endpoint and on /ws.
import { type Check, failed, passed } from '../check.ts';
import { answerOf, describeAnswers, type Exchange } from '../message.ts';
import { judgeRefusals, type Refusal, tryRefused } from '../refusal.ts';

interface Evidence {
  handshakes: Refusal[];
  /** Requests on /ws that need a role which the token does not have. */
  requests: Exchange[];
}

export const authRole: Check<Evidence> = {
  id: 'auth-role',
  title: 'A missing role is refused (403)',
  tags: ['quick'],
  needs: ['wsbench', 'mint'],
  impact: 'none',
  dependsOn: ['connect', 'dashboard-connect'],
  async run(context) {
    const dashboard = await context.mint({ roles: ['dashboard'] });
    const agent = await context.mint({ roles: ['agent'], sub: `${context.sub}-agent` });
    const handshakes = [
      await tryRefused(context, 'a dashboard on /ws/agent', { endpoint: 'agent', token: dashboard }),
      await tryRefused(context, 'an agent on /ws/dashboard', { endpoint: 'dashboard', token: agent }),
    ];
    const asDashboard = await context.connect({ token: dashboard });
    const asAgent = await context.connect({ token: agent });
    return {
      handshakes,
      requests: [
        await asDashboard.request('AGENT_CONNECT', { agentId: context.sub }),
        await asAgent.request('DASHBOARD_CONNECT'),
        await asAgent.request('COMMAND', { agentId: context.sub, command: 'none' }),
      ],
    };
  },
  judge({ handshakes, requests }) {
    const atHandshake = judgeRefusals(handshakes, 403);
    if (atHandshake.status === 'failed') return atHandshake;
    const allowed = requests.find((exchange) => answerOf(exchange, 'ERROR')?.payload.code !== 'FORBIDDEN');
    if (allowed)
      return failed(`ERROR FORBIDDEN for ${allowed.type} without the role`, describeAnswers(allowed));
    return passed(
      `HTTP 403 at the handshake; FORBIDDEN for ${requests.map(({ type }) => type).join(', ')} on /ws`,
    );
  },
};
