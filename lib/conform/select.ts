// Which cases run. Pure.
import { WsbenchError } from '../errors.ts';
import { compareCaseIds } from '../result/verdicts.ts';

/**
 * A part of the cases that shows in seconds whether a server is broken: framing, control frames, fragmentation and closing
 * whole; of UTF-8 the groups in which servers differ; one load of each kind in sections 9, 12 and 13.
 */
export const quickCases: readonly string[] = [
  ...['1', '2', '3', '4', '5', '6.1', '6.2', '6.3', '6.4', '6.6', '6.20', '7', '10'],
  ...['9.1.1', '9.2.1', '9.7.1', '9.8.1', '12.1.4', '12.2.4'],
  ...['13.1.4', '13.2.4', '13.3.4', '13.4.4', '13.5.4', '13.6.4', '13.7.4'],
];

/**
 * Picks cases by patterns: an id (`6.4.1`), the beginning of ids (`6`, `12.1`), or a glob in which `*` stands for anything
 * (`7.7.*`). Several may stand in one, with commas between. The order is that of the ids, whatever that of the patterns.
 *
 * @param only all cases when it is empty
 * @param exclude taken away from those
 * @throws WsbenchError `USAGE` for a pattern that matches nothing, or when nothing is left
 */
export function selectCases<Case extends { readonly id: string }>(
  cases: readonly Case[],
  only: readonly string[],
  exclude: readonly string[] = [],
): Case[] {
  const ids = cases.map(({ id }) => id);
  const wanted = matcher(only, ids, '');
  const unwanted = matcher(exclude, ids, '--exclude ');
  const chosen = cases.filter(({ id }) => (only.length === 0 || wanted(id)) && !unwanted(id));
  if (chosen.length === 0) {
    throw new WsbenchError('USAGE', 'no case is left: everything that was asked for is also excluded');
  }
  return chosen.sort((one, other) => compareCaseIds(one.id, other.id));
}

/** Whether a case is meant by any of the patterns. */
export function matchesAny(patterns: readonly string[], id: string): boolean {
  return split(patterns).some((pattern) => regexOf(pattern).test(id));
}

function matcher(patterns: readonly string[], ids: readonly string[], name: string): (id: string) => boolean {
  const tests = split(patterns).map((pattern) => {
    const regex = regexOf(pattern);
    if (!ids.some((id) => regex.test(id))) {
      throw new WsbenchError('USAGE', `${name}${pattern}: no such case; ${nearIds(pattern, ids)}`);
    }
    return regex;
  });
  return (id) => tests.some((regex) => regex.test(id));
}

function split(patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) => pattern.split(',').map((one) => one.trim()));
}

/** A pattern means a case, or all below it: `6.4` means 6.4.1, but not 6.40. */
function regexOf(pattern: string): RegExp {
  const source = pattern
    .replace(/[\\^$+?.()|[\]{}]/g, '\\$&')
    .replace(/(\\\.)?\*+/g, (_, dot?: string) => (dot === undefined ? '.*' : '\\..*'));
  return new RegExp(`^${source}(\\..*)?$`);
}

/** The cases that share most of what was asked for, or the sections that there are. */
export function nearIds(pattern: string, ids: readonly string[]): string {
  const parts = pattern.split('.');
  for (let length = parts.length - 1; length > 0; length--) {
    const start = parts.slice(0, length).join('.');
    const inside = ids.filter((id) => id === start || id.startsWith(`${start}.`));
    const [first, last] = [inside[0], inside.at(-1)];
    if (first === undefined || last === undefined) continue;
    if (first === last) return `near it is ${first}`;
    return `${start} has ${inside.length} cases, ${first} to ${last}`;
  }
  const sections = [...new Set(ids.map((id) => id.split('.', 1)[0] ?? id))];
  return `there are sections ${sections.join(', ')}`;
}
