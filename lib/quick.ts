// `quick`: from what the user asked to a plan of checks, and the plan run.
import { randomInt } from 'node:crypto';
import { createServer } from '../reference-server/index.ts';
import { allChecks, type QuickPlan, runChecks, selectChecks } from './checks/index.ts';
import { type Recognised, recognise } from './recognise.ts';
import type { RunControl } from './result/events.ts';
import { keepSecret } from './result/redact.ts';
import type { QuickResult } from './result/result.ts';
import { runToEnd } from './run-to-end.ts';
import { loadQuickScenario } from './scenario/load.ts';
import { joinHeaders } from './target/headers.ts';
import {
  type ConnectOptions,
  connectPlan,
  describedTarget,
  plainPreset,
  type TargetServer,
  targetUrlOf,
} from './target-options.ts';
import { mintToken, type SigningKey, type TokenOptions } from './token.ts';
import { version } from './version.ts';

/** Which checks to run and what they may use. */
export interface QuickOptions extends ConnectOptions {
  /** Path of a scenario file; the shipped `scenarios/quick.yml` by default. */
  scenario?: string;
  /** Ids of the checks to run; `*` stands for anything. */
  only?: readonly string[];
  /** Time that one reply may take. */
  timeoutMs?: number;
  /** Connections that the check of simultaneous connections opens. */
  connections?: number;
  /** A token that the target accepts. */
  token?: string;
  /** Key that the target's tokens are signed with: lets every check mint its own. */
  signingKey?: SigningKey;
  /** Claims of the tokens that are minted with it; those that a check is about win. */
  claims?: Record<string, unknown>;
  /** Allow checks that burden a target that is not on this machine. */
  intrusive?: boolean;
  seed?: number;
}

/** A check as `quick --list` shows it. */
export interface CheckInfo {
  id: string;
  title: string;
  needs: readonly string[];
  impact: 'none' | 'burst' | 'destructive';
}

/** All checks, in the order in which they run. */
export function listChecks(): CheckInfo[] {
  return allChecks.map(({ id, title, needs, impact }) => ({ id, title, needs, impact }));
}

/**
 * Checks how a WebSocket server behaves: connection, heartbeat, authentication, bad input, rate limits.
 *
 * @param target URL, a server made by `createServer`, or nothing: then the reference server is started in this process
 * @param options which checks, and what they may use
 * @param control how to watch and to stop the run
 * @returns the result with one verdict a check
 * @throws WsbenchError `USAGE` or `CONFIG` for wrong options, `SERVER_START` when the embedded server does not start
 *
 * @example
 * const result = await quick('ws://127.0.0.1:8080/ws', { preset: 'wsbench', only: ['connect', 'heartbeat'] });
 * for (const check of result.checks) console.log(check.id, check.status);
 */
export async function quick(
  target: string | TargetServer | undefined,
  options: QuickOptions = {},
  control: RunControl = {},
): Promise<QuickResult> {
  if (options.token !== undefined) keepSecret(options.token);
  const scenario = loadQuickScenario(options.scenario);
  const only = options.only ?? [];
  // Before anything is started or sent: a wrong id costs nothing.
  selectChecks(allChecks, scenario.checks, only);
  const described = describedTarget(options, typeof target === 'string' ? target : undefined);
  const embedded =
    target === undefined ? await createServer({ environment: 'test', limits: 'test' }) : undefined;
  try {
    await embedded?.listen();
    const server = embedded ?? target;
    const url = targetUrlOf(server ?? '');
    const mint = minterOf(server, options);
    const seen: Recognised =
      embedded || described
        ? { warnings: [] }
        : await recognise(connectPlan(url, null, options), options.token, 'warn', control);
    const guess = embedded ? 'wsbench' : seen.preset;
    const known = described ?? (guess === undefined ? null : plainPreset(guess));
    const connect = connectPlan(url, known, options);
    const plan: QuickPlan = {
      ...connect,
      headers: joinHeaders(connect.headers),
      caCertificates: connect.caCertificates === undefined ? [] : [connect.caCertificates],
      name: scenario.name,
      version,
      target: known,
      embedded: embedded !== undefined,
      checks: scenario.checks,
      only,
      timeoutMs: options.timeoutMs ?? scenario.timeout,
      connections: options.connections ?? scenario.connections,
      ...(options.token === undefined ? {} : { token: options.token }),
      ...(mint === undefined ? {} : { mint }),
      intrusive: options.intrusive ?? false,
      reproduceBase: options.reproduce ?? 'wsbench quick',
      seed: options.seed ?? randomInt(2 ** 31),
    };
    const result = await runToEnd((signal) => runChecks(plan, signal), control);
    return { ...result, warnings: [...seen.warnings, ...result.warnings] };
  } finally {
    await embedded?.close();
  }
}

function minterOf(
  target: string | TargetServer | undefined,
  { signingKey: key, claims }: QuickOptions,
): ((options: TokenOptions) => Promise<string>) | undefined {
  if (key) {
    return (options) => mintToken(key, { ...options, claims: { ...claims, ...options.claims } });
  }
  if (typeof target === 'object' && target.mint) return target.mint.bind(target);
  return undefined;
}
