// Scenario files: what `quick` and `stress` are asked to do, as data.
import { z } from 'zod';
import { count, duration, ratePerSecond, sizeBytes } from '../quantities.ts';

/** Schema of a stress scenario (`kind: stress`). Durations need a unit. */
export const stressScenarioSchema = z.strictObject({
  kind: z.literal('stress'),
  name: z.string().min(1),
  description: z.string().optional(),
  /** Preset that says how the target talks: `wsbench`, `echo`. */
  preset: z.string().optional(),
  connections: count,
  /** Messages per second over all connections (open model). */
  rate: ratePerSecond,
  /** `open`: by schedule. `closed`: the next message when the reply came. */
  model: z.enum(['open', 'closed']),
  /** Messages in flight per connection in the closed model. */
  depth: count,
  arrival: z.enum(['constant', 'poisson']),
  duration,
  rampUp: duration,
  settle: duration,
  warmup: duration,
  timeout: duration,
  connectTimeout: duration,
  /** Message size in bytes; without it, that of the target's description. */
  size: sizeBytes.optional(),
  thresholds: z.array(z.string()),
});

/** Schema of a quick scenario (`kind: quick`). */
export const quickScenarioSchema = z.strictObject({
  kind: z.literal('quick'),
  name: z.string().min(1),
  description: z.string().optional(),
  /** Time that one reply may take. */
  timeout: duration,
  /** Connections that the check of simultaneous connections opens. */
  connections: count,
  /** Ids of the checks to run, in this order. */
  checks: z.array(z.string()).min(1),
});

export type StressScenario = z.output<typeof stressScenarioSchema>;
export type QuickScenario = z.output<typeof quickScenarioSchema>;
