// The saved form: one result as it is, several as an array.
import type { Reporter } from './reporter.ts';

// Valid in JSON strings, but some terminals obey them: DEL, C1 controls, line separators, bidirectional controls.
// So does GitHub's runner with what begins with `##[`.
const unsafe = /#(?=\[)|[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** A value as JSON that is safe to print: what could steer a terminal is escaped. */
export function jsonText(value: unknown, indent = 2): string {
  const text = JSON.stringify(value, null, indent);
  return `${text.replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}

/** Renders results as JSON, indented. */
export const json: Reporter = (results) => jsonText(results.length === 1 ? results[0] : results);
