// Makes the engines of a run: one in this thread, or one in each of several worker threads.
import type { ResourceLimits } from 'node:worker_threads';
import { keptForms } from '../result/kept-secrets.ts';
import { Attempts } from './attempts.ts';
import type { Driver } from './drivers/driver.ts';
import { makeDriver } from './drivers/make.ts';
import { Engine } from './engine.ts';
import type { EngineCommands, EngineReports } from './engine-contract.ts';
import type { StressPlan } from './plan.ts';
import { mostConnections } from './profile.ts';
import { RemoteEngine } from './remote-engine.ts';
import { assemble, idTag } from './rig.ts';
import { type FreshTokens, TokenSource } from './tokens.ts';
import type { WorkerStart } from './worker-messages.ts';

/** A driver that every worker makes for itself, from a module that exports {@link CreateDriver} as `createDriver`. */
export interface DriverModule {
  /** URL of the module. */
  module: string;
  /** What the threads may use of the heap. */
  resourceLimits?: ResourceLimits;
}

/** An engine as the run has it. */
export interface Hired extends EngineCommands {
  /** Looks whether it is alive, where that can be doubted. */
  watch?(): void;
  /** Ends it, whatever it does. */
  dispose(): void;
}

/** Makes the engine of a worker. `lost` is told when it is gone before it finished, and why. */
export type Recruit = (worker: number, reports: EngineReports, lost: (why: string) => void) => Hired;

/** How many engines a run has. A driver that is an object cannot leave its thread. */
export function engineCount(plan: StressPlan, driver: Driver | DriverModule | undefined): number {
  return driver && 'open' in driver ? 1 : Math.max(1, Math.min(plan.workers, mostConnections(plan)));
}

/**
 * How the engines of a run are made.
 *
 * @param startedUs when the run began
 * @param driver carries the messages; the plan's by default
 */
export function recruiter(
  plan: StressPlan,
  startedUs: number,
  driver: Driver | DriverModule | undefined,
): Recruit {
  const workers = engineCount(plan, driver);
  const tag = idTag();
  const { mint, ...data } = plan;
  const source = new TokenSource(plan.tokens, mostConnections(plan), mint);
  if (workers === 1 && !(driver && 'module' in driver)) {
    const own = driver === undefined ? {} : { driver };
    return (_worker, reports) => {
      const engine = new Engine(plan, assemble(plan, { tag, tokens: source, ...own }), reports, startedUs);
      reports.ready();
      return engine;
    };
  }
  // What the user got wrong is an exception here; in a worker it would be a crash.
  if (driver === undefined) makeDriver(plan);
  const engines: RemoteEngine[] = [];
  const tokens = toldToAll(source, engines);
  const secrets = keptForms();
  const { counts: attempts } = new Attempts();
  const pulse = new Int32Array(new SharedArrayBuffer(4 * workers));
  return (worker, reports, onLost) => {
    const own = driver && 'module' in driver ? driver : undefined;
    const start: WorkerStart = {
      plan: data,
      part: { worker, workers },
      tag,
      startedUs,
      secrets,
      pulse,
      attempts,
      ...(own ? { driver: own.module } : {}),
    };
    const { resourceLimits } = own ?? {};
    const limits = resourceLimits ? { resourceLimits } : {};
    const engine = new RemoteEngine(start, reports, { tokens, onLost, ...limits });
    engines.push(engine);
    return engine;
  };
}

/** A target may send a token to others than to whom it belongs. */
function toldToAll(source: FreshTokens, engines: readonly RemoteEngine[]): FreshTokens {
  return {
    fresh: async (current, nowMs) => {
      const token = await source.fresh(current, nowMs);
      if (token !== undefined) for (const engine of engines) engine.keep(token);
      return token;
    },
  };
}
