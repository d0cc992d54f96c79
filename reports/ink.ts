// What a text report is drawn with: marks, lines and colours, each with a plain substitute.
import type { CheckStatus, Outcome } from '../lib/result/result.ts';
import { plain } from './plain.ts';
import type { ReportOptions } from './reporter.ts';
import { padEnd, wrap, wrapParts } from './width.ts';

type Colour = 'red' | 'green' | 'yellow' | 'bold' | 'dim';

const codes: Record<Colour, readonly [number, number]> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  bold: [1, 22],
  dim: [2, 22],
};

const outcomeColours: Record<Outcome, Colour> = {
  passed: 'green',
  failed: 'red',
  inconclusive: 'yellow',
  interrupted: 'yellow',
};

const markColours: Record<CheckStatus | 'warned', Colour> = {
  passed: 'green',
  failed: 'red',
  skipped: 'dim',
  warned: 'yellow',
};

const unicodeMarks: Record<CheckStatus | 'warned', string> = {
  passed: '✓',
  failed: '✗',
  skipped: '–',
  warned: '!',
};
const asciiMarks: Record<CheckStatus | 'warned', string> = {
  passed: 'ok  ',
  failed: 'FAIL',
  skipped: 'skip',
  warned: 'warn',
};

/** Columns that a text needs to stand beside its label. */
const leastText = 16;

/** Drawing tools for one terminal. Everything they return is safe to print. */
export interface Ink {
  width: number;
  unicode: boolean;
  /** Between the parts of one line. */
  dot: string;
  times: string;
  arrow: string;
  none: string;
  paint(colour: Colour, text: string): string;
  outcome(outcome: Outcome, word: string): string;
  mark(status: CheckStatus | 'warned'): string;
  /** Columns of a mark and the space behind it. */
  markWidth: number;
  /** Outside text made printable, on one line. */
  safe(text: string, max?: number): string;
  /** `  label       text`, wrapped with a hanging indent; lines of at most {@link width}. */
  labelled(label: string, text: string, labelWidth: number, indent?: string): string[];
  /** Likewise for the parts of one statement, broken between them. */
  listed(label: string, parts: readonly string[], labelWidth: number): string[];
}

/** Chooses the drawing tools. */
export function inkFor(options: ReportOptions): Ink {
  const { color, unicode } = options;
  const width = Math.max(40, options.width);
  const paint = (colour: Colour, text: string): string =>
    color ? `\u001b[${codes[colour][0]}m${text}\u001b[${codes[colour][1]}m` : text;
  return {
    width,
    unicode,
    dot: unicode ? ' · ' : ' | ',
    times: unicode ? '×' : 'x',
    arrow: unicode ? '→' : '->',
    none: unicode ? '–' : '-',
    paint,
    outcome: (outcome, word) => paint('bold', paint(outcomeColours[outcome], word)),
    mark: (status) => paint(markColours[status], (unicode ? unicodeMarks : asciiMarks)[status]),
    listed(label, parts, labelWidth) {
      const lead = `  ${padEnd(label, labelWidth)}`;
      const hang = ' '.repeat(2 + labelWidth);
      return wrapParts(parts, unicode ? ' · ' : ' | ', width - hang.length).map(
        (line, index) => `${index === 0 ? lead : hang}${line}`,
      );
    },
    markWidth: unicode ? 2 : 5,
    safe: (text, max) => plain(text, max, unicode),
    labelled(label, text, labelWidth, indent = '  ') {
      const hang = ' '.repeat(indent.length + labelWidth);
      if (width - hang.length < leastText) {
        // A label that leaves no room has its lines for itself.
        const below = `${indent}    `;
        return [
          ...wrap(label, width - indent.length).map((line) => `${indent}${line}`),
          ...wrap(text, width - below.length).map((line) => `${below}${line}`),
        ];
      }
      const lead = `${indent}${padEnd(label, labelWidth)}`;
      return wrap(text, width - hang.length).map((line, index) => `${index === 0 ? lead : hang}${line}`);
    },
  };
}
