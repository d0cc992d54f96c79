// Options of a run that is compared with an earlier one, or kept to compare later ones with.
import type { Command } from 'commander';
import { parseChangeLimit } from '../lib/compare/limits.ts';
import { WsbenchError } from '../lib/errors.ts';
import type { Result } from '../lib/result/result.ts';
import { baselineName, readBaseline } from './baselines.ts';
import type { Io } from './io.ts';
import { collect } from './options.ts';

/** Raw values of the options of {@link baselineFlags}. */
export interface BaselineFlags {
  baseline?: string;
  saveBaseline?: string;
  /** Of `conform` it says which verdicts fail; there it is no list. */
  failOn?: string[] | string;
}

/** What a result is compared with, and what it is kept as. */
export interface Baseline {
  before?: Result;
  failOn: readonly string[];
  saveAs?: string;
}

/** Adds the options of {@link BaselineFlags}; `--fail-on` only where it means a limit of a change. */
export function baselineFlags(command: Command, withLimits = true): Command {
  command
    .optionsGroup('Comparison:')
    .option('--baseline <name>', 'compare with a baseline, a result file, or "latest", the newest saved run');
  if (withLimits) {
    command.option('--fail-on <change>', "a change that fails, such as 'rtt.p99>+10%' (repeatable)", collect);
  }
  return command.option(
    '--save-baseline <name>',
    'keep the result as a baseline, .wsbench/baselines/NAME.json',
  );
}

/**
 * Reads what {@link BaselineFlags} name, before a run: what is wrong with it costs none, and `latest` is not the run itself.
 *
 * @throws WsbenchError `USAGE` for a baseline that is not there or of another kind, a limit that is not understood
 */
export function openBaseline(flags: BaselineFlags, kind: Result['kind'], io: Io): Baseline {
  const failOn = Array.isArray(flags.failOn) ? flags.failOn : [];
  for (const expression of failOn) parseChangeLimit(expression, kind);
  const saveAs = flags.saveBaseline === undefined ? {} : { saveAs: baselineName(flags.saveBaseline) };
  if (flags.baseline === undefined) {
    if (failOn.length > 0) throw new WsbenchError('USAGE', '--fail-on needs --baseline to compare with');
    return { failOn, ...saveAs };
  }
  const before = readBaseline(flags.baseline, io);
  if (before.kind !== kind) {
    throw new WsbenchError(
      'USAGE',
      `--baseline: ${flags.baseline} is a ${before.kind} run, and this is a ${kind} run; give one of its kind`,
    );
  }
  return { before, failOn, ...saveAs };
}
