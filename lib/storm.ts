// `storm`: is it safe to deploy at noon? All connections go at once; how do they come back?
import type { DropKind } from './load/reconnect/storm.ts';
import type { RunControl } from './result/events.ts';
import type { StressResult } from './result/result.ts';
import type { ReconnectPolicy } from './scenario/reconnect.ts';
import { stress } from './stress.ts';
import type { StressOptions } from './stress-options.ts';
import type { TargetServer } from './target-options.ts';

type Unasked =
  | 'storm'
  | 'reconnect'
  | 'model'
  | 'depth'
  | 'durationMs'
  | 'stages'
  | 'shape'
  | 'messages'
  | 'churnPerSecond'
  | 'messagesPerConnection'
  | 'thinkTimeMs'
  | 'slowConsumers'
  | 'abortOnFail'
  | 'delayAbortMs'
  | 'limits';

/** What to hold, and how to let it go. */
export interface StormOptions extends Omit<StressOptions, Unasked> {
  /** How clients come back: `jitter` by default. */
  reconnect?: ReconnectPolicy;
  /** How the client lets all connections go: `rst`, a TCP reset, by default; `fin`: it hangs up; `close`: a close frame with 1001. */
  drop?: DropKind;
  /** Wait so long for the server to let them go, in ms, in place of {@link drop}. */
  waitMs?: number;
  /** Load before the drop, in ms: 3 s by default. */
  beforeMs?: number;
  /** Load when all are back, in ms: 3 s by default. */
  afterMs?: number;
  /** Connections that are not back so long after the first loss are missing, in ms: 60 s by default. */
  deadlineMs?: number;
}

/** What is asked for when nothing is said. */
export const stormDefaults = {
  connections: 100,
  ratePerSecond: 100,
  beforeMs: 3000,
  afterMs: 3000,
  deadlineMs: 60_000,
} as const;

/**
 * Holds connections under a light load, lets all go at once (or waits until the server does), lets every client come back
 * by a policy, and measures the way back: the section `recovery` of the result.
 *
 * @param target URL, or a server made by `createServer`
 * @param control how to watch and to stop the run
 * @throws WsbenchError as {@link stress} does
 *
 * @example
 * const result = await storm('ws://127.0.0.1:8080/ws', { connections: 500, thresholds: ['recovery.p95<5s'] });
 * console.log(result.outcome, result.recovery?.time.p95);
 */
export function storm(
  target: string | TargetServer,
  options: StormOptions = {},
  control: RunControl = {},
): Promise<StressResult> {
  return stress(target, stormPlan(options), control);
}

/** The options of the load that a storm is. */
export function stormPlan(options: StormOptions): StressOptions {
  const { drop, waitMs, beforeMs, afterMs, deadlineMs, reconnect = 'jitter', ...rest } = options;
  const isWaiting = waitMs !== undefined;
  const rate = rest.ratePerConnection === undefined ? { ratePerSecond: stormDefaults.ratePerSecond } : {};
  return {
    connections: stormDefaults.connections,
    ...rate,
    ...rest,
    reconnect,
    storm: {
      drop: isWaiting ? null : (drop ?? 'rst'),
      beforeMs: waitMs ?? beforeMs ?? stormDefaults.beforeMs,
      afterMs: afterMs ?? stormDefaults.afterMs,
      deadlineMs: deadlineMs ?? stormDefaults.deadlineMs,
    },
  };
}
