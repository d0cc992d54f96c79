// What a target and the plan's credentials allow, and what to say when they do not.
import type { Capability } from './check.ts';
import { hasSiblings } from './endpoints.ts';
import type { Facts } from './facts.ts';
import { isJwt } from './forge.ts';
import type { QuickPlan } from './plan.ts';

/** Why a capability is missing; undefined when it is there. `http` is probed by the runner and passed in. */
export function missing(
  capability: Capability,
  plan: QuickPlan,
  facts: Facts,
  httpProblem: string | undefined,
): string | undefined {
  const { target } = plan;
  switch (capability) {
    case 'echo':
      if (target && (target.speaks !== 'other' || target.echoes)) return undefined;
      return target
        ? `needs a target that echoes, which ${target.name} is not said to be: echoes: true`
        : 'needs a target that echoes: --preset echo or wsbench, or --target with echoes: true';
    case 'wsbench':
      if (target?.speaks === 'wsbench') return missingSiblings(plan);
      return target
        ? `is about the wsbench protocol, which ${target.name} does not speak`
        : 'needs --preset wsbench';
    case 'request':
      return target ? undefined : 'needs a description of the target: --preset or --target';
    case 'heartbeat':
      return oursOr(plan, target?.heartbeat.send !== undefined, 'heartbeat.every and heartbeat.send');
    case 'size':
      return oursOr(plan, target?.limits.size !== undefined, 'limits.size');
    case 'rate':
      return (
        oursOr(plan, target?.limits.messages !== undefined, 'limits.messages') ??
        (target?.speaks === 'wsbench' ? missingMint(plan) : undefined)
      );
    case 'auth':
      return target?.auth?.required ? undefined : oursOr(plan, false, 'auth.required: true');
    case 'subprotocol':
      return plan.tokenPlace.in === 'subprotocol'
        ? undefined
        : target?.speaks === 'wsbench'
          ? missingSiblings(plan)
          : `needs ${target ? '' : '--preset wsbench, or '}a token that travels as subprotocol: --token-in subprotocol`;
    case 'refresh':
      return oursOr(plan, target?.auth?.refresh !== undefined, 'auth.refresh');
    case 'token':
      return plan.token !== undefined || plan.mint
        ? undefined
        : 'needs a token: --token, or a key to mint one: --secret or --key';
    case 'jwt':
      if (plan.token !== undefined)
        return isJwt(plan.token) ? undefined : 'needs a JWT, which --token is not';
      return missing('token', plan, facts, httpProblem);
    case 'mint':
      return missingMint(plan);
    case 'limits':
      return limitsOff(facts);
    case 'http':
      return httpProblem;
  }
}

/** For what the reference protocol always has, and other targets by a part of their description. */
function oursOr(plan: QuickPlan, described: boolean, part: string): string | undefined {
  const { target } = plan;
  if (target?.speaks === 'wsbench') return missingSiblings(plan);
  if (described) return undefined;
  return target
    ? `needs ${part} in the description of the target (--target)`
    : `needs --preset wsbench, or --target with ${part}`;
}

const missingSiblings = ({ url }: QuickPlan): string | undefined =>
  hasSiblings(url)
    ? undefined
    : 'needs the URL of the /ws endpoint, from which /ws/dashboard and /api/status are derived';

const missingMint = ({ mint }: QuickPlan): string | undefined =>
  mint ? undefined : 'needs a key to mint tokens: --secret or --key';

/** Why limits that WELCOME should announce cannot be checked. */
export function limitsOff({ welcome }: Facts): string | undefined {
  if (!welcome) return 'needs a WELCOME that announces limits';
  const { name, messagesPerMinute, burstLimit, violationPenaltyMs } = welcome.limits;
  return messagesPerMinute === null || burstLimit === null || violationPenaltyMs === null
    ? `limits are off (${name})`
    : undefined;
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
