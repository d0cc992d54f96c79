// What a report is: a pure function of results. No clock, no file, no console, no process.
import type { Comparison } from '../lib/compare/compare.ts';
import type { Result } from '../lib/result/result.ts';

/** How a report should look. All that a reporter may know besides the results. */
export interface ReportOptions {
  /** Columns of the terminal; text only. */
  width: number;
  /** True: ANSI colours; text only. Colour is never the only sign. */
  color: boolean;
  /** False: the output is pure ASCII; text only. */
  unicode: boolean;
  /** True: everything that there is to say of failed cases; text only. */
  verbose?: boolean;
  /** Fills the before/after section; without it, two composed stress results are compared with one another. */
  comparison?: Comparison;
}

/** Options for a file: nothing that depends on a terminal. */
export const fileReport: ReportOptions = { width: 100, color: false, unicode: true };

/** A report format. Ends with a newline; several results give one document. */
export type Reporter = (results: readonly Result[], options: ReportOptions) => string;
