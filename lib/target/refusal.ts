// Typed refusals: replies that say no, and what kind of no. Pure.
import { compileMatcher, pathOf, type Received, valueAt } from './matcher.ts';
import type { Target } from './target.ts';

/**
 * Makes a function that says whether a message is what a target's description calls an error: its code, '' for one that has
 * none, null for everything else.
 */
export function compileRefusal(error: Target['error']): (message: Received) => string | null {
  if (!error) return () => null;
  const { code, ...matcher } = error;
  const isRefusal = compileMatcher(matcher);
  const paths = [code ?? []].flat().map(pathOf);
  return (message) => {
    if (!isRefusal(message)) return null;
    for (const path of paths) {
      const value = valueAt(message.body, path);
      if ((typeof value === 'string' && value !== '') || typeof value === 'number') return String(value);
    }
    return '';
  };
}
