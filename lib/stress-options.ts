// What a stress run is asked for, and the scenario that it makes.
import type { EmbeddedLimits } from './embedded.ts';
import { WsbenchError } from './errors.ts';
import { parseMatch } from './load/match.ts';
import { type ClientCertificate, type DriverName, driverNames } from './load/plan.ts';
import { dropKinds, type StormPlan, stormMs } from './load/reconnect/storm.ts';
import {
  type LoadOptions,
  peakConnections,
  type ResolvedScenario,
  resolveLoad,
  wrongLoad,
} from './load-options.ts';
import type { TokenChoice } from './run-tokens.ts';
import { loadStressScenario } from './scenario/load.ts';
import type { ConnectOptions } from './target-options.ts';

/** What to send and how. Everything left out comes from the scenario. */
export interface StressOptions extends LoadOptions, ConnectOptions, TokenChoice {
  /** Path of a scenario file; the shipped `scenarios/stress.yml` by default. */
  scenario?: string;
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
  /** What carries the messages: `native`, our own protocol engine, by default, or `ws`, the ws package. */
  driver?: DriverName;
  /** Threads that share the load, at most one a connection; `auto`: as many as the load needs and this machine has cores for. 1 by default. */
  workers?: number | 'auto';
  /** Wait for due times in a busy loop: exact to microseconds, for the price of a whole core a worker. */
  spin?: boolean;
  /** Offer permessage-deflate, and compress what is sent where it is agreed on. */
  compress?: boolean;
  /** Send messages in fragments of this size, in bytes. */
  fragmentBytes?: number;
  /** Addresses of this machine to connect from, in turn. */
  localAddresses?: readonly string[];
  /** URL of a proxy to go through, `http://` or `socks5://`. */
  proxy?: string;
  /** Certificate and private key to show to the target, PEM. */
  clientCertificate?: ClientCertificate;
  /** The name to ask for (SNI) and to look for in the certificate, where it is not that of the URL. */
  servername?: string;
  /** End the run as soon as a threshold is crossed for good. */
  abortOnFail?: boolean;
  /** All connections go at once, and the measure phase lasts until they are back: {@link storm} has its defaults. */
  storm?: StormPlan;
  /** Do not end it within this time after the measure phase began. */
  delayAbortMs?: number;
}

const maxTimeoutMs = 3_600_000;
const maxStormMs = 86_400_000;
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
export function resolveStress(options: StressOptions): ResolvedScenario {
  const scenario = loadStressScenario(options.scenario);
  const usage = (message: string): never => {
    throw new WsbenchError('USAGE', message);
  };
  const load = resolveLoad(
    scenario,
    options.storm ? { ...options, durationMs: stormMs(options.storm) } : options,
  );
  if (load.model === 'closed' && (options.ratePerSecond ?? options.ratePerConnection) !== undefined) {
    usage('a rate makes no sense in the closed model: leave out --rate or --closed');
  }
  if (load.model === 'open' && options.depth !== undefined) usage('--depth needs --closed');
  if (options.message !== undefined && options.sizeBytes !== undefined) {
    usage('--message and --size exclude each other');
  }
  if (options.match !== undefined) {
    if (options.noReply) usage('--match and --no-reply exclude each other');
    parseMatch(options.match);
  }
  const resolved: ResolvedScenario = {
    ...load,
    ...(options.preset === undefined ? {} : { preset: options.preset }),
    warmup: options.warmupMs ?? scenario.warmup,
    timeout: options.timeoutMs ?? scenario.timeout,
    connectTimeout: options.connectTimeoutMs ?? scenario.connectTimeout,
    ...(options.sizeBytes === undefined ? {} : { size: options.sizeBytes }),
    thresholds: [...(options.thresholds ?? scenario.thresholds)],
  };
  const wrong =
    senseless(resolved, options) ??
    wrongStorm(resolved, options) ??
    wrongLoad(resolved) ??
    wrongCarriage(options);
  if (wrong !== undefined) usage(wrong);
  return resolved;
}

