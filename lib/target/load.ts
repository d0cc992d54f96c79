// Reading target files.
import { parseYaml, readYamlText } from '../yaml.ts';
import { type Target, targetSchema } from './target.ts';

/**
 * Loads a target file.
 *
 * @param file its path
 * @param name what errors call it; its path by default
 * @throws WsbenchError `USAGE` when the file cannot be read, `CONFIG` with `file:line:col` when it is wrong
 */
export function loadTarget(file: string, name = file): Target {
  return parseYaml(readYamlText(file, name, 'target'), targetSchema, name);
}
