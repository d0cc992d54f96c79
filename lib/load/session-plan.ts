// What is said on every connection beside the load, compiled once.
import { compileDrain, type DrainReader } from '../target/drain.ts';
import { compileHeartbeats, type HeartbeatReply } from '../target/heartbeats.ts';
import { OpeningPlan } from '../target/opening.ts';
import type { MessageSource } from '../target/template.ts';
import type { StressPlan } from './plan.ts';
import { RenewalPlan } from './renewal.ts';
import type { FreshTokens } from './tokens.ts';

/** The conversation that a target wants on each of its connections. */
export class SessionPlan {
  readonly opening: OpeningPlan;
  /** Limit of the connect, the opening included. */
  readonly connectTimeoutMs: number;
  /** What the target's own heartbeats are answered with, if they are. */
  readonly answer: HeartbeatReply | undefined;
  /** What is sent every so often. */
  readonly beat: { everyMs: number; send: MessageSource } | undefined;
  readonly renewal: RenewalPlan | undefined;
  readonly connections: number;
  /** What the target says of its going, where somebody wants to come back. */
  readonly drain: DrainReader | undefined;

  /** @param source where fresh tokens come from */
  constructor(plan: StressPlan, source: FreshTokens) {
    const { target, tokenPlace, tokens, connections } = plan;
    const { every, send } = target.heartbeat;
    const refresh = tokens.length > 0 ? target.auth?.refresh : undefined;
    this.opening = new OpeningPlan(target, tokenPlace, tokens.length > 0);
    this.connectTimeoutMs = plan.connectTimeoutMs;
    this.connections = connections;
    this.answer = compileHeartbeats(target);
    this.drain = plan.reconnect === undefined ? undefined : compileDrain(target);
    this.beat = every === undefined || send === undefined ? undefined : { everyMs: every, send };
    this.renewal = refresh && new RenewalPlan(refresh, source, plan.timeoutMs);
  }

  /** True when a connection needs nobody who talks on it. */
  get isEmpty(): boolean {
    return this.opening.isEmpty && !this.answer && !this.beat && !this.renewal && !this.drain;
  }
}
