// What a target and the plan's credentials allow, and what to say when they do not.
import type { Capability } from './check.ts';
import type { Facts } from './context.ts';
import { hasSiblings } from './endpoints.ts';
import type { QuickPlan } from './plan.ts';

/** Why a capability is missing; undefined when it is there. `http` is probed by the runner and passed in. */
export function missing(
  capability: Capability,
  plan: QuickPlan,
  facts: Facts,
  httpProblem: string | undefined,
): string | undefined {
  switch (capability) {
    case 'echo':
      return facts.speaks !== null ? undefined : 'needs --preset echo or --preset wsbench';
    case 'wsbench':
      if (plan.target?.speaks !== 'wsbench') return 'needs --preset wsbench';
      return hasSiblings(plan.url)
        ? undefined
        : 'needs the URL of the /ws endpoint, from which /ws/dashboard and /api/status are derived';
    case 'token':
      return plan.token !== undefined || plan.mint
        ? undefined
        : 'needs a token: --token, or a key to mint one: --secret or --key';
    case 'mint':
      return plan.mint ? undefined : 'needs a key to mint tokens: --secret or --key';
    case 'limits': {
      const limits = facts.welcome?.limits;
      if (!limits) return 'needs a WELCOME that announces limits';
      const { messagesPerMinute, burstLimit, violationPenaltyMs } = limits;
      return messagesPerMinute === null || burstLimit === null || violationPenaltyMs === null
        ? `limits are off (${limits.name})`
        : undefined;
    }
    case 'http':
      return httpProblem;
  }
}

/** Whether it depends on nothing but the plan. */
export const isStatic = (capability: Capability): boolean => capability !== 'limits' && capability !== 'http';

/** The first of these needs that is not met. */
export function firstMissing(
  needs: readonly Capability[],
  plan: QuickPlan,
  facts: Facts,
  httpProblem: string | undefined,
): string | undefined {
  for (const capability of needs) {
    const why = missing(capability, plan, facts, httpProblem);
    if (why !== undefined) return why;
  }
  return undefined;
}
