// Every report format, by name and by file extension. A new one is a file and a line.
import { extname } from 'node:path';
import { WsbenchError } from '../lib/errors.ts';
import { csv } from './csv.ts';
import { html } from './html.ts';
import { json, jsonText } from './json.ts';
import { comparisonJunit, junit } from './junit.ts';
import { markdown } from './markdown.ts';
import type { Reporter } from './reporter.ts';
import { renderText } from './text.ts';

export { annotations } from './annotations.ts';
export { autobahnIndex, autobahnReportFile } from './autobahn-index.ts';
export { caseList } from './case-list.ts';
export { checkList } from './check-list.ts';
export { comparisonMarkdown } from './comparison-markdown.ts';
export { comparisonText } from './comparison-text.ts';
export { comparisonFailures } from './comparison-words.ts';
export { doctorText } from './doctor-text.ts';
export { inAscii } from './plain.ts';
export { fileReport, type Reporter, type ReportOptions } from './reporter.ts';
export { type ListedRun, type RunList, runList, runListJson } from './run-list.ts';
export { summaryLimitBytes, summaryMarkdown } from './summary.ts';
export { comparisonJunit, html, json, jsonText, markdown, renderText };

interface Format {
  extension: string;
  report: Reporter;
}

/** Formats by name. */
export const reporters = {
  text: { extension: '.txt', report: renderText },
  json: { extension: '.json', report: json },
  markdown: { extension: '.md', report: markdown },
  html: { extension: '.html', report: html },
  junit: { extension: '.xml', report: junit },
  csv: { extension: '.csv', report: csv },
} as const satisfies Record<string, Format>;

/**
 * The reporter for a file, by its extension.
 *
 * @throws WsbenchError `USAGE` that names the known extensions
 */
export function reporterForFile(path: string): Reporter {
  const extension = extname(path).toLowerCase();
  const formats: readonly Format[] = Object.values(reporters);
  const format = formats.find((candidate) => candidate.extension === extension);
  if (format) return format.report;
  const known = formats.map((candidate) => candidate.extension).join(', ');
  throw new WsbenchError('USAGE', `${path}: no report format for "${extension}"; known: ${known}`);
}
