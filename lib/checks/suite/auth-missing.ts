// auth-missing: endpoints for a role refuse a handshake without a token.
import type { Check } from '../check.ts';
import { judgeRefusals, type Refusal, tryRefused } from '../refusal.ts';

export const authMissing: Check<Refusal[]> = {
  id: 'auth-missing',
  title: 'A missing token is refused (401)',
  tags: ['quick'],
  needs: ['wsbench'],
  impact: 'none',
  dependsOn: ['connect'],
  async run(context) {
    return [
      await tryRefused(context, 'no token on /ws/dashboard', { endpoint: 'dashboard', token: null }),
      await tryRefused(context, 'no token on /ws/agent', { endpoint: 'agent', token: null }),
    ];
  },
  judge: (refusals) => judgeRefusals(refusals, 401),
};
