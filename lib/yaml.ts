// YAML files checked by a schema, with errors that say where.
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { messageOf, WsbenchError } from './errors.ts';

/**
 * Parses YAML text and checks it.
 *
 * @param file the name that errors use
 * @throws WsbenchError `CONFIG` with `file:line:col` of the first mistake
 */
export function parseYaml<T>(text: string, schema: z.ZodType<T>, file: string): T {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    strict: true,
    uniqueKeys: true,
    // Messages without the place: we put it in front.
    prettyErrors: false,
  });
  const fail = (offset: number, message: string): never => {
    const { line, col } = lines.linePos(offset);
    throw new WsbenchError('CONFIG', `${file}:${line}:${col} ${message}`);
  };
  const syntax = document.errors[0];
  if (syntax?.code === 'MULTIPLE_DOCS')
    return fail(syntax.pos[0], 'more than one document; one file holds one');
  if (syntax) return fail(syntax.pos[0], syntax.message.split('\n')[0] ?? 'not YAML');
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 20 });
  } catch (error) {
    // Aliases: one without its anchor, or so many that they would fill the memory.
    return fail(0, messageOf(error));
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue?.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]] : (issue?.path ?? []);
  const node = nearestNode(document, path);
  return fail(node, `${path.join('.') || 'document'}: ${issue?.message ?? 'invalid'}`);
}

function nearestNode(document: ReturnType<typeof parseDocument>, path: readonly unknown[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as
      | { range?: [number, number, number] }
      | undefined;
    if (node?.range) return node.range[0];
  }
  return 0;
}
