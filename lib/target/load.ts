// Reading target files.
import { readFileSync } from 'node:fs';
import { messageOf, WsbenchError } from '../errors.ts';
import { parseYaml } from '../yaml.ts';
import { type Target, targetSchema } from './target.ts';

/**
 * Loads a target file.
 *
 * @throws WsbenchError `USAGE` when the file cannot be read, `CONFIG` with `file:line:col` when it is wrong
 */
export function loadTarget(file: string): Target {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new WsbenchError('USAGE', `cannot read target ${file}: ${messageOf(cause)}`, { cause });
  }
  return parseYaml(text, targetSchema, file);
}
