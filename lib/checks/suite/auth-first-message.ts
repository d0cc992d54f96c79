// auth-first-message: an anonymous connection becomes somebody by AUTH; a bad token ends it with 4401.
import { type Check, failed, passed } from '../check.ts';
import { claimsOf } from '../forge.ts';
import { ackOf, describeAnswers, type Exchange } from '../message.ts';

interface Evidence {
  /** AUTH with a valid token, and the subject in that token. */
  good: Exchange;
  sub: string;
  /** AUTH with a token that is none: forged ones are for auth-signature and auth-none. */
  bad: Exchange;
  closeCode: number | null;
}

export const authFirstMessage: Check<Evidence> = {
  id: 'auth-first-message',
  title: 'AUTH as the first message',
  tags: ['quick'],
  needs: ['wsbench', 'token'],
  impact: 'none',
  dependsOn: ['connect'],
  async run(context) {
    const token = (await context.token()) ?? '';
    const connection = await context.connect({ token: null });
    const good = masked(await connection.request('AUTH', { token }));
    const other = await context.connect({ token: null });
    const bad = masked(await other.request('AUTH', { token: 'not.a.token' }));
    const closed = await other.waitForClose();
    return { good, sub: String(claimsOf(token).sub), bad, closeCode: closed?.code ?? null };
  },
  judge({ good, sub, bad, closeCode }) {
    const ack = ackOf(good);
    if (!ack) return failed('ACK for AUTH with a valid token', describeAnswers(good));
    if (ack.payload.sub !== sub) return failed(`ACK with sub ${sub}`, `sub ${String(ack.payload.sub)}`);
    if (closeCode !== 4401) {
      const got = closeCode === null ? 'the connection stayed open' : `close code ${closeCode}`;
      return failed('close code 4401 after AUTH with a bad token', `${describeAnswers(bad)}, ${got}`);
    }
    return passed('ACK with the right sub for a valid token; 4401 for a bad one');
  },
};

/** Evidence may be saved, so nothing that could be a token stays in it. */
function masked(exchange: Exchange): Exchange {
  return JSON.parse(JSON.stringify(exchange).replace(/eyJ[\w.-]+/g, '[redacted]')) as Exchange;
}
