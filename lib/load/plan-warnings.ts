// What a plan asks for that will not work out, said before it is tried. Pure.
import { formatDuration, formatRate } from '../duration.ts';
import type { Warning } from '../result/result.ts';
import { placeholdersIn } from '../target/template.ts';
import { tokenOf } from './connect-spec.ts';
import type { StressPlan } from './plan.ts';
import { connectMs, mostConnections, mostPerConnection } from './profile.ts';
import { claimsOf } from './tokens.ts';

/**
 * Warnings about a plan.
 *
 * @param messageBytes the size of its message as rendered
 * @param nowMs the time in ms since 1970
 */
export function planWarnings(plan: StressPlan, messageBytes: number, nowMs: number): Warning[] {
  return [...limitWarnings(plan, messageBytes), ...tokenWarnings(plan, nowMs)];
}

function limitWarnings(plan: StressPlan, messageBytes: number): Warning[] {
  const { messages, connections, size } = plan.target.limits;
  const perConnection = mostPerConnection(plan);
  const most = mostConnections(plan);
  const over: string[] = [];
  if (messages !== undefined && plan.model === 'open' && perConnection > messages) {
    over.push(`${formatRate(perConnection)} on each connection, where it allows ${formatRate(messages)}`);
  }
  if (connections !== undefined && most > connections) {
    over.push(`${most} connections, where it allows ${connections}`);
  }
  if (size !== undefined && messageBytes > size) {
    over.push(`messages of ${messageBytes} bytes, where it allows ${size}`);
  }
  if (over.length === 0) return [];
  const message = `the target "${plan.target.name}" says that it allows less than is asked: ${over.join('; ')}`;
  return [{ code: 'target-limits', message }];
}

function tokenWarnings(plan: StressPlan, nowMs: number): Warning[] {
  const { tokens, target, message } = plan;
  if (tokens.length === 0) {
    const sent = typeof message === 'string' ? message : message === undefined ? target.request : '';
    const wantsToken = placeholdersIn(sent).some(({ name }) => /^token\b/.test(name));
    const missing =
      'the message holds {{ token }}, and there is none: --token, --tokens-file, --secret or --key';
    return wantsToken ? [{ code: 'no-token', message: missing }] : [];
  }
  const used = Math.min(tokens.length, mostConnections(plan));
  let firstMs = Number.POSITIVE_INFINITY;
  for (let index = 0; index < used; index++) {
    firstMs = Math.min(firstMs, claimsOf(tokenOf(plan, index) ?? '').expiresAtMs ?? firstMs);
  }
  const leftMs = firstMs - nowMs;
  if (leftMs >= runMs(plan)) return [];
  const what = tokens.length === 1 ? 'the token' : 'a token';
  if (leftMs <= 0) {
    const ago = formatDuration(Math.max(1000, Math.round(-leftMs / 1000) * 1000));
    return [{ code: 'token-expires', message: `${what} expired ${ago} ago` }];
  }
  const canRenew = target.auth?.refresh !== undefined;
  if (canRenew && (plan.mint || tokens.length > 1)) return [];
  const advice = canRenew
    ? 'give --key or --secret to mint fresh ones, or --tokens-file'
    : 'the target file does not say how an open connection gets a fresh one (auth.refresh)';
  const into = formatDuration(Math.max(1000, Math.round(leftMs / 1000) * 1000));
  return [{ code: 'token-expires', message: `${what} expires ${into} into the run: ${advice}` }];
}

/** How long a run takes at most, from its first connect to the last reply of the load. */
export function runMs(
  plan: Pick<
    StressPlan,
    'connections' | 'rampUpMs' | 'connectRatePerSecond' | 'settleMs' | 'warmupMs' | 'durationMs'
  >,
): number {
  return connectMs(plan) + plan.settleMs + plan.warmupMs + plan.durationMs;
}
