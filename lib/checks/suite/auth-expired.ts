// auth-expired: a token that was valid once is refused.
import type { Check } from '../check.ts';
import { claimsOf } from '../forge.ts';
import { type Refusal, refusalCheck, tryRefusedTokens } from '../refusal.ts';

/** Long enough ago that no sensible leeway for clocks covers it. */
const expiredForS = 120;

export const authExpired: Check<Refusal[]> = {
  ...refusalCheck,
  id: 'auth-expired',
  title: 'An expired token is refused (401)',
  needs: ['auth', 'mint'],
  async run(context) {
    // Claims as in a token that is accepted, so that only the time is wrong.
    const { exp, iat, nbf, ...claims } = claimsOf(context.givenToken ?? '');
    const token = await context.mint({ expiresInS: -expiredForS, claims });
    return tryRefusedTokens(context, [[`a token expired ${expiredForS} s ago`, token]]);
  },
};
