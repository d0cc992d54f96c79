// Runs checks one after the other and turns what they saw into a QuickResult.
import { setMaxListeners } from 'node:events';
import { performance } from 'node:perf_hooks';
import { formatDuration } from '../duration.ts';
import { messageOf, WsbenchError } from '../errors.ts';
import type { RunEvent } from '../result/events.ts';
import type { CheckRecord, QuickResult } from '../result/result.ts';
import { firstMissing, isStatic } from './capabilities.ts';
import { type Check, type Finding, failed, skipped } from './check.ts';
import { Context } from './context.ts';
import { isLoopback } from './endpoints.ts';
import type { Facts } from './facts.ts';
import { ConnectError, type ConnectFailure, describeFailure } from './failure.ts';
import type { QuickPlan } from './plan.ts';
import { quickResult, recordOf } from './result.ts';
import { selectChecks } from './select.ts';
import { Shared } from './shared.ts';
import { connect } from './suite/connect.ts';

/** Ends a check that does not end by itself. */
class Overdue extends Error {}
/** Ends a check because the run was stopped. */
class Stopped extends Error {}

/**
 * Runs the plan's checks, one at a time.
 *
 * `connect` always runs first, because nothing can be said about a target that does not open a WebSocket; unless it was selected
 * it shows up only when it failed.
 *
 * @param all the checks that ids and patterns choose from
 * @throws WsbenchError `CONFIG` or `USAGE` when ids or patterns name nothing, before anything is sent
 */
export async function* run(
  all: readonly Check[],
  plan: QuickPlan,
  signal: AbortSignal,
): AsyncGenerator<RunEvent, QuickResult, void> {
  const selected = selectChecks(all, plan.checks, plan.only);
  if (selected.length === 0) throw new WsbenchError('USAGE', 'no check is selected');
  const startedAt = new Date();
  const startedMs = performance.now();
  const session = new Session(plan, signal);
  const records: CheckRecord[] = [];
  const listed = selected.some(({ id }) => id === connect.id);
  for (const check of [connect as Check, ...selected.filter(({ id }) => id !== connect.id)]) {
    const record = await session.perform(check);
    if (!record) break;
    if (check.id === connect.id && !listed && record.status === 'passed') continue;
    records.push(record);
    yield { type: 'check', check: record };
  }
  return quickResult(plan, records, {
    startedAt,
    durationMs: performance.now() - startedMs,
    aborted: session.stopped,
    abortReason: signal.reason,
    unreachable: session.unreachable,
  });
}

/** The state of one run: what is known of the target, and which checks failed. */
class Session {
  /** Set when the run was stopped while there was still something to do. */
  stopped = false;
  unreachable: string | null = null;
  readonly #plan: QuickPlan;
  readonly #signal: AbortSignal;
  readonly #facts: Facts;
  readonly #shared = new Shared();
  /** Checks that failed, or that were skipped because of one: with the id of the one that failed. */
  readonly #broken = new Map<string, string>();
  /** Outcome of the one look at the status endpoint: undefined before it. */
  #http: { problem: string | undefined } | undefined;

