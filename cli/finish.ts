// What every run ends with: summary on stdout, reports, saved run, step summary, the exit code and its reason.
import type { Command } from 'commander';
import { compareResults } from '../lib/compare/compare.ts';
import type { Comparison } from '../lib/compare/comparison.ts';
import { messageOf, WsbenchError } from '../lib/errors.ts';
import { fileTrouble } from '../lib/file-words.ts';
import { decidingReason, exitCode, strongest } from '../lib/result/exit-code.ts';
import { redactStrings } from '../lib/result/redact.ts';
import type { Result } from '../lib/result/result.ts';
import {
  annotations,
  comparisonFailures,
  fileReport,
  json as jsonReport,
  type ReportOptions,
  renderText,
} from '../reports/index.ts';
import type { Baseline } from './baseline-flags.ts';
import { saveBaseline } from './baselines.ts';
import { type Io, isUnicode, note } from './io.ts';
import { type NextWays, nextLines } from './next-step.ts';
import { collect } from './options.ts';
import type { ReportFile } from './report-files.ts';
import { saveRun } from './runs.ts';
import { appendStepSummary } from './step-summary.ts';
import { onActions, printable } from './workflow-commands.ts';

/** How a run's result is to be put out: raw values of the options of {@link outputFlags}. */
export interface OutputFlags {
  json?: boolean;
  save?: boolean;
  color?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  output?: string[];
}

/**
 * Adds the options of {@link OutputFlags}.
 *
 * @param verbose what `--verbose` adds to the summary of this command
 */
export function outputFlags(command: Command, verbose: string): Command {
  return command
    .optionsGroup('Output:')
    .option('-o, --output <file>', 'write a report; the extension says which (repeatable)', collect)
    .option('--json', 'print the result as JSON')
    .option('--no-save', 'do not save the run in .wsbench/runs')
    .option('--no-color', 'no colours, as with NO_COLOR')
    .option('-q, --quiet', 'only the result and what went wrong: no progress, no hints')
    .option('-v, --verbose', verbose);
}

/**
 * How text for this terminal looks.
 *
 * @param color false: the user wants none
 * @param stream where it goes
 */
export function terminalStyle(io: Io, color = true, stream: Io['stdout'] = io.stdout): ReportOptions {
  const tty = stream.isTTY === true;
  return {
    width: Math.max(60, Math.min(tty ? (stream.columns ?? 80) : 80, 120)),
    color: color && isColoured(io.env, tty),
    unicode: isUnicode(io.env),
  };
}

/** `NO_COLOR` forbids, `FORCE_COLOR` asks for it (or, as 0, does not); else a terminal that knows colours has them. */
function isColoured({ NO_COLOR, FORCE_COLOR, TERM }: Io['env'], tty: boolean): boolean {
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return tty && TERM !== 'dumb';
}

/** What a run's end may know besides the run. */
interface Ending {
  /** Commands about the same target that may be worth a try next. */
  ways?: NextWays;
  /** What the result is compared with and kept as; its kind is that of the result. */
  baseline?: Baseline;
}

/**
 * Puts a result out and returns the exit code. Nothing that fails here keeps the rest from being tried.
 */
export function finish(
  run: Result,
  reports: readonly ReportFile[],
  flags: OutputFlags,
  io: Io,
  { ways, baseline = { failOn: [] } }: Ending = {},
): number {
  // What the runners put into it is masked; whatever a target got past them ends here.
  const result = redactStrings(run);
  const style = terminalStyle(io, flags.color);
  const codes = [exitCode(result)];
  const failures: string[] = [];
  const json = jsonReport([result], fileReport);
  const { before, failOn, saveAs } = baseline;
  const comparison = before && compareResults(before, result, { failOn });
  const compared = comparison ? { comparison } : {};
  const options = { ...fileReport, ...compared };
  const text = renderText([result], { ...style, verbose: flags.verbose ?? false, ...compared });
  io.stdout.write(flags.json ? json : printable(text, io.env));
  if (comparison && comparisonFailures(comparison).length > 0) codes.push(1);
  for (const report of reports) {
    try {
      report.write(report.reporter([result], options));
    } catch (error) {
      failures.push(messageOf(error));
      codes.push(error instanceof WsbenchError ? 6 : 70);
    }
  }
  if (flags.save !== false) {
    try {
      const path = saveRun(result, json, io.cwd);
      if (!flags.quiet) {
        note(io, `Saved ${path}`);
        if (ways && io.stderr.isTTY && !io.env.CI) for (const line of nextLines(result, ways)) note(io, line);
      }
    } catch (error) {
      note(io, `warning: the run was not saved in .wsbench/runs: ${fileTrouble(error)}`);
    }
  }
  if (saveAs !== undefined) {
    try {
      const path = keepAs(saveAs, result, json, io);
      if (path !== undefined && !flags.quiet) note(io, `Saved ${path}`);
    } catch (error) {
      failures.push(messageOf(error));
      codes.push(6);
    }
  }
  appendStepSummary(result, options, io);
  // GitHub reads both streams, and stdout carries nothing but the result.
  if (onActions(io.env)) io.stderr.write(annotations([result]));
  for (const failure of failures) note(io, `wsbench: ${failure}`);
  const code = strongest(codes);
  if (code !== 0) {
    note(io, `exit ${code}: ${whyLine(code, result, comparison)}`);
  }
  return code;
}

/** A run that proves nothing, or was not whole, is nothing to compare others with. */
function keepAs(name: string, result: Result, json: string, io: Io): string | undefined {
  if (result.outcome !== 'inconclusive' && result.run.complete) return saveBaseline(name, json, io.cwd);
  const why = result.outcome === 'inconclusive' ? 'is inconclusive' : 'did not run to its end';
  note(io, `warning: the run ${why}, and was not kept as baseline ${name}`);
  return undefined;
}

function whyLine(code: number, result: Result, comparison: Comparison | undefined): string {
  if (code === exitCode(result)) return reasonLine(result);
  if (code !== 1 || !comparison) return 'a report could not be written';
  return comparisonFailures(comparison).join('; ');
}

function reasonLine(result: Result): string {
  const deciding = decidingReason(result);
  if (!deciding) return result.outcome;
  const more = result.reasons.filter((reason) => reason.code === deciding.code).length - 1;
  return more > 0 ? `${deciding.message} (and ${more} more)` : deciding.message;
}
