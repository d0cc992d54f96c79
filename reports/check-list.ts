// The checks that there are, for `quick --list`.
import { inkFor } from './ink.ts';
import type { ReportOptions } from './reporter.ts';
import { displayWidth } from './width.ts';

interface ListedCheck {
  id: string;
  title: string;
  needs: readonly string[];
  impact: string;
}

/** One check a line: id, title, what it needs of the target, what it does to it. */
export function checkList(checks: readonly ListedCheck[], options: ReportOptions): string {
  const ink = inkFor(options);
  const idWidth = Math.max(0, ...checks.map(({ id }) => displayWidth(id)));
  const lines = checks.flatMap(({ id, title, needs, impact }) => {
    const parts = [
      title,
      ...(needs.length === 0 ? [] : [`needs ${needs.join(', ')}`]),
      ...(impact === 'none' ? [] : [`impact: ${impact}`]),
    ];
    return ink.listed(id, parts, idWidth + 2);
  });
  return `${lines.join('\n')}\n`;
}
