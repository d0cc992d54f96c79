// What a comparison is in JUnit: a case for each limit of a change, and for each thing that got worse beyond doubt.
import type { Comparison } from '../lib/compare/compare.ts';
import { limitText } from './comparison-words.ts';
import type { Case, Suite } from './junit-xml.ts';

/** The comparison as a suite. Without limits it has one case: that nothing got worse beyond doubt. */
export function changeSuite(comparison: Comparison): Suite {
  const { kind, before, after, regressions, limits = [], warnings } = comparison;
  return {
    name: `${kind} ${after.url}, compared with ${before.id}`,
    startedAt: after.startedAt.slice(0, 19),
    properties: [
      ['before', before.id],
      ['after', after.id],
      ...warnings.map(({ code, message }): [string, string] => [`warning.${code}`, message]),
    ],
    cases: [
      ...limits.map((limit): Case => {
        const words = limitText(limit, comparison, true);
        const base = { name: `--fail-on ${limit.expression}`, className: 'compare', ms: 0 };
        return limit.crossed ? { ...base, problem: failure('change', words) } : { ...base, notes: [words] };
      }),
      ...(regressions.length === 0
        ? [{ name: 'nothing got worse beyond doubt', className: 'compare', ms: 0 }]
        : regressions.map((line) => ({
            ...{ name: line, className: 'compare', ms: 0 },
            problem: failure('regression', line),
          }))),
    ],
  };
}

const failure = (type: string, message: string): NonNullable<Case['problem']> => ({
  kind: 'failure',
  ...{ type, message, lines: [] },
});
