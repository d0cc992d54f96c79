// rate-limit-http: the status endpoint answers 429 with Retry-After, and serves again after it.
import { type Check, failed, passed } from '../check.ts';

interface Evidence {
  /** Requests that were served before the first refusal. */
  served: number;
  /** The first answer that was not 200; null: there was none. */
  refusal: { status: number; retryAfter: string | null } | null;
  /** Status after waiting as long as told; null: too long to wait. */
  afterwards: number | null;
}

/** More than any preset lets pass in the time that it takes to ask. */
const attempts = 1500;
const atOnce = 5;
const waitAtMostS = 3;

export const rateLimitHttp: Check<Evidence> = {
  id: 'rate-limit-http',
  title: 'Rate limit on HTTP (429)',
  tags: ['quick'],
  needs: ['wsbench', 'limits', 'http'],
  impact: 'burst',
  dependsOn: ['connect'],
  async run(context) {
    let served = 0;
    let refusal: Evidence['refusal'] = null;
    while (!refusal && served < attempts) {
      const answers = await Promise.all(Array.from({ length: atOnce }, () => context.status()));
      served += answers.filter(({ status }) => status === 200).length;
      const other = answers.find(({ status }) => status !== 200);
      if (other) refusal = { status: other.status, retryAfter: other.retryAfter };
    }
    const waitS = Number(refusal?.retryAfter ?? Number.NaN);
    if (!(waitS <= waitAtMostS)) return { served, refusal, afterwards: null };
    await context.sleep(waitS * 1000 + 50);
    return { served, refusal, afterwards: (await context.status()).status };
  },
  judge({ served, refusal, afterwards }) {
    const expected = 'HTTP 429 from /api/status when asked too often';
    if (!refusal) return failed(expected, `${served} requests in a row served`);
    if (refusal.status !== 429) return failed(expected, `HTTP ${refusal.status}`);
    if (!/^[1-9]\d*$/.test(refusal.retryAfter ?? '')) {
      return failed(
        '429 with Retry-After in whole seconds',
        `Retry-After ${refusal.retryAfter ?? 'missing'}`,
      );
    }
    if (afterwards !== null && afterwards !== 200) {
      return failed(`HTTP 200 after the ${refusal.retryAfter} s of Retry-After`, `HTTP ${afterwards}`);
    }
    return passed(`429 after ${served} requests, Retry-After ${refusal.retryAfter} s`);
  },
};
