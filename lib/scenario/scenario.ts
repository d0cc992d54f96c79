// Scenario files: what `quick` and `stress` are asked to do, as data.
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { count, duration, durationRange, ratePerSecond, share, sizeBytes } from '../quantities.ts';
import { parseThreshold } from '../result/thresholds.ts';
import { reconnectPolicies } from './reconnect.ts';
import { shapeNames } from './shapes.ts';
import { stageSchema } from './stages.ts';

const name = z.string().min(1).describe('Name that reports use.');
const threshold = z.string().superRefine((text, context) => {
  try {
    parseThreshold(text, 'scenario');
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
  }
});
const description = z.string().describe('One line for people.').optional();

const stressFields = z.strictObject({
  kind: z.literal('stress').describe('Load, for wsbench stress.'),
  name,
  description,
  preset: z
    .string()
    .describe('Preset that says how the target talks, such as echo or json-rpc; --preset wins.')
    .optional(),
  connections: count.describe('Connections at the same time.'),
  rate: ratePerSecond.describe('Messages per second over all connections (open model).').optional(),
  ratePerConnection: ratePerSecond
    .describe('Messages per second on each connection (open model); it takes the place of rate.')
    .optional(),
  model: z
    .enum(['open', 'closed'])
    .describe('open: by schedule, whatever the replies do. closed: the next message when the reply came.'),
  depth: count.describe('Messages in flight per connection in the closed model.'),
  arrival: z.enum(['constant', 'poisson']).describe('How messages are spread over time in the open model.'),
  thinkTime: durationRange
    .describe('Pause between a reply and the next message in the closed model, such as 100ms or 100ms-500ms.')
    .optional(),
  duration: duration.describe('How long to measure; stages say it themselves.').optional(),
  messages: count.describe('The measure phase ends when so many messages were scheduled.').optional(),
  stages: z
    .array(stageSchema)
    .min(1)
    .describe('How rate and connections change over the measure phase, which is as long as they are.')
    .optional(),
  shape: z.enum(shapeNames).describe('Stages by name, made of rate, connections and duration.').optional(),
  rampUp: duration.describe('Time over which the connections are opened.'),
  connectRate: ratePerSecond
    .describe('Connections to open per second, spread as arrival says; instead of rampUp.')
    .optional(),
  churn: ratePerSecond
    .describe('Connections per second that are closed and replaced by fresh ones, the oldest first.')
    .optional(),
  messagesPerConnection: count
    .describe('A connection is replaced by a fresh one when so many messages went over it.')
    .optional(),
  slowConsumers: share.describe('Share of the connections that read slowly, such as 5%.').optional(),
  reconnect: z
    .enum(reconnectPolicies)
    .describe(
      'Connections that are lost come back: jitter, with backoff and within the window of the server; immediate, at once.',
    )
    .optional(),
  settle: duration.describe('Pause after the last connection opened.'),
  warmup: duration.describe('Load before measuring.'),
  timeout: duration.describe('A message without a reply after this time is lost.'),
  connectTimeout: duration.describe('Time that opening one connection may take.'),
  size: sizeBytes.describe("Message size in bytes; without it, that of the target's description.").optional(),
  thresholds: z.array(threshold).describe('What the run must fulfil, such as rtt.p99<20ms.'),
});

/** The keys of a stress scenario, in the order to write them in. */
export const stressKeys = Object.keys(stressFields.shape) as (keyof z.output<typeof stressFields>)[];

/** Schema of a stress scenario (`kind: stress`). Durations need a unit. */
export const stressScenarioSchema = stressFields.superRefine((scenario, context) => {
  const { duration: time, stages, shape, messages, model, rate, ratePerConnection } = scenario;
  const wrong = (key: keyof typeof scenario, message: string): void =>
    context.addIssue({ code: 'custom', path: [key], message });
  if (model === 'open' && rate === undefined && ratePerConnection === undefined) {
    wrong('rate', 'missing: how many messages a second, such as 100/s (or ratePerConnection)');
  }
  if (rate !== undefined && ratePerConnection !== undefined) {
    wrong('ratePerConnection', 'rate and ratePerConnection exclude each other');
  }
  if (stages && shape !== undefined) wrong('shape', 'stages and shape exclude each other');
  if (stages && time !== undefined) wrong('duration', 'the stages say how long it measures: leave it out');
  if (scenario.connectRate !== undefined && scenario.rampUp > 0) {
    wrong('connectRate', 'connectRate and rampUp exclude each other: write rampUp: 0s');
  }
  if (!stages && messages === undefined && time === undefined) {
    wrong('duration', 'missing: how long to measure, such as 30s (or stages, or messages)');
  }
});

/** Schema of a quick scenario (`kind: quick`). */
export const quickScenarioSchema = z.strictObject({
  kind: z.literal('quick').describe('Checks, for wsbench quick.'),
  name,
  description,
  timeout: duration.describe('Time that one reply may take.'),
  connections: count.describe('Connections that the check of simultaneous connections opens.'),
  checks: z
    .array(z.string())
    .min(1)
    .describe('Ids of the checks to run, in this order: wsbench quick --list.'),
});

/** Schema of a scenario file of either kind. */
export const scenarioSchema = z
  .discriminatedUnion('kind', [stressScenarioSchema, quickScenarioSchema])
  .meta({ title: 'wsbench scenario file', description: 'What wsbench quick or wsbench stress does.' });

export type StressScenario = z.output<typeof stressScenarioSchema>;
export type QuickScenario = z.output<typeof quickScenarioSchema>;
