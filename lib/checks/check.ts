// A check: one named expectation of how a server behaves, run first and judged afterwards.
import type { Context } from './context.ts';
import type { Facts } from './facts.ts';

/**
 * What a check needs beyond a URL.
 *
 * - `echo`: the target sends back what it gets (raw, by typed ECHO, or by a request whose reply equals it).
 * - `wsbench`: the target speaks the reference protocol, at a URL from which its sibling endpoints can be derived.
 * - `request`: a description says what a request is and how its reply is found.
 * - `heartbeat`, `size`, `rate`: the target has a heartbeat of its own, a largest message, a limit on messages.
 * - `auth`: nobody gets in without a credential. `subprotocol`: it may travel as one. `refresh`: it may be renewed.
 * - `token`: any valid token. `jwt`: one that is a JWT. `mint`: tokens can be made at will.
 * - `limits`: WELCOME announced finite limits. `http`: the status endpoint exists.
 */
export type Capability =
  | 'echo'
  | 'wsbench'
  | 'request'
  | 'heartbeat'
  | 'size'
  | 'rate'
  | 'auth'
  | 'subprotocol'
  | 'refresh'
  | 'token'
  | 'jwt'
  | 'mint'
  | 'limits'
  | 'http';

/** What a check does to others who use the target: nothing, a burst that uses up limits, or lasting damage. */
export type Impact = 'none' | 'burst' | 'destructive';

/** The verdict of a judge. */
export type Finding =
  | { status: 'passed'; detail: string }
  | { status: 'failed'; expected: string; got: string }
  | { status: 'skipped'; detail: string };

/**
 * One check. `run` talks to the target and returns what it saw as plain data; `judge` is pure, so that recorded evidence can
 * be judged without a server.
 */
export interface Check<Evidence = unknown> {
  /** Stable: used by `--only`, in reports and in scenario files. Never reused. */
  id: string;
  title: string;
  tags: readonly string[];
  needs: readonly Capability[];
  impact: Impact;
  /** Ids of checks without which this one says nothing; when one of them failed, this one is skipped. */
  dependsOn: readonly string[];
  /** Longest time the whole check may take, in ms. */
  deadlineMs?(facts: Facts): number;
  /** Why the check makes no sense against this target, known before it runs. */
  skipIf?(facts: Facts): string | undefined;
  run(context: Context): Promise<Evidence>;
  judge(evidence: Evidence): Finding;
}

export const passed = (detail: string): Finding => ({ status: 'passed', detail });
export const failed = (expected: string, got: string): Finding => ({ status: 'failed', expected, got });
export const skipped = (detail: string): Finding => ({ status: 'skipped', detail });
