// The secrets that this process was given, in all their forms, and where they stand in a text. One registry a process: a
// target may send back a secret in any run that follows.
import { isPartOfOwnWord } from './own-words.ts';

/** What stands where a secret stood. */
export const mask = '[redacted]';

// Shorter ones would mask ordinary words.
const shortestSecret = 6;
// So much of a longer secret counts as the secret: what a peer sends is shown cut off.
const shortestPart = 12;
const leastWithParts = 16;
// The longest of our own words has fewer characters.
const longestWord = 40;

/** The forms that begin alike. */
interface Family {
  whole: Set<string>;
  /** How long they are, each length once. */
  lengths: Set<number>;
  /** Those that also count in part, in the order of their characters; undefined: to be sorted. */
  sorted: string[] | undefined;
}

/** Forms of secrets, by their first characters. */
type Generation = Map<string, Family>;

/** With so many forms a new generation begins, and the one before the last is forgotten: what lives long must not grow. */
const generationSize = 100_000;
let newest: Generation = new Map();
let older: Generation = new Map();
let formsInNewest = 0;

/**
 * Remembers a secret that this process was given, so that it is masked wherever it turns up, whatever it looks like: a target
 * may send it back. Its forms in URLs, JSON, HTML and base64 are masked too, and what is left of a long one that was cut off.
 *
 * Not masked are fewer than six characters, which would be found in ordinary words, and what is a part of our own words, such as
 * `stress`. The registry is the process's: runs that follow in it mask the secrets of earlier ones, too, the latest 100,000
 * forms at least (30,000 secrets and more).
 */
export function keepSecret(value: string): void {
  if (value.length < shortestSecret || (value.length < longestWord && isPartOfOwnWord(value))) return;
  for (const form of formsOf(value)) keepForm(form);
}

/** All forms that are remembered, the oldest first. */
export function keptForms(): string[] {
  return [older, newest].flatMap((generation) => [...generation.values()].flatMap(({ whole }) => [...whole]));
}

/** Remembers forms that another thread of this process remembers ({@link keptForms}): each thread has a registry of its own. */
export function keepForms(forms: readonly string[]): void {
  for (const form of forms) keepForm(form);
}

function keepForm(form: string): void {
  const start = form.slice(0, shortestSecret);
  let family = newest.get(start);
  if (family?.whole.has(form)) return;
  if (formsInNewest >= generationSize) {
    older = newest;
    newest = new Map();
    formsInNewest = 0;
    family = undefined;
  }
  if (!family) {
    family = { whole: new Set(), lengths: new Set(), sorted: undefined };
    newest.set(start, family);
  }
  family.whole.add(form);
  family.lengths.add(form.length);
  family.sorted = undefined;
  formsInNewest += 1;
}

/** A secret as it may stand in what a peer sends. */
function formsOf(value: string): Set<string> {
  const bytes = Buffer.from(value);
  const forms = new Set([value, bytes.toString('base64url'), bytes.toString('base64')]);
  // Most tokens: in every other form as they are.
  if (/^[\w.-]*$/.test(value)) return forms;
  const json = JSON.stringify(value).slice(1, -1);
  // Some writers escape slashes, some all that is not ASCII.
  forms.add(json).add(json.replaceAll('/', '\\/'));
  forms.add(
    json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
  for (const quote of ['&quot;', '&#34;']) {
    const html = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    forms.add(html).add(html.replaceAll('"', quote).replaceAll("'", '&#39;'));
  }
  // Half a surrogate pair is no text that a URL could hold.
  if (/\p{Surrogate}/u.test(value)) return forms;
  for (const url of [
    encodeURIComponent(value),
    encodeURI(value),
    new URLSearchParams({ '': value }).toString().slice(1),
  ]) {
    forms.add(url).add(url.replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase()));
  }
  return forms;
}

/** Masks every secret that was kept. What belongs to several that overlap is masked as one. */
export function maskKept(text: string): string {
  if (newest.size === 0) return text;
  let masked = '';
  /** Up to where the text is copied or masked. */
  let done = 0;
  let inside = false;
  for (let at = 0; at + shortestSecret <= text.length; at++) {
    const end = at + secretLength(text, at);
    if (end <= Math.max(at, inside ? done : 0)) continue;
    if (!inside || at > done) masked += `${text.slice(done, at)}${mask}`;
    inside = true;
    done = end;
  }
  return inside ? masked + text.slice(done) : text;
}

/** How many characters from a place on belong to a secret. */
function secretLength(text: string, at: number): number {
  const start = text.slice(at, at + shortestSecret);
  let longest = 0;
  for (const generation of [newest, older]) {
    const family = generation.get(start);
    if (family) longest = Math.max(longest, lengthIn(family, text, at));
  }
  return longest;
}

function lengthIn(family: Family, text: string, at: number): number {
  let longest = 0;
  for (const length of family.lengths) {
    if (length > longest && family.whole.has(text.slice(at, at + length))) longest = length;
  }
  family.sorted ??= [...family.whole].filter(({ length }) => length >= leastWithParts).sort();
  const { sorted } = family;
  // Of all forms, one of the two that the text stands between begins most like it.
  const after = placeOf(sorted, text.slice(at, at + Math.max(...family.lengths)));
  for (const near of [sorted[after - 1] ?? '', sorted[after] ?? '']) {
    let same = 0;
    while (same < near.length && text[at + same] === near[same]) same++;
    if (same >= shortestPart && same > longest) longest = same;
  }
  return longest;
}

/** How many of the sorted texts come before this one. */
function placeOf(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
