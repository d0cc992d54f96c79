// auth-none: tokens that say they need no signature are refused (RFC 8725 §3.1, CVE-2015-2951).
import type { Check } from '../check.ts';
import { withoutSignature } from '../forge.ts';
import { type Refusal, refusalCheck, tryRefusedTokens } from '../refusal.ts';

export const authNone: Check<Refusal[]> = {
  ...refusalCheck,
  id: 'auth-none',
  title: 'An unsigned token is refused (401)',
  needs: ['auth', 'jwt'],
  async run(context) {
    const [none = '', mixed = ''] = withoutSignature((await context.token()) ?? '');
    return tryRefusedTokens(context, [
      ['alg none', none],
      ['alg nOnE', mixed],
    ]);
  },
};
