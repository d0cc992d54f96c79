// YAML files checked by a schema, with errors that say where and show the place.
import { type Document, Lexer, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { messageOf, WsbenchError } from './errors.ts';
import { isSecretName } from './result/redact.ts';
import { deepest, type Finding, type Inspection, inspect, offsetOf, tooDeep } from './yaml/document.ts';
import { excerpt, type Range } from './yaml/excerpt.ts';
import { tell } from './yaml/issues.ts';

export { readYamlText } from './yaml/read.ts';

/** A mistake in a file. */
export interface FileIssue {
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 code units, as editors count. */
  column: number;
  /** What is wrong, in one line. */
  message: string;
  /** The line and a caret under the place, secrets masked. */
  excerpt: string;
}

/** What came of checking a text: its value, or all that is wrong with it. */
export type Checked<T> = { value: T; issues: [] } | { value?: never; issues: [FileIssue, ...FileIssue[]] };

/** Messages without the place, which we put in front; and none that the parser prints by itself. */
const parserOptions = { strict: true, uniqueKeys: false, prettyErrors: false, logLevel: 'error' } as const;
/** Mistakes that are told at once. */
const most = 20;
/** Words, signs and gaps that a file may have: reading takes a kilobyte of memory for each, and more time for the next. */
const mostTokens = 50_000;
/** How a text is read. */
export interface YamlOptions {
  /** Every value and every key is the text that stands there: `2.10` is no number. */
  textOnly?: boolean;
}

/** Uses of anchors that a file may make, those inside of others counted each time. */
const maxAliasCount = 20;

/**
 * Parses YAML text and checks it.
 *
 * @param file the name that errors use
 * @throws WsbenchError `CONFIG` with `file:line:col` of the first mistake; its excerpt shows that place and all the other ones
 */
export function parseYaml<T>(text: string, schema: z.ZodType<T>, file: string, options: YamlOptions = {}): T {
  const checked = checkYaml(text, schema, options);
  const [first, ...others] = checked.issues;
  if (first === undefined) return checked.value as T;
  const more =
    others.length === 0 ? '' : ` (and ${others.length === most - 1 ? 'at least ' : ''}${others.length} more)`;
  throw new WsbenchError('CONFIG', `${issueLine(first, file)}${more}`, {
    excerpt: [first.excerpt, ...others.flatMap((issue) => [issueLine(issue, file), issue.excerpt])].join(
      '\n',
    ),
  });
}

/** A mistake as one line: `file:line:col message`. */
export function issueLine({ line, column, message }: FileIssue, file: string): string {
  return `${file}:${line}:${column} ${message}`;
}

/** Checks YAML text: its value, or its mistakes in the order of the text, at most 20. */
export function checkYaml<T>(source: string, schema: z.ZodType<T>, options: YamlOptions = {}): Checked<T> {
  // A byte order mark is no column.
  const text = source.replace(/^\ufeff/, '');
  const lines = new LineCounter();
  const read = readDocument(text, lines, options);
  let findings = read.findings;
  if (read.document) {
    const parsed = schema.safeParse(read.value);
    if (parsed.success && findings.length === 0) return { value: parsed.data, issues: [] };
    // What a schema says of a place that is wrong already is no news.
    const places = new Set(findings.map(({ offset }) => offset));
    const told = parsed.error ? toldFindings(parsed.error, schema, read.document, text, read.value) : [];
    findings = [...findings, ...told.filter(({ offset }) => !places.has(offset))];
  }
  const [first = { offset: 0, message: 'not YAML' }, ...others] = inOrder(findings).slice(0, most);
  const locate = (finding: Finding): FileIssue => located(finding, text, lines, read.secrets, !read.sound);
  return { issues: [locate(first), ...others.map(locate)] };
}

interface Read extends Inspection {
  document?: Document;
  value?: unknown;
  /** Whether the text is YAML. */
  sound: boolean;
}

function readDocument(text: string, lineCounter: LineCounter, { textOnly }: YamlOptions = {}): Read {
  const large = tooLarge(text);
  if (large) {
    lineCounter.addNewLine(0);
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1))
      lineCounter.addNewLine(at + 1);
    return { findings: [large], secrets: [], sound: false };
  }
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      lineCounter,
      ...parserOptions,
      ...(textOnly ? { schema: 'failsafe' } : {}),
    });
  } catch (error) {
    // The parser goes down into nested lists by calling itself.
    const message = error instanceof RangeError ? tooDeep : messageOf(error);
    return { findings: [{ offset: 0, message }], secrets: [], sound: false };
  }
  const { findings, secrets } = inspect(document, text);
  const syntax = [...document.errors, ...document.warnings].map(({ code, pos, message }) => ({
    offset: pos[0],
    message: syntaxMessage(code, message),
  }));
  // What was read around a mistake may not be what is written there.
  if (syntax.length > 0) return { findings: syntax, secrets, sound: false };
  if (findings.some(({ isFatal }) => isFatal)) return { findings, secrets, sound: true };
  try {
    return { document, value: document.toJS({ maxAliasCount }), findings, secrets, sound: true };
  } catch {
    // One alias after the other, each of all before it: the value would fill the memory.
    const offset = Math.max(0, text.search(/\*[^\s,[\]{}]/));
    return { findings: [{ offset, message: 'too many aliases' }], secrets, sound: true };
  }
}

