// auth-signature: tokens whose signature does not belong to them are refused.
import type { Check } from '../check.ts';
import { withAlteredClaims, withForeignSignature } from '../forge.ts';
import { judgeRefusals, type Refusal, tryRefused } from '../refusal.ts';

export const authSignature: Check<Refusal[]> = {
  id: 'auth-signature',
  title: 'A wrongly signed token is refused (401)',
  tags: ['quick'],
  needs: ['wsbench', 'token'],
  impact: 'none',
  dependsOn: ['connect', 'dashboard-connect'],
  async run(context) {
    const valid = (await context.token()) ?? '';
    const forged: [string, string][] = [
      ['claims altered after signing', withAlteredClaims(valid)],
      ['signed with a foreign key', await withForeignSignature(valid)],
    ];
    const refusals: Refusal[] = [];
    for (const [name, token] of forged) {
      refusals.push(await tryRefused(context, name, { endpoint: 'dashboard', token }));
    }
    return refusals;
  },
  judge: (refusals) => judgeRefusals(refusals, 401),
};
