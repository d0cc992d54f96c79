// What is said on every connection beside the load, compiled once.
import { OpeningPlan } from '../target/opening.ts';
import type { StressPlan } from './plan.ts';

/** The conversation that a target wants on each of its connections. */
export class SessionPlan {
  readonly opening: OpeningPlan;
  /** Limit of the connect, the opening included. */
  readonly connectTimeoutMs: number;

  constructor({ target, tokenPlace, tokens, connectTimeoutMs }: StressPlan) {
    this.opening = new OpeningPlan(target, tokenPlace, tokens.length > 0);
    this.connectTimeoutMs = connectTimeoutMs;
  }

  /** True when a connection needs nobody who talks on it. */
  get isEmpty(): boolean {
    return this.opening.isEmpty;
  }
}
