// HTML put together so that outside text cannot become markup: whatever is no Markup is escaped.
import { plain } from '../plain.ts';

const made: unique symbol = Symbol('markup');

/** HTML that is safe to put on a page. Only {@link markup} and what stands on it make any. */
export interface Markup {
  readonly [made]: string;
}

/** What a template takes: text is escaped, markup is not, lists are joined, `undefined` and `false` leave nothing. */
export type Part = Markup | string | number | false | undefined | readonly Part[];

// Sentences of our own are shorter; for longer texts there is `shown`.
const mostCharacters = 600;

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** A template of HTML. Attribute values stand in double quotes. */
export function markup(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return { [made]: strings.reduce((text, string, index) => text + htmlOf(parts[index - 1]) + string) };
}

/** Outside text, cut at another length than usual. Controls and the like become visible escapes. */
export function shown(text: string, max: number): Markup {
  return { [made]: escaped(text, max) };
}

/** Outside text of several lines: each is shown as one. */
export function shownLines(lines: readonly string[], max: number): Markup {
  return { [made]: lines.map((line) => escaped(line, max)).join('\n') };
}

/** A block of JSON for scripts to read. Nothing in it can end the block. */
export function jsonBlock(attributes: Markup, json: string): Markup {
  const inert = json.replace(unsafe, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return { [made]: `<script type="application/json" ${attributes[made]}>${inert}</script>` };
}

// All of these stand only inside strings of JSON, where an escape means the same: the one character that could end or hide
// the block, and those that could steer whoever looks at the source.
const unsafe = /[<>\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** A style or a script of our own, as it is. */
export function ownElement(name: 'style' | 'script', text: string): Markup {
  return { [made]: `<${name}>${text}</${name}>` };
}

/** The text of markup, to be written to a file. */
export function textOf(part: Markup): string {
  return part[made];
}

function htmlOf(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'string') return escaped(part, mostCharacters);
  if (typeof part === 'number') return String(part);
  return isMarkup(part) ? part[made] : part.map(htmlOf).join('');
}

function isMarkup(part: Markup | readonly Part[]): part is Markup {
  return made in part;
}

function escaped(text: string, max: number): string {
  return plain(text, max).replace(/[&<>"'`]/g, (character) => entities[character] ?? character);
}