/** What a file has too much of to be read in reasonable time. */
function tooLarge(text: string): Finding | undefined {
  let count = 0;
  let depth = 0;
  let offset = 0;
  for (const token of new Lexer().lex(text)) {
    // The lexer's own marks stand for nothing in the text.
    const isMark = token === '\u0002' || token === '\u0018' || token === '\u001f';
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > deepest) return { offset, message: tooDeep };
    if (++count > mostTokens)
      return { offset, message: `more than ${mostTokens} words and signs; no such file needs so many` };
    if (!isMark) offset += token.length;
  }
  return undefined;
}

function syntaxMessage(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'more than one document; one file holds one';
  if (code === 'BLOCK_AS_IMPLICIT_KEY')
    return 'a mapping cannot begin here; a text with ": " in it needs quotes';
  if (code === 'BAD_SCALAR_START') return 'a text that starts like this needs quotes';
  if (code === 'TAB_AS_INDENT') return 'a tab; YAML is indented with spaces';
  if (message.startsWith('Maximum call stack')) return tooDeep;
  if (message.startsWith('Missing closing')) return 'a quote that is not closed';
  // What the parser quotes may be a secret.
  return (message.split('\n')[0] ?? '').replace(/:? ".*/, '') || 'not YAML';
}

function toldFindings(
  error: z.core.$ZodError,
  schema: z.ZodType,
  document: Document,
  text: string,
  value: unknown,
): Finding[] {
  return tell(error.issues, schema, value).map(({ path, spot, message }) => {
    const isEmpty = path.length === 0 && (value === null || value === undefined);
    return {
      offset: offsetOf(document, text, path, spot),
      message: isEmpty
        ? 'document: the file is empty'
        : `${path.map(String).join('.') || 'document'}: ${message}`,
    };
  });
}

function inOrder(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return [...findings]
    .sort((a, b) => a.offset - b.offset)
    .filter(({ offset, message }) => {
      const key = `${offset} ${message}`;
      return !seen.has(key) && seen.add(key);
    });
}

function located(
  { offset, message }: Finding,
  text: string,
  lines: LineCounter,
  secrets: readonly Range[],
  broken: boolean,
): FileIssue {
  const { line, col } = lines.linePos(Math.min(offset, text.length));
  const start = lines.lineStarts[line - 1] ?? 0;
  const end = text.indexOf('\n', start);
  const shown = text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '');
  const inLine = secrets
    .filter((range) => range.end > start && range.start < start + shown.length)
    .map((range) => ({
      start: Math.max(0, range.start - start),
      end: Math.min(shown.length, range.end - start),
    }));
  const all = broken ? [...inLine, ...secretsOfLine(shown)] : inLine;
  return { line, column: col, message, excerpt: excerpt(shown, line, Math.max(0, col - 1), all) };
}

/** What stands behind keys that say that it is secret, in a line of a text that is not YAML as a whole. */
function secretsOfLine(line: string): Range[] {
  return [...line.matchAll(/([\w.-]+)["']?\s*[:=]\s*/g)]
    .filter(([, name = '']) => isSecretName(name, 'headers'))
    .map((found) => ({ start: found.index + found[0].length, end: line.length }));
}

/** The mapping that a text is at its top, whatever is wrong with it; empty when it is none. */
export function peekYaml(source: string): Record<string, unknown> {
  const { value } = readDocument(source.replace(/^\ufeff/, ''), new LineCounter());
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? { ...value } : {};
}
