// What to do after a run: commands that can be copied.
import type { Command } from 'commander';
import type { Result } from '../lib/result/result.ts';
import { failsRun } from '../lib/result/verdicts.ts';
import { reproduceLine } from './options.ts';

/** Commands about the target of a run, with the options that say how to reach it. */
export interface NextWays {
  /** Talks to it by hand; undefined: it was an embedded server, which is gone. */
  connect?: string;
  /** Loads it. */
  stress: string;
  /** Asks for its verdicts. */
  conform?: string;
}

/** More ids of cases make no command that anybody would read. */
const mostCases = 8;

/** The commands for a run that `command` made. */
export function nextWays(url: string | undefined, command: Command): NextWays {
  const unlike = command.options
    .map((option) => option.attributeName())
    .filter((name) => !aboutTheTarget.has(name));
  const way = (name: string): string => reproduceLine(name, url, command, { leaveOut: unlike });
  return {
    stress: way('stress'),
    ...(url === undefined ? {} : { connect: way('connect'), conform: way('conform') }),
  };
}

const aboutTheTarget: ReadonlySet<string> = new Set([
  'preset',
  'target',
  'env',
  'header',
  'subprotocol',
  'insecure',
  'cacert',
  'token',
  'tokenIn',
  'secret',
  'key',
  'claims',
]);

/** `Next: wsbench report latest -o report.html`, and what else there is to do, a line each. */
export function nextLines(result: Result, ways: NextWays): string[] {
  return stepsOf(result, ways).map((step, index) => `${index === 0 ? 'Next:' : '     '} ${step}`);
}

function stepsOf(result: Result, ways: NextWays): string[] {
  const report = 'wsbench report latest -o report.html';
  const causes = result.reasons.map(({ code }) => code);
  if (causes.includes('unreachable')) return ways.connect === undefined ? [] : [ways.connect];
  if (result.outcome === 'inconclusive') return ['wsbench doctor', report];
  if (result.outcome === 'interrupted') return [report];
  if (result.kind === 'stress') return [report, 'wsbench compare before.json latest'];
  if (result.kind === 'quick') return result.outcome === 'passed' ? [ways.stress] : [report];
  return [...(result.outcome === 'passed' ? [] : failedAgain(result, ways)), report];
}

/** The cases that failed, once more and alone. */
function failedAgain(
  { agents, failOn }: Extract<Result, { kind: 'conform' }>,
  { conform }: NextWays,
): string[] {
  const failed = agents.flatMap(({ verdicts }) => verdicts.filter((verdict) => failsRun(verdict, failOn)));
  const ids = failed.map(({ caseId }) => caseId);
  if (agents.length > 1 || conform === undefined || ids.length === 0) return [];
  return [ids.length > mostCases ? 'wsbench report latest -v' : `${conform} ${ids.join(' ')} -v`];
}
