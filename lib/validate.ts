// Checking target and scenario files without running anything.
import { scenarioSchema } from './scenario/scenario.ts';
import { targetSchema } from './target/target.ts';
import { checkYaml, type FileIssue, peekYaml, readYamlText } from './yaml.ts';

/** What came of checking a file. */
export interface ValidatedFile {
  /** Its name, as it was given. */
  file: string;
  kind: 'target' | 'scenario';
  /** What it calls itself; null when it does not say. */
  name: string | null;
  /** All that is wrong with it, at most 20; none: it is valid. */
  issues: FileIssue[];
}

/**
 * Checks a target file or a scenario file: a scenario says `kind: quick` or `kind: stress`. Sends nothing, connects to nothing.
 *
 * @param path where it is
 * @param file what errors call it; its path by default
 * @throws WsbenchError `USAGE` when the file cannot be read, `CONFIG` when it is too large or no text
 */
export function validateFile(path: string, file = path): ValidatedFile {
  const text = readYamlText(path, file, 'file');
  const top = peekYaml(text);
  const kind = Object.hasOwn(top, 'kind') ? 'scenario' : 'target';
  const { issues } = kind === 'scenario' ? checkYaml(text, scenarioSchema) : checkYaml(text, targetSchema);
  return { file, kind, name: typeof top.name === 'string' ? top.name : null, issues };
}
