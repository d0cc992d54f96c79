// How much load, and how it changes over time: the options for it, and what of them makes no sense.
import { formatRate } from './duration.ts';
import { WsbenchError } from './errors.ts';
import { type ReconnectPolicy, reconnectPolicies } from './scenario/reconnect.ts';
import type { StressScenario } from './scenario/scenario.ts';
import { type Shape, shapeStages } from './scenario/shapes.ts';
import type { ScenarioStage } from './scenario/stages.ts';

/** How much to send, from how many connections, and when. Everything left out comes from the scenario. */
export interface LoadOptions {
  connections?: number;
  /** Messages per second over all connections (open model). */
  ratePerSecond?: number;
  /** Messages per second on each connection, in place of {@link ratePerSecond}. */
  ratePerConnection?: number;
  model?: 'open' | 'closed';
  /** Messages in flight per connection (closed model). */
  depth?: number;
  /** Pause between a reply and the next message, from and to in ms, drawn evenly (closed model). */
  thinkTimeMs?: readonly [number, number];
  arrival?: 'constant' | 'poisson';
  durationMs?: number;
  /** The measure phase ends when so many messages were scheduled. */
  messages?: number;
  /** How rate and connections change over the measure phase; durations in ms. */
  stages?: readonly ScenarioStage[];
  /** Stages by name. */
  shape?: Shape;
  rampUpMs?: number;
  /** Connections to open a second, in place of {@link rampUpMs}. */
  connectRatePerSecond?: number;
  /** Connections a second that are closed and replaced by fresh ones, the oldest first. */
  churnPerSecond?: number;
  /** A connection is replaced by a fresh one when so many messages went over it and were answered. */
  messagesPerConnection?: number;
  /** Share of the connections that read slowly, 0–1. */
  slowConsumers?: number;
  /** Connections that are lost come back by this policy; by default they do not. */
  reconnect?: ReconnectPolicy;
}

/** A scenario that says how long it measures, and at which rate. */
export type ResolvedScenario = StressScenario & { duration: number; rate: number };

// The closed model has no rate; one that becomes open has to have one.
const unaskedRate = 100;
// A run that ends when so many messages were answered must end when none is.
const mostUnaskedMs = 3_600_000;

/**
 * The load that options and scenario make together. What an option says takes the place of what the scenario says of it.
 *
 * @throws WsbenchError `USAGE` for options that exclude each other
 */
export function resolveLoad(scenario: StressScenario, options: LoadOptions): ResolvedScenario {
  const clash = clashOf(options);
  if (clash !== undefined) throw new WsbenchError('USAGE', clash);
  const model = options.model ?? scenario.model;
  const connections = options.connections ?? scenario.connections;
  const arrival = options.arrival ?? scenario.arrival;
  const rate = rateOf(scenario, options, connections);
  const { duration: _duration, stages: _stages, shape: _shape, ratePerConnection: _rate, ...rest } = scenario;
  const connectRate =
    options.connectRatePerSecond ?? (options.rampUpMs === undefined ? scenario.connectRate : undefined);
  const churn = options.churnPerSecond ?? scenario.churn;
  const messages = options.messages ?? scenario.messages;
  const messagesPerConnection = options.messagesPerConnection ?? scenario.messagesPerConnection;
  const thinkTime = options.thinkTimeMs ?? scenario.thinkTime;
  const slowConsumers = options.slowConsumers ?? scenario.slowConsumers;
  const reconnect = options.reconnect ?? scenario.reconnect;
  const { connectRate: _connectRate, ...others } = rest;
  return {
    ...others,
    model,
    connections,
    rate: rate.total,
    depth: options.depth ?? scenario.depth,
    arrival,
    ...courseOver(scenario, options, { model, rate: rate.total, arrival }, rate.perConnection),
    ...(messages === undefined ? {} : { messages }),
    ...(thinkTime === undefined ? {} : { thinkTime: [...thinkTime] }),
    rampUp: options.rampUpMs ?? (options.connectRatePerSecond === undefined ? scenario.rampUp : 0),
    ...(connectRate === undefined ? {} : { connectRate }),
    ...(churn === undefined ? {} : { churn }),
    ...(messagesPerConnection === undefined ? {} : { messagesPerConnection }),
    ...(slowConsumers === undefined ? {} : { slowConsumers }),
    ...(reconnect === undefined ? {} : { reconnect }),
  };
}

