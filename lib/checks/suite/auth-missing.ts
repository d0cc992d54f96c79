// auth-missing: who brings no token is refused, where one is needed.
import type { Check } from '../check.ts';
import { isStrict, type Refusal, refusalCheck, tryRefused } from '../refusal.ts';

export const authMissing: Check<Refusal[]> = {
  ...refusalCheck,
  id: 'auth-missing',
  title: 'A missing token is refused (401)',
  needs: ['auth'],
  dependsOn: ['connect'],
  async run(context) {
    if (!isStrict(context)) return [await tryRefused(context, 'no token', { token: null })];
    return [
      await tryRefused(context, 'no token on /ws/dashboard', { endpoint: 'dashboard', token: null }),
      await tryRefused(context, 'no token on /ws/agent', { endpoint: 'agent', token: null }),
    ];
  },
};
