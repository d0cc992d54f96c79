// Every check, and how they are run. To add one: a file in suite/, a line here, its place in scenarios/quick.yml, its section in
// docs/checks.md.
import type { RunEvent } from '../result/events.ts';
import type { QuickResult } from '../result/result.ts';
import type { Check } from './check.ts';
import type { QuickPlan } from './plan.ts';
import { run } from './run.ts';
import { agentCommand } from './suite/agent-command.ts';
import { authExpired } from './suite/auth-expired.ts';
import { authFirstMessage } from './suite/auth-first-message.ts';
import { authMissing } from './suite/auth-missing.ts';
import { authNone } from './suite/auth-none.ts';
import { authRefresh } from './suite/auth-refresh.ts';
import { authRole } from './suite/auth-role.ts';
import { authSignature } from './suite/auth-signature.ts';
import { authSubprotocol } from './suite/auth-subprotocol.ts';
import { badFrame } from './suite/bad-frame.ts';
import { cleanClose } from './suite/clean-close.ts';
import { connect } from './suite/connect.ts';
import { dashboardConnect } from './suite/dashboard-connect.ts';
import { echo } from './suite/echo.ts';
import { heartbeat } from './suite/heartbeat.ts';
import { invalidMessages } from './suite/invalid-messages.ts';
import { messageTooLarge } from './suite/message-too-large.ts';
import { pingFrame } from './suite/ping-frame.ts';
import { publishSubscribe } from './suite/publish-subscribe.ts';
import { rateLimitFlood } from './suite/rate-limit-flood.ts';
import { rateLimitHttp } from './suite/rate-limit-http.ts';
import { rateLimitMessages } from './suite/rate-limit-messages.ts';
import { rateLimitReconnect } from './suite/rate-limit-reconnect.ts';
import { rateLimitUpgrade } from './suite/rate-limit-upgrade.ts';
import { request } from './suite/request.ts';
import { serverPing } from './suite/server-ping.ts';
import { simultaneous } from './suite/simultaneous.ts';
import { typedAnswers } from './suite/typed-answers.ts';

export type { QuickPlan } from './plan.ts';
export { selectChecks } from './select.ts';

/** All checks, in the order in which a person would ask. */
export const allChecks: readonly Check[] = [
  connect,
  pingFrame,
  echo,
  request,
  heartbeat,
  simultaneous,
  invalidMessages,
  cleanClose,
  badFrame,
  messageTooLarge,
  dashboardConnect,
  agentCommand,
  publishSubscribe,
  typedAnswers,
  serverPing,
  authMissing,
  authExpired,
  authSignature,
  authNone,
  authFirstMessage,
  authSubprotocol,
  authRefresh,
  authRole,
  rateLimitMessages,
  rateLimitReconnect,
  rateLimitFlood,
  rateLimitHttp,
  rateLimitUpgrade,
];

/**
 * Runs the plan's checks against its URL, one after the other, and returns what became of each.
 *
 * An aborted signal stops it: finished checks are kept, and the result says that it is not complete.
 *
 * @throws WsbenchError `CONFIG` or `USAGE` when ids or patterns name nothing, before anything is sent
 */
export function runChecks(plan: QuickPlan, signal: AbortSignal): AsyncGenerator<RunEvent, QuickResult, void> {
  return run(allChecks, plan, signal);
}
