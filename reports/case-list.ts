// The conformance cases that there are, for `conform --list`.
import { inkFor } from './ink.ts';
import type { ReportOptions } from './reporter.ts';

interface ListedCase {
  id: string;
  title: string;
  section: string;
  sectionTitle: string;
  spec: string;
}

/** One case a line under its section: id, what is sent, where the rule stands. */
export function caseList(cases: readonly ListedCase[], options: ReportOptions): string {
  const ink = inkFor(options);
  const lines = cases.flatMap(({ id, title, section, sectionTitle, spec: rule }, index) => [
    ...(section === cases[index - 1]?.section
      ? []
      : [...(index === 0 ? [] : ['']), `  ${ink.paint('bold', `${section} ${sectionTitle}`)}`]),
    ...ink.listed(id, [ink.safe(title), ink.safe(rule)], 9),
  ]);
  return `${lines.join('\n')}\n`;
}
