// rate-limit-flood: who goes on sending while refused is closed with 4429.
import { type Check, failed, passed } from '../check.ts';
import { finiteLimits, fire, openForFlood } from '../flood.ts';

interface Evidence {
  sent: number;
  closeCode: number | null;
}

export const rateLimitFlood: Check<Evidence> = {
  id: 'rate-limit-flood',
  title: 'A flood is closed (4429)',
  tags: ['quick'],
  needs: ['wsbench', 'mint', 'limits'],
  impact: 'burst',
  dependsOn: ['connect', 'echo', 'rate-limit-messages'],
  async run(context) {
    const { burst } = finiteLimits(context.facts.welcome?.limits);
    const connection = await openForFlood(context, context.sub);
    // The burst is accepted, then max(100, 10 × burst) refusals; the rest covers refill on the way.
    const sent = burst + Math.max(100, 10 * burst) + burst;
    fire(connection, sent);
    const closed = await connection.waitForClose();
    return { sent, closeCode: closed?.code ?? null };
  },
  judge({ sent, closeCode }) {
    return closeCode === 4429
      ? passed(`closed with 4429 within ${sent} messages`)
      : failed(
          `close code 4429 within ${sent} messages at once`,
          closeCode === null ? 'the connection stayed open' : `close code ${closeCode}`,
        );
  },
};
