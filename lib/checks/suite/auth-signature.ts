// auth-signature: tokens whose signature does not belong to them are refused.
import type { Check } from '../check.ts';
import { isJwt, withAlteredCharacter, withAlteredClaims, withForeignSignature } from '../forge.ts';
import { type Refusal, refusalCheck, tryRefusedTokens } from '../refusal.ts';

export const authSignature: Check<Refusal[]> = {
  ...refusalCheck,
  id: 'auth-signature',
  title: 'A wrongly signed token is refused (401)',
  needs: ['auth', 'token'],
  async run(context) {
    const valid = (await context.token()) ?? '';
    if (!isJwt(valid)) {
      return tryRefusedTokens(context, [['one character of the token altered', withAlteredCharacter(valid)]]);
    }
    return tryRefusedTokens(context, [
      ['claims altered after signing', withAlteredClaims(valid)],
      ['signed with a foreign key', await withForeignSignature(valid)],
    ]);
  },
};
