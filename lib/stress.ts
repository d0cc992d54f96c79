// `stress`: from what the user asked to a plan, and the plan run.
import { randomInt } from 'node:crypto';
import { type EmbeddedLimits, type EmbeddedServer, startEmbedded } from './embedded.ts';
import { WsbenchError } from './errors.ts';
import { runStress, type StressPlan } from './load/index.ts';
import { matchedBy, parseMatch } from './load/match.ts';
import { runMs } from './load/plan-warnings.ts';
import { preflight } from './preflight.ts';
import { type Recognised, recognise } from './recognise.ts';
import type { RunControl } from './result/events.ts';
import { keepSecret } from './result/redact.ts';
import type { StressResult } from './result/result.ts';
import { parseThreshold, planThresholds } from './result/thresholds.ts';
import { runToEnd } from './run-to-end.ts';
import { type RunTokens, runTokens, type TokenChoice, tokenLifetimeS } from './run-tokens.ts';
import { loadStressScenario } from './scenario/load.ts';
import type { StressScenario } from './scenario/scenario.ts';
import type { Target } from './target/target.ts';
import {
  type ConnectOptions,
  connectPlan,
  describedTarget,
  plainPreset,
  type TargetServer,
  targetUrlOf,
} from './target-options.ts';
import { version } from './version.ts';

/** What to send and how. Everything left out comes from the scenario. */
export interface StressOptions extends ConnectOptions, TokenChoice {
  /** Path of a scenario file; the shipped `scenarios/stress.yml` by default. */
  scenario?: string;
  connections?: number;
  /** Messages per second over all connections (open model). */
  ratePerSecond?: number;
  model?: 'open' | 'closed';
  /** Messages in flight per connection (closed model). */
  depth?: number;
  arrival?: 'constant' | 'poisson';
  durationMs?: number;
  rampUpMs?: number;
  warmupMs?: number;
  /** A reply that takes longer is lost. */
  timeoutMs?: number;
  connectTimeoutMs?: number;
  /** Message size in bytes. */
  sizeBytes?: number;
  /** Message to send instead of the target description's; may hold `{{ id }}`, `{{ seq }}` and `{{ token }}`. */
  message?: string | Uint8Array;
  binary?: boolean;
  /** How a reply finds its message, as `--match` takes it: `order`, `id:/pointer`, … The target's description says so by default. */
  match?: string;
  /** The target does not reply: a ping frame follows each message, and its pong is the reply. */
  noReply?: boolean;
  /** Thresholds, which replace those of the scenario on the same metric. */
  thresholds?: readonly string[];
  /** False: only the thresholds that were given count. */
  defaultThresholds?: boolean;
  /** Limits of the embedded server. */
  limits?: EmbeddedLimits;
  seed?: number;
}

const maxTimeoutMs = 3_600_000;
const maxRatePerSecond = 1e9;
// What the engine's memory of messages under way holds.
const mostOutstanding = 2 ** 22;
// The drivers take no longer replies, so a longer echo would be taken for the target's fault.
const maxMessageBytes = 16 * 1024 * 1024;

/**
 * The scenario that options and scenario file make together: what `stress --print` shows.
 *
 * @throws WsbenchError `USAGE` for a combination that makes no sense
 */
