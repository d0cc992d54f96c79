// JUnit XML as CI systems read it: suites of test cases.
import { plain } from './plain.ts';

/** A test case. */
export interface Case {
  name: string;
  className: string;
  ms: number;
  /** What kept it from passing: the kind of failure, in one line, and more lines. */
  problem?: { kind: 'failure' | 'error' | 'skipped'; type: string; message: string; lines: string[] };
  notes?: string[];
}

/** Cases that belong together. */
export interface Suite {
  name: string;
  startedAt: string;
  properties: [name: string, value: string][];
  cases: Case[];
  /** How long it took, where that is not the sum of its cases. */
  ms?: number;
}

/** The whole document. */
export function suitesXml(suites: readonly Suite[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${[
    `<testsuites name="wsbench"${counts(suites.flatMap(({ cases }) => cases))} time="${seconds(sum(suites.map(suiteMs)))}">`,
    ...suites.flatMap(suiteLines),
    '</testsuites>',
  ].join('\n')}\n`;
}

function suiteLines(suite: Suite): string[] {
  const { name, startedAt, properties, cases } = suite;
  const skipped = cases.filter(({ problem }) => problem?.kind === 'skipped').length;
  return [
    `  <testsuite name="${xml(name)}"${counts(cases)} skipped="${skipped}" time="${seconds(suiteMs(suite))}" timestamp="${xml(startedAt)}">`,
    '    <properties>',
    ...properties.map(([key, value]) => `      <property name="${xml(key)}" value="${xml(value, 1000)}"/>`),
    '    </properties>',
    ...cases.flatMap(caseLines),
    '  </testsuite>',
  ];
}

function caseLines({ name, className, ms, problem, notes = [] }: Case): string[] {
  const head = `    <testcase classname="${xml(className)}" name="${xml(name)}" time="${seconds(ms)}"`;
  const inner = [...(problem ? problemLines(problem) : []), ...noteLines(notes)];
  return inner.length === 0 ? [`${head}/>`] : [`${head}>`, ...inner, '    </testcase>'];
}

function problemLines({ kind, type, message, lines }: NonNullable<Case['problem']>): string[] {
  const type_ = kind === 'skipped' ? '' : ` type="${xml(type)}"`;
  const head = `      <${kind}${type_} message="${xml(message, 1000)}"`;
  if (lines.length === 0) return [`${head}/>`];
  return [`${head}>${lines.map((line) => xml(line, 1000)).join('\n')}</${kind}>`];
}

function noteLines(notes: readonly string[]): string[] {
  if (notes.length === 0) return [];
  return [`      <system-out>${notes.map((note) => xml(note, 1000)).join('\n')}</system-out>`];
}

/** The counts that a suite and all of them have; only a suite says how many were skipped. */
function counts(cases: readonly Case[]): string {
  const of = (kind: string): number => cases.filter(({ problem }) => problem?.kind === kind).length;
  return ` tests="${cases.length}" failures="${of('failure')}" errors="${of('error')}"`;
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

const suiteMs = ({ cases, ms }: Suite): number => ms ?? sum(cases.map((one) => one.ms));

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Text that means nothing to XML: markup as entities, and what XML may not contain as visible escapes. */
function xml(text: string, max = 300): string {
  return plain(text, max).replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