  constructor(plan: QuickPlan, signal: AbortSignal) {
    this.#plan = plan;
    this.#signal = signal;
    this.#facts = {
      target: plan.target,
      speaks: plan.target?.speaks ?? null,
      welcome: null,
      timeoutMs: plan.timeoutMs,
      asked: false,
    };
  }

  /** Runs or skips one check; undefined when the run was stopped before the check was done. */
  async perform(check: Check): Promise<CheckRecord | undefined> {
    if (this.#signal.aborted) {
      this.stopped = true;
      return undefined;
    }
    this.#facts.asked = this.#plan.only.includes(check.id);
    const startedMs = performance.now();
    const why = await this.#whyNot(check);
    let finding: Finding;
    try {
      finding = why === undefined ? await this.#run(check) : skipped(why);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      this.stopped = true;
      return undefined;
    }
    if (finding.status === 'failed') this.#broken.set(check.id, check.id);
    return recordOf(check, finding, performance.now() - startedMs, this.#plan);
  }

  async #whyNot(check: Check): Promise<string | undefined> {
    if (this.unreachable !== null) return 'the target was never reached';
    const broken = check.dependsOn.map((id) => this.#broken.get(id)).find((id) => id !== undefined);
    // What a target never has is a better reason than what failed, unless nothing could be tried at all.
    const unfit = firstMissing(check.needs.filter(isStatic), this.#plan, this.#facts, undefined);
    if (unfit !== undefined && broken !== connect.id) return unfit;
    if (broken !== undefined) {
      this.#broken.set(check.id, broken);
      return `depends on ${broken}, which failed`;
    }
    if (check.impact !== 'none' && !this.#plan.intrusive && !isLoopback(this.#plan.url)) {
      return `uses up limits that others share (impact: ${check.impact}); needs --intrusive`;
    }
    const lacking = firstMissing(check.needs, this.#plan, this.#facts, undefined);
    if (lacking !== undefined) return lacking;
    if (check.needs.includes('http')) {
      this.#http ??= { problem: await this.#probeStatus() };
      if (this.#http.problem !== undefined) return this.#http.problem;
    }
    return check.skipIf?.(this.#facts);
  }

  async #probeStatus(): Promise<string | undefined> {
    try {
      const { status } = await new Context(this.#plan, this.#facts, this.#shared, this.#signal).status();
      return status === 200 || status === 429 ? undefined : `needs /api/status, which answers HTTP ${status}`;
    } catch (error) {
      return `needs /api/status, which does not answer (${messageOf(error)})`;
    }
  }

  async #run(check: Check): Promise<Finding> {
    const stop = new AbortController();
    // Every connection that is being opened listens.
    setMaxListeners(0, stop.signal);
    const context = new Context(this.#plan, this.#facts, this.#shared, stop.signal);
    const deadlineMs = check.deadlineMs?.(this.#facts) ?? Math.max(10_000, this.#plan.timeoutMs * 3);
    const { promise: ended, end } = this.#endOf(deadlineMs);
    const running = check.run(context);
    // After the end nobody waits for it any more.
    running.catch(() => {});
    try {
      const evidence = await Promise.race([running, ended]);
      const unreached = check.id === connect.id ? unreachedBy(evidence) : undefined;
      if (unreached) this.unreachable = `${this.#plan.url}: ${unreached.message}`;
      return check.judge(evidence);
    } catch (error) {
      if (error instanceof Stopped) throw error;
      return findingOf(error, deadlineMs);
    } finally {
      end();
      stop.abort();
      context.dispose();
    }
  }

  /** A promise that only ever rejects: at the deadline, or when the run is stopped. */
  #endOf(deadlineMs: number): { promise: Promise<never>; end: () => void } {
    let end = (): void => {};
    const promise = new Promise<never>((_, reject) => {
      const stop = (): void => reject(new Stopped('stopped'));
      const timer = setTimeout(() => reject(new Overdue('overdue')), deadlineMs);
      this.#signal.addEventListener('abort', stop, { once: true });
      end = () => {
        clearTimeout(timer);
        this.#signal.removeEventListener('abort', stop);
      };
    });
    promise.catch(() => {});
    return { promise, end };
  }
}

function unreachedBy(evidence: unknown): ConnectFailure | undefined {
  const failure = (evidence as { failure?: ConnectFailure | null }).failure;
  return failure && !failure.reached ? failure : undefined;
}

/** What is said of a check that broke off instead of returning evidence. */
function findingOf(error: unknown, deadlineMs: number): Finding {
  if (error instanceof Overdue) {
    return failed(`the check to end within ${formatDuration(deadlineMs)}`, 'it was still waiting');
  }
  if (error instanceof ConnectError) return failed('a connection', describeFailure(error.failure));
  return failed('the check to run to its end', messageOf(error));
}
