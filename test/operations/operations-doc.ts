// docs/operations.md as tests read it.
import { readFileSync } from 'node:fs';

export const operations = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');

/** The code blocks of a language, in their order. */
export function blocksOf(language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...operations.matchAll(fence)].map(([, code = '']) => code);
}
