// `conform`: from what the user asked to a plan of cases, and the plan run.
import { type Conclusion, concludeResult, concludeVerdict } from './conform/conclude.ts';
import { type ExpectationFile, expectedOf, formatExpectations } from './conform/expectation-file.ts';
import { type Expectations, updateExpectations } from './conform/expectations.ts';
import { type ConformPlan, runConform } from './conform/index.ts';
import {
  type ConformAgent,
  type ConformOptions,
  chosenCases,
  conformAgents,
  expectationsOf,
  specOf,
} from './conform-options.ts';
import { WsbenchError } from './errors.ts';
import type { RunControl } from './result/events.ts';
import { keepSecret, redactUrl } from './result/redact.ts';
import type { ConformResult } from './result/result.ts';
import { runToEnd } from './run-to-end.ts';
import type { TargetServer } from './target-options.ts';
import { version } from './version.ts';

const defaultMessages = 100;
const fullMessages = 1000;

/**
 * Tests how a WebSocket server keeps to RFC 6455 and RFC 7692, with the cases of Autobahn|Testsuite and its verdicts.
 *
 * @param target URL, a server made by `createServer` (then its echo), or several servers with names; empty: those of
 *   `options.spec`. What is tested must echo messages.
 * @param options which cases, and how they are judged
 * @param control how to watch and to stop the run
 * @returns the result with a verdict for each case and server
 * @throws WsbenchError `USAGE` or `CONFIG` for wrong options, before anything is sent
 *
 * @example
 * const result = await conform('ws://127.0.0.1:9001', { cases: ['1', '7.7.*'] });
 * for (const { caseId, behavior } of result.agents[0]?.verdicts ?? []) console.log(caseId, behavior);
 */
export async function conform(
  target: string | TargetServer | readonly ConformAgent[],
  options: ConformOptions = {},
  control: RunControl = {},
): Promise<ConformResult> {
  const { failOn = 'failed', strictness = 'autobahn', repeat = 1, jobs = 'auto' } = options;
  if (options.token !== undefined) keepSecret(options.token);
  if (options.full && options.messages !== undefined) {
    throw new WsbenchError('USAGE', '--full and --messages exclude each other');
  }
  const targets: readonly ConformAgent[] =
    typeof target === 'string' || 'url' in target ? [{ target }] : target;
  const spec = specOf(options);
  const cases = chosenCases(options, spec);
  const chosen = await conformAgents(targets, options, spec);
  const ids = cases.map(({ id }) => id);
  const agents = chosen.map((agent) => {
    const excluded = new Set(spec?.excludedOf(agent.name));
    return excluded.size === 0 ? agent : { ...agent, caseIds: ids.filter((id) => !excluded.has(id)) };
  });
  const expectations = expectationsOf(options, agents);
  const urls = new Map(agents.map(({ name, connect }) => [name, redactUrl(connect.url)]));
  const reproduceCase = options.reproduceCase ?? ((url: string) => `wsbench conform ${url}`);
  const reproduce = (agent: string): string => reproduceCase(urls.get(agent) ?? '');
  const conclusion: Conclusion = {
    failOn,
    reproduce,
    ...(expectations ? { expected: (agent: string) => expectedOf(expectations, agent) } : {}),
  };
  const plan: ConformPlan = {
    agents,
    caseIds: ids,
    strictness,
    failOn,
    messages: options.full ? fullMessages : (options.messages ?? defaultMessages),
    jobs,
    repeat,
    reproduceBase: reproduce(agents[0]?.name ?? ''),
    version,
  };
  const result = await runToEnd((signal) => runConform(plan, signal), {
    ...control,
    onEvent: (event) => {
      if (event.type !== 'verdict') return control.onEvent?.(event);
      control.onEvent?.({ ...event, verdict: concludeVerdict(event.agent, event.verdict, conclusion) });
    },
  });
  for (const warning of spec?.warnings ?? []) control.onEvent?.({ type: 'warning', warning });
  const concluded = concludeResult(result, conclusion);
  return {
    ...concluded,
    run: {
      ...concluded.run,
      ...(options.reproduce === undefined ? {} : { reproduce: options.reproduce }),
    },
    warnings: [...(spec?.warnings ?? []), ...concluded.warnings],
  };
}

/**
 * The text of a file of expected verdicts, brought up to what a run saw. Verdicts that were expected already stay as they are
 * written, and so do cases that did not run.
 *
 * @param result a run of the servers that are expected to go on like this
 * @param path where the file is, or will be: `.json` is written as JSON, anything else as YAML
 * @param isThere whether there is a file already
 * @returns the text, and the result judged by it
 */
export function updatedExpectations(
  result: ConformResult,
  path: string,
  isThere: boolean,
): { text: string; result: ConformResult } {
  const { agents, failOn } = result;
  const before = isThere ? expectationsOf({ expect: path }, agents) : undefined;
  const [first] = agents;
  const file: ExpectationFile =
    agents.length === 1 && first && !before?.byAgent.has(first.name)
      ? {
          all: updateExpectations(before?.all ?? new Map(), first.verdicts, failOn),
          byAgent: before?.byAgent ?? new Map(),
        }
      : {
          all: before?.all ?? new Map(),
          byAgent: new Map([
            ...(before?.byAgent ?? []),
            ...agents.map(({ name, verdicts }) => {
              const known: Expectations = before ? expectedOf(before, name) : new Map();
              const updated = updateExpectations(known, verdicts, failOn);
              const shared = before?.all ?? new Map();
              const own = [...updated].filter(([id, expectation]) => shared.get(id) !== expectation);
              return [name, new Map(own)] as const;
            }),
          ]),
        };
  const judged = concludeResult(result, { failOn, expected: (agent) => expectedOf(file, agent) });
  return { text: formatExpectations(file, path), result: judged };
}