/** What is wrong with the figures of a scenario: the command reads them from text, programs may pass anything. */
function senseless(scenario: ResolvedScenario, { seed, message }: StressOptions): string | undefined {
  const { connections, rate, depth, duration, timeout, connectTimeout, size = 0 } = scenario;
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
  if (!isCount(connections)) return `connections must be a whole number of at least 1, not ${connections}`;
  if (!(rate > 0) || rate > maxRatePerSecond) return `the rate must be between 0 and 1G/s, not ${rate}/s`;
  if (!isCount(depth)) return `the depth must be a whole number of at least 1, not ${depth}`;
  const most = peakConnections(scenario);
  if (most * depth > mostOutstanding) {
    return `${most} connections with ${depth} messages in flight each are more than ${mostOutstanding} messages`;
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

/** What is wrong with a storm. */
function wrongStorm(scenario: ResolvedScenario, { storm, driver }: StressOptions): string | undefined {
  if (!storm) return undefined;
  const { drop } = storm;
  if (drop !== null && !dropKinds.includes(drop))
    return `a storm drops by ${dropKinds.join(', ')}, not ${drop}`;
  for (const [name, ms] of [
    ['time before a storm', storm.beforeMs],
    ['deadline of a storm', storm.deadlineMs],
    ['time after a storm', storm.afterMs],
  ] as const) {
    if (!(ms > 0) || ms > maxStormMs) return `the ${name} must be between 0 and 24h`;
  }
  if (scenario.reconnect === undefined) return 'a storm needs a policy to come back by: jitter or immediate';
  if (scenario.model === 'closed') return 'a storm has its messages by schedule: the closed model has none';
  const { stages, shape = 'constant', churn, messages, messagesPerConnection } = scenario;
  const changes = stages !== undefined || shape !== 'constant' || messages !== undefined;
  if (changes || churn !== undefined || messagesPerConnection !== undefined) {
    return 'a storm has a steady load: no stages, shape, churn or number of messages';
  }
  return driver === 'ws' && drop === 'rst' ? 'a TCP reset needs the native driver' : undefined;
}

/** What is wrong with how the load is to be carried. */
function wrongCarriage(options: StressOptions): string | undefined {
  const { driver = 'native', workers = 1, fragmentBytes, slowConsumers, delayAbortMs, abortOnFail } = options;
  if (!driverNames.includes(driver))
    return `the driver must be one of ${driverNames.join(', ')}, not ${driver}`;
  if (workers !== 'auto' && !(Number.isSafeInteger(workers) && workers > 0)) {
    return `workers must be auto or a whole number of at least 1, not ${workers}`;
  }
  if (fragmentBytes !== undefined && !(Number.isSafeInteger(fragmentBytes) && fragmentBytes > 0)) {
    return `fragments must have whole bytes, at least 1, not ${fragmentBytes}`;
  }
  if (slowConsumers !== undefined && !(slowConsumers >= 0 && slowConsumers <= 1)) {
    return `the share of slow consumers must be between 0 and 100 %, not ${100 * slowConsumers} %`;
  }
  if (delayAbortMs !== undefined && !abortOnFail) return '--delay-abort needs --abort-on-fail';
  if (driver === 'native') return undefined;
  const asked = nativeOnly.find(([name]) => {
    const value = options[name];
    return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
  });
  return asked && `${asked[1]} needs the native driver: leave out --driver ${driver}`;
}

/** What only the native driver can do, and the flag for it. */
const nativeOnly: readonly (readonly [keyof StressOptions, string])[] = [
  ['compress', '--compress'],
  ['fragmentBytes', '--fragment'],
  ['localAddresses', '--local-address'],
  ['proxy', '--proxy'],
  ['clientCertificate', '--cert'],
  ['servername', '--servername'],
];
