// All cases against one server: many at once, and those that failed beside others again, alone.

import { randomInt } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { redactUrl } from '../result/redact.ts';
import type { AgentRecord, VerdictRecord } from '../result/result.ts';
import { failsRun } from '../result/verdicts.ts';
import { endpointOf } from '../transport/endpoint.ts';
import { allPorts, LocalPorts } from '../transport/local-ports.ts';
import { tlsSettings } from '../transport/tls-settings.ts';
import type { Case } from './case.ts';
import { CompressedMessages } from './compressed-messages.ts';
import type { AgentPlan, ConformPlan } from './plan.ts';
import { pool } from './pool.ts';
import type { SessionContext } from './session/context.ts';
import { Patience } from './session/patience.ts';
import { runCase } from './session/session.ts';
import { mergeRuns, verdictOf } from './verdict.ts';

/**
 * Cases at once, by what they cost: waiting costs nothing, large messages take all there is, and compressed ones are mostly
 * waited for while the target compresses.
 */
const autoJobs = { script: 24, large: 3, deflate: 10 };
/** After so many verdicts in a row that were the same when nothing else ran, the others are believed. */
const repeatsUntilBelieved = 10;
/** After so many handshakes in a row that were not answered, it is asked whether any will be. */
const timeoutsUntilAsked = 3;

/** How a run against one server ended. */
export interface AgentEnd {
  record: AgentRecord;
  /** Why no case could be run at all. */
  unreachable: string | null;
  wasInterrupted: boolean;
}

/** Runs the cases. @param settled called with each verdict that will not change any more */
export async function runAgent(
  plan: ConformPlan,
  agent: AgentPlan,
  cases: readonly Case[],
  settled: (verdict: VerdictRecord) => void,
  signal: AbortSignal,
): Promise<AgentEnd> {
  return new AgentRun(plan, agent, cases, settled, signal).run();
}

class AgentRun {
  readonly #plan: ConformPlan;
  readonly #agent: AgentPlan;
  readonly #cases: readonly Case[];
  readonly #settled: (verdict: VerdictRecord) => void;
  readonly #signal: AbortSignal;
  readonly #context: SessionContext;
  readonly #runs = new Map<string, VerdictRecord[]>();
  readonly #verdicts = new Map<string, VerdictRecord>();
  /** Ends the cases that are under way when there is nobody to talk to any more. */
  readonly #stop = new AbortController();
  /** Why the run ended before its cases did. */
  #gone: string | null = null;
  #wasReached = false;
  #timeouts = 0;
  #sameAlone = 0;

