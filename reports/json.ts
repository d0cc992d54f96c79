// The saved form: one result as it is, several as an array.
import type { Reporter } from './reporter.ts';

// Valid in JSON strings, but some terminals obey them: DEL, C1 controls, line separators, bidirectional controls.
const unsafe = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Renders results as JSON, indented. The text is safe to print: what could steer a terminal is escaped. */
export const json: Reporter = (results) => safeJson(results.length === 1 ? results[0] : results);

/** Any value as such JSON. */
export function safeJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  return `${text.replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}