export function resolveStress(options: StressOptions): StressScenario {
  const scenario = loadStressScenario(options.scenario);
  const usage = (message: string): never => {
    throw new WsbenchError('USAGE', message);
  };
  const model = options.model ?? scenario.model;
  if (model === 'closed' && options.ratePerSecond !== undefined) {
    usage('a rate makes no sense in the closed model: leave out --rate or --closed');
  }
  if (model === 'open' && options.depth !== undefined) usage('--depth needs --closed');
  if (options.message !== undefined && options.sizeBytes !== undefined) {
    usage('--message and --size exclude each other');
  }
  if (options.match !== undefined) {
    if (options.noReply) usage('--match and --no-reply exclude each other');
    parseMatch(options.match);
  }
  const resolved: StressScenario = {
    ...scenario,
    ...(options.preset === undefined ? {} : { preset: options.preset }),
    model,
    connections: options.connections ?? scenario.connections,
    rate: options.ratePerSecond ?? scenario.rate,
    depth: options.depth ?? scenario.depth,
    arrival: options.arrival ?? scenario.arrival,
    duration: options.durationMs ?? scenario.duration,
    rampUp: options.rampUpMs ?? scenario.rampUp,
    warmup: options.warmupMs ?? scenario.warmup,
    timeout: options.timeoutMs ?? scenario.timeout,
    connectTimeout: options.connectTimeoutMs ?? scenario.connectTimeout,
    ...(options.sizeBytes === undefined ? {} : { size: options.sizeBytes }),
    thresholds: [...(options.thresholds ?? scenario.thresholds)],
  };
  const wrong = senseless(resolved, options);
  if (wrong !== undefined) usage(wrong);
  return resolved;
}

/** What is wrong with the figures of a scenario: the command reads them from text, programs may pass anything. */
function senseless(scenario: StressScenario, { seed, message }: StressOptions): string | undefined {
  const { connections, rate, depth, duration, timeout, connectTimeout, size = 0 } = scenario;
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
  if (!isCount(connections)) return `connections must be a whole number of at least 1, not ${connections}`;
  if (!(rate > 0) || rate > maxRatePerSecond) return `the rate must be between 0 and 1G/s, not ${rate}/s`;
  if (!isCount(depth)) return `the depth must be a whole number of at least 1, not ${depth}`;
  if (connections * depth > mostOutstanding) {
    return `${connections} connections with ${depth} messages in flight each are more than ${mostOutstanding} messages`;
  }
  if (!(duration > 0) || duration === Number.POSITIVE_INFINITY) return 'the duration must be longer than 0';
  if (!(timeout > 0) || timeout > maxTimeoutMs) return 'the timeout must be between 0 and 1h';
  if (!(connectTimeout > 0) || connectTimeout > maxTimeoutMs)
    return 'the connect timeout must be between 0 and 1h';
  for (const [name, ms] of [
    ['ramp-up', scenario.rampUp],
    ['settle time', scenario.settle],
    ['warm-up', scenario.warmup],
  ] as const) {
    if (!(ms >= 0) || ms === Number.POSITIVE_INFINITY) return `the ${name} must not be ${ms} ms`;
  }
  const bytes = message === undefined ? size : Buffer.byteLength(message);
  if (!(Number.isInteger(bytes) && bytes >= 0 && bytes <= maxMessageBytes))
    return `the message size must be whole bytes up to 16 MiB, not ${bytes}`;
  if (seed !== undefined && !Number.isSafeInteger(seed))
    return `the seed must be a whole number, not ${seed}`;
  return undefined;
}

/**
 * Puts load on a WebSocket server and measures it, in the phases connect, settle, warm-up, measure and drain.
 *
 * @param target URL, a server made by `createServer`, or nothing: then the reference server is started as a child process
 * @param options what to send; the shipped scenario by default
 * @param control how to watch and to stop the run
 * @returns the result, whatever the target did
 * @throws WsbenchError `USAGE` or `CONFIG` for wrong options, `RESOURCES` when this process has too few files or ports,
 *   `SERVER_START` when the embedded server does not start
 *
 * @example
 * const result = await stress('ws://127.0.0.1:8080/ws/echo', { connections: 50, ratePerSecond: 1000, durationMs: 10_000 });
 * console.log(result.outcome, result.metrics.rtt.p99);
 */