/** The stages that a scenario asks for, made of its shape where it has one. */
export function stagesOf({ stages, shape, ...of }: ResolvedScenario): readonly ScenarioStage[] {
  return stages ?? shapeStages(shape ?? 'constant', of);
}

/** The most connections that a scenario asks for at the same time. */
export function peakConnections(scenario: ResolvedScenario): number {
  return Math.max(scenario.connections, ...stagesOf(scenario).map(({ connections = 0 }) => connections));
}

/** The most messages per second over all connections that a scenario ever asks for. */
export function peakRate(scenario: ResolvedScenario): number {
  return Math.max(scenario.rate, ...stagesOf(scenario).map(({ rate = 0 }) => rate));
}

/** What is wrong with the load of a scenario; undefined: nothing. */
export function wrongLoad(scenario: ResolvedScenario): string | undefined {
  const { model, messages, thinkTime, connectRate, rampUp, churn, messagesPerConnection } = scenario;
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
  if (messages !== undefined && !isCount(messages)) return `messages must be at least 1, not ${messages}`;
  if (messagesPerConnection !== undefined && !isCount(messagesPerConnection)) {
    return `messages per connection must be a whole number of at least 1, not ${messagesPerConnection}`;
  }
  if (thinkTime !== undefined) {
    const [from = 0, to = 0] = thinkTime;
    if (model === 'open') return 'a think time makes no sense by schedule: --think-time needs --closed';
    if (!(from >= 0 && to >= from && to <= mostUnaskedMs)) return 'the think time must be between 0 and 1h';
  }
  if (connectRate !== undefined && rampUp > 0) return 'a connect rate and a ramp-up exclude each other';
  for (const [what, rate] of [
    ['connect rate', connectRate],
    ['churn', churn],
  ] as const) {
    if (rate !== undefined && !(rate > 0 && rate <= mostConnects)) {
      return `the ${what} must be between 0 and ${formatRate(mostConnects)}, not ${formatRate(rate)}`;
    }
  }
  const { reconnect } = scenario;
  if (reconnect !== undefined && !reconnectPolicies.includes(reconnect)) {
    return `connections come back by one of ${reconnectPolicies.join(', ')}, not ${reconnect}`;
  }
  return wrongStages(scenario) ?? wrongShare(scenario);
}

const mostConnects = 1e6;

function wrongStages(scenario: ResolvedScenario): string | undefined {
  const stages = stagesOf(scenario);
  if (stages.length === 0) return undefined;
  for (const [index, { duration, connections, rate }] of stages.entries()) {
    const stage = `stage ${index + 1}`;
    if (!(duration >= 0) || duration === Number.POSITIVE_INFINITY)
      return `${stage} must not last ${duration} ms`;
    if (connections !== undefined && !(Number.isSafeInteger(connections) && connections >= 0)) {
      return `${stage}: connections must be a whole number, not ${connections}`;
    }
    if (rate !== undefined && !(rate >= 0 && rate <= 1e9)) {
      return `${stage}: the rate must be between 0 and 1G/s, not ${rate}/s`;
    }
    if (scenario.model === 'closed' && rate !== undefined) {
      return `${stage} has a rate, which makes no sense in the closed model: say connections`;
    }
    if (scenario.model === 'open' && connections === 0) {
      return `${stage} asks for no connections, and in the open model messages need at least one`;
    }
  }
  const rates = stages.map(({ rate }) => rate);
  if (scenario.model === 'open' && rates[0] === 0 && rates.every((rate) => !rate)) {
    return 'the stages ask for no message at all';
  }
  return undefined;
}

