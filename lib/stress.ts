// `stress`: from what the user asked to a plan, and the plan run.
import { randomInt } from 'node:crypto';
import { autoWorkersHere } from './auto-workers.ts';
import { type EmbeddedServer, startEmbedded } from './embedded.ts';
import { type DriverPlan, makeDriver } from './load/drivers/make.ts';
import { runStress, type StressPlan } from './load/index.ts';
import { matchedBy, parseMatch } from './load/match.ts';
import { runMs } from './load/plan-warnings.ts';
import { peakConnections, peakRate, type ResolvedScenario, stagesOf } from './load-options.ts';
import { preflight } from './preflight.ts';
import { type Recognised, recognise } from './recognise.ts';
import type { RunControl } from './result/events.ts';
import { keepSecret } from './result/redact.ts';
import type { StressResult } from './result/result.ts';
import { parseThreshold, planThresholds, stormThresholds } from './result/thresholds.ts';
import { runToEnd } from './run-to-end.ts';
import { type RunTokens, runTokens, tokenLifetimeS } from './run-tokens.ts';
import { resolveStress, type StressOptions } from './stress-options.ts';
import type { Target } from './target/target.ts';
import {
  connectPlan,
  describedTarget,
  plainPreset,
  type TargetServer,
  targetUrlOf,
} from './target-options.ts';
import { version } from './version.ts';

type Carriage = Omit<DriverPlan, 'url' | 'connections'> & Pick<StressPlan, 'workers' | 'spin'>;

type Load = Pick<
  StressPlan,
  | 'connections'
  | 'model'
  | 'depth'
  | 'ratePerSecond'
  | 'arrival'
  | 'durationMs'
  | 'stages'
  | 'shape'
  | 'messages'
  | 'thinkTimeMs'
  | 'rampUpMs'
  | 'connectRatePerSecond'
  | 'churnPerSecond'
  | 'messagesPerConnection'
  | 'slowConsumers'
>;

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
    options.storm ? stormThresholds : undefined,
  );
  const most = peakConnections(scenario);
  const targetUrl = typeof target === 'object' ? target.url : target;
  const { model } = scenario;
  const need = { model, connections: most, ratePerSecond: peakRate(scenario) };
  const workers = options.workers === 'auto' ? autoWorkersHere(need, targetUrl) : options.workers;
  const carried = carriage(options, Math.min(most, workers ?? 1));
  await preflight({ connections: most, workers: carried.workers }, { ...carried, url: targetUrl });
  const seed = options.seed ?? randomInt(2 ** 31);
  const preset = options.targetFile === undefined ? scenario.preset : options.preset;
  const described = describedTarget(
    { ...options, ...(preset === undefined ? {} : { preset }) },
    typeof target === 'string' ? target : undefined,
  );
  const embedded =
    target === undefined
      ? await startEmbedded(options.limits ?? 'development', most, tokenLifetimeS(plannedMs(scenario)))
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
            // The same way to the target as the load's.
            makeDriver({ ...carried, url, connections: 1 }),
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
      ...load(scenario),
      settleMs: scenario.settle,
      warmupMs: scenario.warmup,
      timeoutMs: scenario.timeout,
      connectTimeoutMs: scenario.connectTimeout,
      sizeBytes: scenario.size ?? description.size ?? 0,
      ...(options.message === undefined ? {} : { message: options.message }),
      binary: options.binary ?? false,
      tokens,
      ...(mint === undefined ? {} : { mint }),
      ...carried,
      seed,
      thresholds,
      // A load that only rises wants to know how far it gets.
      abortOnFail: options.abortOnFail ?? scenario.shape === 'break',
      delayAbortMs: options.delayAbortMs ?? 0,
      ...(scenario.reconnect === undefined ? {} : { reconnect: scenario.reconnect }),
      ...(options.storm === undefined ? {} : { storm: options.storm }),
      ...(options.reproduce === undefined ? {} : { reproduce: options.reproduce }),
    };
    const result = await runToEnd(
      (signal) => runStress(plan, signal, undefined, control.openJournal),
      control,
    );
    return { ...result, warnings: [...seen.warnings, ...result.warnings] };
  } finally {
    await embedded?.stop();
  }
}

/** How much load, and when. */
function load(scenario: ResolvedScenario): Load {
  const { thinkTime: [from = 0, to = 0] = [] } = scenario;
  return {
    connections: scenario.connections,
    model: scenario.model,
    depth: scenario.depth,
    ratePerSecond: scenario.rate,
    arrival: scenario.arrival,
    durationMs: scenario.duration,
    stages: stagesOf(scenario).map(({ duration: durationMs, connections, rate }) => ({
      durationMs,
      ...(connections === undefined ? {} : { connections }),
      ...(rate === undefined ? {} : { ratePerSecond: rate }),
    })),
    shape: scenario.shape ?? 'constant',
    messages: scenario.messages ?? 0,
    thinkTimeMs: [from, to],
    rampUpMs: scenario.rampUp,
    connectRatePerSecond: scenario.connectRate ?? 0,
    churnPerSecond: scenario.churn ?? 0,
    messagesPerConnection: scenario.messagesPerConnection ?? 0,
    slowConsumers: scenario.slowConsumers ?? 0,
  };
}

/** How the load is carried. */
function carriage(options: StressOptions, workers: number): Carriage {
  const { driver = 'native', proxy, clientCertificate, servername } = options;
  return {
    driver,
    workers,
    spin: options.spin ?? false,
    compress: options.compress ?? false,
    fragmentBytes: options.fragmentBytes ?? 0,
    localAddresses: [...(options.localAddresses ?? [])],
    ...(proxy === undefined ? {} : { proxy }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(servername === undefined ? {} : { servername }),
  };
}

async function tokensFor(
  target: string | TargetServer | undefined,
  options: StressOptions,
  scenario: ResolvedScenario,
  { signal }: RunControl,
  embedded: EmbeddedServer | undefined,
): Promise<RunTokens> {
  const connections = peakConnections(scenario);
  const own = await runTokens(target, options, { connections, runMs: plannedMs(scenario), signal });
  if (!embedded || options.tokens !== undefined) return own;
  for (const token of embedded.tokens) keepSecret(token);
  return { tokens: embedded.tokens };
}

/** How long connections may be open. */
function plannedMs(scenario: ResolvedScenario): number {
  const { settle, warmup, timeout, connectTimeout } = scenario;
  const asked = { ...load(scenario), settleMs: settle, warmupMs: warmup };
  return runMs(asked) + connectTimeout + timeout;
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
