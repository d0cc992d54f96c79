// auth-none: tokens that say they need no signature are refused (RFC 8725 §3.1, CVE-2015-2951).
import type { Check } from '../check.ts';
import { withoutSignature } from '../forge.ts';
import { judgeRefusals, type Refusal, tryRefused } from '../refusal.ts';

export const authNone: Check<Refusal[]> = {
  id: 'auth-none',
  title: 'An unsigned token is refused (401)',
  tags: ['quick'],
  needs: ['wsbench', 'token'],
  impact: 'none',
  dependsOn: ['connect', 'dashboard-connect'],
  async run(context) {
    const refusals: Refusal[] = [];
    for (const token of withoutSignature((await context.token()) ?? '')) {
      const name = `alg ${refusals.length === 0 ? 'none' : 'nOnE'}`;
      refusals.push(await tryRefused(context, name, { endpoint: 'dashboard', token }));
    }
    return refusals;
  },
  judge: (refusals) => judgeRefusals(refusals, 401),
};
