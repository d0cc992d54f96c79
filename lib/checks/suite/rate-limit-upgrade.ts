// rate-limit-upgrade: too many handshakes from one address get 429 with Retry-After, before any token is looked at.
import { type Check, failed, passed } from '../check.ts';
import { CheckConnection } from '../connection.ts';

interface Evidence {
  /** Limits by which the number of handshakes was chosen. */
  limits: string;
  attempts: number;
  /** Answers by HTTP status; 101 stands for an open connection, 0 for none. */
  statuses: Record<string, number>;
  retryAfter: string | null;
}

/** Handshakes that the named limits let through at once; one that they do not name is tried with the largest. */
const bursts: Record<string, number> = { test: 20, production: 20, development: 1000 };
const largest = 1000;
const atOnce = 50;

export const rateLimitUpgrade: Check<Evidence> = {
  id: 'rate-limit-upgrade',
  title: 'Rate limit on connections (429)',
  tags: ['quick'],
  needs: ['wsbench', 'limits'],
  impact: 'burst',
  dependsOn: ['connect', 'auth-missing'],
  deadlineMs: ({ timeoutMs }) => 20_000 + timeoutMs,
  async run(context) {
    const limits = context.facts.welcome?.limits.name ?? '';
    const enough = Math.ceil((bursts[limits] ?? largest) * 1.6) + 10;
    const statuses: Evidence['statuses'] = {};
    let retryAfter: string | null = null;
    let attempts = 0;
    while (attempts < enough && !statuses['429']) {
      // A token that cannot be verified: 401 where it is looked at, 429 where the limit comes first.
      const outcomes = await Promise.all(
        Array.from({ length: Math.min(atOnce, enough - attempts) }, () =>
          context.attempt({ endpoint: 'dashboard', token: 'not.a.token', retryWhenLimited: false }),
        ),
      );
      attempts += outcomes.length;
      for (const outcome of outcomes) {
        const status = outcome instanceof CheckConnection ? 101 : (outcome.status ?? 0);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === 429 && !(outcome instanceof CheckConnection)) {
          retryAfter ??= outcome.headers?.['retry-after'] ?? null;
        }
      }
    }
    return { limits, attempts, statuses, retryAfter };
  },
  judge({ limits, attempts, statuses, retryAfter }) {
    const seen = Object.entries(statuses)
      .map(([status, count]) => `${count} × ${status === '0' ? 'no answer' : `HTTP ${status}`}`)
      .join(', ');
    if (!statuses['429']) {
      return failed(
        `HTTP 429 within ${attempts} handshakes at once (limits ${limits}), before the token is looked at`,
        seen,
      );
    }
    if (!/^[1-9]\d*$/.test(retryAfter ?? '')) {
      return failed('429 with Retry-After in whole seconds', `Retry-After ${retryAfter ?? 'missing'}`);
    }
    return passed(`${seen} in ${attempts} handshakes with a bad token, Retry-After ${retryAfter} s`);
  },
};