export async function stress(
  target: string | TargetServer | undefined,
  options: StressOptions = {},
  control: RunControl = {},
): Promise<StressResult> {
  const scenario = resolveStress(options);
  const source = options.thresholds === undefined ? 'scenario' : 'option';
  const thresholds = planThresholds(
    scenario.thresholds.map((text) => parseThreshold(text, source)),
    options.defaultThresholds ?? true,
  );
  preflight(scenario.connections);
  const seed = options.seed ?? randomInt(2 ** 31);
  const preset = options.targetFile === undefined ? scenario.preset : options.preset;
  const described = describedTarget(
    { ...options, ...(preset === undefined ? {} : { preset }) },
    typeof target === 'string' ? target : undefined,
  );
  const embedded =
    target === undefined
      ? await startEmbedded(
          options.limits ?? 'development',
          scenario.connections,
          tokenLifetimeS(plannedMs(scenario)),
        )
      : undefined;
  try {
    const url = targetUrlOf(embedded ?? target ?? '');
    const { tokens, mint } = await tokensFor(target, options, scenario, control, embedded);
    const seen: Recognised =
      embedded || described
        ? { warnings: [] }
        : await recognise(
            connectPlan(url, null, options),
            tokens[0],
            saysHow(options) ? 'warn' : 'refuse',
            control,
          );
    const guess = embedded ? 'wsbench' : seen.preset;
    const description = withMatch(
      described ?? plainPreset(guess ?? 'echo'),
      options,
      described !== undefined,
    );
    const connect = connectPlan(url, description, options);
    const plan: StressPlan = {
      ...connect,
      version,
      name: scenario.name,
      target: description,
      targetKnown: described !== undefined || guess !== undefined,
      embedded: embedded !== undefined,
      connections: scenario.connections,
      model: scenario.model,
      depth: scenario.depth,
      ratePerSecond: scenario.rate,
      arrival: scenario.arrival,
      durationMs: scenario.duration,
      rampUpMs: scenario.rampUp,
      settleMs: scenario.settle,
      warmupMs: scenario.warmup,
      timeoutMs: scenario.timeout,
      connectTimeoutMs: scenario.connectTimeout,
      sizeBytes: scenario.size ?? description.size ?? 0,
      ...(options.message === undefined ? {} : { message: options.message }),
      binary: options.binary ?? false,
      tokens,
      ...(mint === undefined ? {} : { mint }),
      seed,
      thresholds,
      ...(options.reproduce === undefined ? {} : { reproduce: options.reproduce }),
    };
    const result = await runToEnd((signal) => runStress(plan, signal), control);
    return { ...result, warnings: [...seen.warnings, ...result.warnings] };
  } finally {
    await embedded?.stop();
  }
}

async function tokensFor(
  target: string | TargetServer | undefined,
  options: StressOptions,
  scenario: StressScenario,
  { signal }: RunControl,
  embedded: EmbeddedServer | undefined,
): Promise<RunTokens> {
  const { connections } = scenario;
  const own = await runTokens(target, options, { connections, runMs: plannedMs(scenario), signal });
  if (!embedded || options.tokens !== undefined) return own;
  for (const token of embedded.tokens) keepSecret(token);
  return { tokens: embedded.tokens };
}

/** How long connections may be open. */
function plannedMs({ rampUp, settle, warmup, duration, timeout, connectTimeout }: StressScenario): number {
  const load = runMs({ rampUpMs: rampUp, settleMs: settle, warmupMs: warmup, durationMs: duration });
  return load + connectTimeout + timeout;
}

/** Whether the options say what is sent or how it is answered, so that there is something to run without a description. */
function saysHow({ match, noReply, message }: StressOptions): boolean {
  return match !== undefined || noReply === true || message !== undefined;
}

/** The description with what `match` and `noReply` say instead. A target that nobody described promises no echo then. */
function withMatch(target: Target, { match, noReply, message }: StressOptions, described: boolean): Target {
  if (noReply) return matchedBy(target, { by: 'pong' }, message, false);
  return match === undefined
    ? target
    : matchedBy(target, parseMatch(match), message, described && target.echoes);
}
