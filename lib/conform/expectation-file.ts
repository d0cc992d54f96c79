// The file of expected verdicts: YAML or JSON, read with the places of mistakes, and written.
import { z } from 'zod';
import { nearest } from '../nearest.ts';
import { behaviors, closeBehaviors } from '../result/verdicts.ts';
import { parseYaml } from '../yaml.ts';
import type { Expectation, Expectations } from './expectations.ts';
import { nearIds } from './select.ts';

/** What a file says: of every agent, and of agents by their names. */
export interface ExpectationFile {
  all: Expectations;
  byAgent: ReadonlyMap<string, Expectations>;
}

const oneOrMore = <Word extends string>(words: readonly Word[]) => {
  const word = z.enum(words as [Word, ...Word[]]);
  return z.union([word, z.array(word).min(1)], { error: `one of ${words.join(', ')}, or a list of them` });
};

const expectation = z.union(
  [
    oneOrMore(behaviors),
    z.strictObject({ behavior: oneOrMore(behaviors), close: oneOrMore(closeBehaviors).exactOptional() }),
  ],
  { error: `one of ${behaviors.join(', ')}, a list of them, or { behavior, close }` },
);

type Written = z.output<typeof expectation>;

/**
 * Reads expected verdicts. Keys are case ids; one that is the name of an agent holds the ids that are only that agent's.
 *
 * @param file the name that errors use
 * @param ids of all cases that there are
 * @throws WsbenchError `CONFIG` with `file:line:col` for ids, agents or verdicts that there are not
 */
export function parseExpectations(
  text: string,
  file: string,
  ids: readonly string[],
  agents: readonly string[],
): ExpectationFile {
  const known = new Set(ids);
  const ofCases = casesSchema(known, ids, expectation);
  const schema = casesSchema(
    known,
    ids,
    z.unknown().superRefine((value, context) => {
      // A mapping without verdicts in it is that of an agent.
      const isAgent =
        typeof value === 'object' && value !== null && !Array.isArray(value) && !('behavior' in value);
      const parsed = (isAgent ? ofCases : expectation).safeParse(value);
      if (!parsed.success) for (const issue of parsed.error.issues) context.addIssue({ ...issue } as never);
    }),
    agents,
  );
  const value = parseYaml(text, schema, file, { textOnly: true });
  const named = Object.entries(value).filter(([key]) => agents.includes(key) && !known.has(key));
  const own = Object.entries(value).filter(([key]) => known.has(key));
  return {
    all: read(own as [string, Written][]),
    byAgent: new Map(
      named.map(([agent, cases]) => [agent, read(Object.entries(cases as Record<string, Written>))]),
    ),
  };
}

function casesSchema<Shape extends z.ZodType>(
  known: ReadonlySet<string>,
  ids: readonly string[],
  shape: Shape,
  agents: readonly string[] = [],
) {
  return z.record(z.string(), shape).superRefine((value, context) => {
    for (const key of Object.keys(value)) {
      if (known.has(key) || agents.includes(key)) continue;
      context.addIssue({
        code: 'custom',
        path: [key],
        message: /^\d/.test(key) ? `no such case; ${nearIds(key, ids)}` : noAgent(key, agents),
        params: { spot: 'key' },
      });
    }
  });
}

function noAgent(key: string, agents: readonly string[]): string {
  const near = nearest(key, agents);
  return `no case, and no server of this run${near === undefined ? '' : `; did you mean "${near}"?`}`;
}

function read(entries: readonly (readonly [string, Written])[]): Map<string, Expectation> {
  return new Map(entries.map(([id, written]) => [id, expectationOf(written)]));
}

function expectationOf(written: Written): Expectation {
  if (typeof written === 'string' || Array.isArray(written)) return { behavior: [written].flat() };
  const { behavior, close } = written;
  return { behavior: [behavior].flat(), ...(close === undefined ? {} : { close: [close].flat() }) };
}

/** The expectations of one agent: its own before those of all. */
export function expectedOf({ all, byAgent }: ExpectationFile, agent: string): Expectations {
  return new Map([...all, ...(byAgent.get(agent) ?? [])]);
}

/**
 * The text of a file of expectations, a case a line.
 *
 * @param path says by its extension whether it is JSON; YAML otherwise
 */
export function formatExpectations({ all, byAgent }: ExpectationFile, path: string): string {
  const own = lines(all, '');
  const agents = [...byAgent].map(([agent, cases]) => ({ agent, cases: lines(cases, '  ') }));
  const isJson = /\.json$/i.test(path);
  if (isJson) {
    const blocks = agents.map(
      ({ agent, cases }) =>
        `  ${JSON.stringify(agent)}: {\n${cases.map((line) => `  ${line}`).join(',\n')}\n  }`,
    );
    return `{\n${[...own.map((line) => `  ${line}`), ...blocks].join(',\n')}\n}\n`;
  }
  const head = ['# Verdicts that wsbench conform expects: --expect reads them, --update writes them.'];
  const blocks = agents.flatMap(({ agent, cases }) => [`${JSON.stringify(agent)}:`, ...cases]);
  return `${[...head, ...own, ...blocks].join('\n')}\n`;
}

/** Each line is valid in JSON and in YAML. */
function lines(expectations: Expectations, indent: string): string[] {
  const words = (set: readonly string[]): string =>
    set.length === 1 ? JSON.stringify(set[0]) : `[${set.map((word) => JSON.stringify(word)).join(', ')}]`;
  return [...expectations].map(([id, { behavior, close }]) => {
    const verdict =
      close === undefined ? words(behavior) : `{ "behavior": ${words(behavior)}, "close": ${words(close)} }`;
    return `${indent}"${id}": ${verdict}`;
  });
}