  constructor(
    plan: ConformPlan,
    agent: AgentPlan,
    cases: readonly Case[],
    settled: (verdict: VerdictRecord) => void,
    signal: AbortSignal,
  ) {
    this.#plan = plan;
    this.#agent = agent;
    this.#cases = cases;
    this.#settled = settled;
    this.#signal = signal;
    this.#context = contextOf(plan, agent);
    // Every case that is under way listens.
    setMaxListeners(0, this.#stop.signal);
  }

  async run(): Promise<AgentEnd> {
    const stop = (): void => this.#end('the run was stopped');
    if (this.#signal.aborted) stop();
    this.#signal.addEventListener('abort', stop, { once: true });
    try {
      for (let pass = 0; pass < this.#plan.repeat && this.#gone === null; pass++) await this.#pass();
    } finally {
      this.#signal.removeEventListener('abort', stop);
    }
    return this.#result();
  }

  async #pass(): Promise<void> {
    const scripts = this.#cases.filter(({ load }) => !load);
    const large = this.#cases.filter(({ load }) => load && load.kind !== 'deflate');
    const deflate = this.#cases.filter(({ load }) => load?.kind === 'deflate');
    // Those that wait begin first, so that nobody waits for them; equal messages follow one another.
    await this.#phase(
      sortedBy(scripts, (testCase) => -waitOf(testCase)),
      autoJobs.script,
    );
    await this.#phase(large, autoJobs.large);
    await this.#phase(sortedBy(deflate, seriesOrder), autoJobs.deflate);
  }

  async #phase(cases: readonly Case[], autoJobsOfPhase: number): Promise<void> {
    const { jobs: asked } = this.#plan;
    let jobs = asked === 'auto' ? autoJobsOfPhase : asked;
    const suspects: { testCase: Case; verdict: VerdictRecord }[] = [];
    let left = cases;
    while (left.length > 0 && this.#gone === null) {
      const isHeld = (): boolean => this.#gone !== null || this.#timeouts >= timeoutsUntilAsked;
      left = await pool(
        left,
        jobs,
        async (testCase) => {
          const verdict = await this.#try(testCase);
          if (!verdict) return;
          // A phase of one case had it alone from the beginning.
          const isBeside = jobs > 1 && cases.length > 1;
          if (isBeside && failsRun(verdict, 'unclean')) suspects.push({ testCase, verdict });
          else this.#settle(verdict);
        },
        isHeld,
      );
      const [first] = suspects;
      if (this.#timeouts >= timeoutsUntilAsked) {
        await this.#ask(first?.testCase ?? left[0]);
        // It answers one at a time better than many.
        jobs = Math.max(1, Math.floor(jobs / 4));
      }
    }
    for (const { testCase, verdict } of suspects) {
      if (this.#gone !== null) return;
      const again = this.#sameAlone >= repeatsUntilBelieved ? undefined : await this.#try(testCase);
      if (this.#gone !== null) return;
      if (again) this.#sameAlone = isSame(again, verdict) ? this.#sameAlone + 1 : 0;
      this.#settle(again ? { ...again, repeated: true } : verdict);
    }
  }

  /** Several handshakes in a row were not answered: is one, when nothing else runs? */
  async #ask(testCase: Case | undefined): Promise<void> {
    if (!testCase || this.#gone !== null) return;
    this.#timeouts = 0;
    await this.#try(testCase);
    if (this.#timeouts > 0) this.#end('the target stopped answering: handshakes are not answered any more');
    this.#timeouts = 0;
  }

  /** Runs a case; undefined when there was nobody to run it against. */
  async #try(testCase: Case): Promise<VerdictRecord | undefined> {
    try {
      const end = await runCase(testCase, this.#context, this.#stop.signal);
      if ('unreached' in end) {
        this.#end(end.unreached.detail);
        return undefined;
      }
      this.#wasReached = true;
      this.#timeouts = end.timedOut ? this.#timeouts + 1 : 0;
      return verdictOf(testCase, end.seen, this.#plan);
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined;
      throw error;
    }
  }

  #settle(verdict: VerdictRecord): void {
    const runs = [...(this.#runs.get(verdict.caseId) ?? []), verdict];
    this.#runs.set(verdict.caseId, runs);
    if (runs.length < this.#plan.repeat) return;
    const [first, ...others] = runs;
    if (!first) return;
    const merged = mergeRuns([first, ...others]);
    this.#verdicts.set(verdict.caseId, merged);
    this.#settled(merged);
  }

  #end(reason: string): void {
    this.#gone ??= reason;
    this.#stop.abort(new Error(reason));
  }

  #result(): AgentEnd {
    const verdicts = this.#cases.flatMap(({ id }) => this.#verdicts.get(id) ?? []);
    const caseIds = this.#cases.map(({ id }) => id).filter((id) => !this.#verdicts.has(id));
    const { name, connect } = this.#agent;
    const reason = this.#gone ?? '';
    return {
      record: {
        name,
        url: redactUrl(connect.url),
        verdicts,
        ...(caseIds.length > 0 ? { notRun: { reason, caseIds } } : {}),
      },
      unreachable: this.#gone !== null && !this.#wasReached && !this.#signal.aborted ? this.#gone : null,
      wasInterrupted: this.#signal.aborted && caseIds.length > 0,
    };
  }
}

function contextOf(plan: ConformPlan, { connect }: AgentPlan): SessionContext {
  const { url, headers, subprotocols, tls, proxy, localAddresses = [] } = connect;
  const endpoint = endpointOf(url);
  const timeScale = plan.timeScale ?? 1;
  const isNamed = headers.some(([name]) => name.toLowerCase() === 'user-agent');
  return {
    endpoint,
    open: {
      upgrade: {
        headers: [...(isNamed ? [] : [['User-Agent', `wsbench/${plan.version}`] as const]), ...headers],
        subprotocols,
      },
      ...(endpoint.secure ? { tls: tlsSettings(tls) } : {}),
      ...(proxy === undefined ? {} : { proxy }),
      ...(localAddresses.length === 0
        ? {}
        : {
            localPorts: new LocalPorts(
              localAddresses,
              allPorts,
              randomInt(1 + allPorts.last - allPorts.first),
            ),
          }),
    },
    strictness: plan.strictness,
    timeScale,
    messages: plan.messages,
    compressed: new CompressedMessages(),
    patience: new Patience(timeScale),
  };
}

function sortedBy(cases: readonly Case[], key: (testCase: Case) => number | string): Case[] {
  const keyed = cases.map((testCase) => ({ testCase, key: key(testCase) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ testCase }) => testCase);
}

/** How long a script waits by itself. */
function waitOf({ steps }: Case): number {
  return steps.reduce((ms, step) => (step.do === 'wait' ? ms + step.ms : ms), 0);
}

/** Equal for equal messages; the largest come first, so that no long case is left over at the end. */
function seriesOrder({ load }: Case): string {
  return load?.kind === 'deflate' ? `${String(1e7 - load.size)} ${load.corpus}` : '';
}

const isSame = (a: VerdictRecord, b: VerdictRecord): boolean =>
  a.behavior === b.behavior && a.behaviorClose === b.behaviorClose;