/** A share that is less than one connection is none, and nobody would notice. */
function wrongShare(scenario: ResolvedScenario): string | undefined {
  const { slowConsumers: share = 0 } = scenario;
  const connections = peakConnections(scenario);
  if (share === 1) return 'with slow consumers only there is nobody left to measure';
  return share > 0 && Math.floor(share * connections + 1e-9) === 0
    ? `${100 * share} % of ${connections} connections is less than one slow consumer`
    : undefined;
}

function clashOf(options: LoadOptions): string | undefined {
  const { stages, shape, ratePerSecond, ratePerConnection } = options;
  const has = (key: keyof LoadOptions): boolean => options[key] !== undefined;
  if (ratePerSecond !== undefined && ratePerConnection !== undefined) {
    return '--rate and --rate-per-connection exclude each other';
  }
  if (stages && shape !== undefined && shape !== 'constant') return '--stage and --shape exclude each other';
  if (stages && has('durationMs')) {
    return 'the stages say how long the measure phase is: leave out --duration';
  }
  if (stages?.some(({ rate }) => rate !== undefined) && ratePerConnection !== undefined) {
    return 'with --rate-per-connection the rate follows the connections: leave it out of the stages';
  }
  if (has('rampUpMs') && has('connectRatePerSecond'))
    return '--ramp-up and --connect-rate exclude each other';
  return undefined;
}

function rateOf(
  scenario: StressScenario,
  { ratePerSecond, ratePerConnection }: LoadOptions,
  connections: number,
): { total: number; perConnection: number | undefined } {
  const perConnection =
    ratePerConnection ?? (ratePerSecond === undefined ? scenario.ratePerConnection : undefined);
  const total =
    perConnection === undefined
      ? (ratePerSecond ?? scenario.rate ?? unaskedRate)
      : perConnection * connections;
  return { total, perConnection };
}

/** How long the measure phase is, and what happens in it. */
function courseOver(
  scenario: StressScenario,
  options: LoadOptions,
  load: Pick<ResolvedScenario, 'model' | 'rate' | 'arrival'>,
  perConnection: number | undefined,
): Pick<ResolvedScenario, 'duration' | 'stages' | 'shape'> {
  const stages = options.stages ?? (options.shape === undefined ? scenario.stages : undefined);
  if (stages) {
    if (options.durationMs !== undefined) {
      throw new WsbenchError('USAGE', "the scenario's stages say how long it measures: leave out --duration");
    }
    const duration = lengthOf(stages);
    if (perConnection === undefined) return { duration, stages: [...stages] };
    return { duration, stages: stages.map((stage) => following(stage, perConnection)) };
  }
  const shape = options.shape ?? scenario.shape ?? 'constant';
  const asked = options.messages === undefined ? scenario.duration : undefined;
  const duration =
    options.durationMs ??
    (shape === 'constant'
      ? (asked ?? lengthOfMessages(options.messages ?? scenario.messages, load))
      : undefined) ??
    scenario.duration ??
    (scenario.stages && lengthOf(scenario.stages));
  if (duration === undefined) {
    throw new WsbenchError('CONFIG', 'the scenario says neither duration nor stages nor messages');
  }
  return { duration, ...(shape === 'constant' ? {} : { shape }) };
}

function lengthOf(stages: readonly ScenarioStage[]): number {
  return stages.reduce((sum, { duration }) => sum + duration, 0);
}

function following(stage: ScenarioStage, perConnection: number): ScenarioStage {
  const { connections } = stage;
  return connections === undefined ? stage : { ...stage, rate: perConnection * connections };
}

/** How long so many messages take at most, in ms. */
function lengthOfMessages(
  messages: number | undefined,
  { model, rate, arrival }: Pick<ResolvedScenario, 'model' | 'rate' | 'arrival'>,
): number | undefined {
  if (messages === undefined) return undefined;
  if (model === 'closed') return mostUnaskedMs;
  // Random arrivals may take longer than the mean, by chance; the phase ends with the last of them.
  const room = arrival === 'poisson' ? 6 * Math.sqrt(messages) + 20 : 0;
  return ((messages + room) * 1000) / rate;
}
