// What every run ends with: summary on stdout, reports, saved run, step summary, the exit code and its reason.
import { appendFileSync } from 'node:fs';
import type { Command } from 'commander';
import { messageOf, WsbenchError } from '../lib/errors.ts';
import { fileTrouble } from '../lib/file-words.ts';
import { decidingReason, exitCode, strongest } from '../lib/result/exit-code.ts';
import { redactStrings } from '../lib/result/redact.ts';
import type { Result } from '../lib/result/result.ts';
import {
  fileReport,
  json as jsonReport,
  type ReportOptions,
  renderText,
  summaryMarkdown,
} from '../reports/index.ts';
import { type Io, note } from './io.ts';
import { collect } from './options.ts';
import type { ReportFile } from './report-files.ts';
import { saveRun } from './runs.ts';

const stepSummaryBytes = 900_000;

/** How a run's result is to be put out: raw values of the options of {@link outputFlags}. */
export interface OutputFlags {
  json?: boolean;
  save?: boolean;
  color?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  output?: string[];
}

/** Adds the options of {@link OutputFlags}. */
export function outputFlags(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .option('-o, --output <file>', 'write a report; the extension says which (repeatable)', collect)
    .option('--json', 'print the result as JSON')
    .option('--no-save', 'do not save the run in .wsbench/runs')
    .option('--no-color', 'no colours')
    .option('-q, --quiet', 'no progress');
}

/** How text for this terminal looks. */
export function terminalStyle(io: Io, color = true): ReportOptions {
  const tty = io.stdout.isTTY === true;
  const locale = io.env.LC_ALL || io.env.LC_CTYPE || io.env.LANG || '';
  const forced = io.env.FORCE_COLOR !== undefined && io.env.FORCE_COLOR !== '0';
  return {
    width: Math.max(60, Math.min(tty ? (io.stdout.columns ?? 80) : 80, 120)),
    color: color && !io.env.NO_COLOR && (forced || (tty && io.env.TERM !== 'dumb')),
    // Where no locale is set, nobody said that it is not.
    unicode: (locale === '' || /utf-?8/i.test(locale)) && io.env.TERM !== 'linux',
  };
}

/** Puts a result out and returns the exit code. Nothing that fails here keeps the rest from being tried. */
export function finish(run: Result, reports: readonly ReportFile[], flags: OutputFlags, io: Io): number {
  // What the runners put into it is masked; whatever a target got past them ends here.
  const result = redactStrings(run);
  const style = terminalStyle(io, flags.color);
  const codes = [exitCode(result)];
  const failures: string[] = [];
  const json = jsonReport([result], fileReport);
  io.stdout.write(flags.json ? json : renderText([result], { ...style, verbose: flags.verbose ?? false }));
  for (const report of reports) {
    try {
      report.write(report.reporter([result], fileReport));
    } catch (error) {
      failures.push(messageOf(error));
      codes.push(error instanceof WsbenchError ? 6 : 70);
    }
  }
  if (flags.save !== false) {
    try {
      const path = saveRun(result, json, io.cwd);
      if (!flags.quiet) note(io, `Saved ${path}`);
    } catch (error) {
      note(io, `warning: the run was not saved in .wsbench/runs: ${fileTrouble(error)}`);
    }
  }
  appendStepSummary(result, io);
  for (const failure of failures) note(io, `wsbench: ${failure}`);
  const code = strongest(codes);
  if (code !== 0) {
    const own = code === exitCode(result) ? reasonLine(result) : 'a report could not be written';
    note(io, `exit ${code}: ${own}`);
  }
  return code;
}

function reasonLine(result: Result): string {
  const deciding = decidingReason(result);
  if (!deciding) return result.outcome;
  const more = result.reasons.filter((reason) => reason.code === deciding.code).length - 1;
  return more > 0 ? `${deciding.message} (and ${more} more)` : deciding.message;
}

function appendStepSummary(result: Result, io: Io): void {
  const file = io.env.GITHUB_STEP_SUMMARY;
  if (!file) return;
  try {
    appendFileSync(file, summaryMarkdown(stepSummaryBytes)([result], fileReport));
  } catch (error) {
    note(io, `warning: the step summary was not written: ${fileTrouble(error)}`);
  }
}
