// auth-expired: a token that was valid once is refused.
import type { Check } from '../check.ts';
import { judgeRefusals, type Refusal, tryRefused } from '../refusal.ts';

/** Long enough ago that no sensible leeway for clocks covers it. */
const expiredForS = 120;

export const authExpired: Check<Refusal[]> = {
  id: 'auth-expired',
  title: 'An expired token is refused (401)',
  tags: ['quick'],
  needs: ['wsbench', 'mint'],
  impact: 'none',
  dependsOn: ['connect', 'dashboard-connect'],
  async run(context) {
    const token = await context.mint({ expiresInS: -expiredForS });
    return [
      await tryRefused(context, `a token expired ${expiredForS} s ago`, { endpoint: 'dashboard', token }),
    ];
  },
  judge: (refusals) => judgeRefusals(refusals, 401),
};
