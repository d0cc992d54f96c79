// dashboard-connect: a fresh token opens /ws/dashboard and gets a session.
import { type Check, failed, passed } from '../check.ts';
import { CheckConnection } from '../connection.ts';
import { describeFailure } from '../failure.ts';
import { ackOf, describeAnswers, type Exchange } from '../message.ts';

interface Evidence {
  /** Why the endpoint did not open. */
  refused: string | null;
  exchange: Exchange | null;
}

export const dashboardConnect: Check<Evidence> = {
  id: 'dashboard-connect',
  title: 'Dashboard connects with a fresh token',
  tags: ['quick'],
  needs: ['wsbench', 'token'],
  impact: 'none',
  dependsOn: ['connect'],
  async run(context) {
    const token = context.canMint ? await context.mint() : await context.token();
    const opened = await context.attempt({
      endpoint: 'dashboard',
      ...(token === undefined ? {} : { token }),
    });
    if (!(opened instanceof CheckConnection)) return { refused: describeFailure(opened), exchange: null };
    return { refused: null, exchange: await opened.request('DASHBOARD_CONNECT') };
  },
  judge({ refused, exchange }) {
    if (!exchange) return failed('/ws/dashboard to open with a valid token', refused ?? 'nothing');
    const ack = ackOf(exchange);
    if (!ack) return failed('one ACK for DASHBOARD_CONNECT', describeAnswers(exchange));
    const { sessionId, agents } = ack.payload;
    if (typeof sessionId !== 'string' || sessionId === '') {
      return failed('an ACK with a sessionId', `sessionId ${String(sessionId)}`);
    }
    if (!Array.isArray(agents)) return failed('an ACK with the list of agents', `agents ${String(agents)}`);
    return passed(`session opened, ${agents.length} agents online`);
  },
};
