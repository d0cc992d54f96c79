// JSON objects that name a member twice: parsers keep one of the two, and not all the same one.

/**
 * Whether an object anywhere in a text has two members of one name. JWTs with such claims are refused (RFC 7519 §4): whoever
 * checked them before may have read the other one.
 *
 * @param json valid JSON
 */
export function hasDuplicateNames(json: string): boolean {
  // The names of each object that is open; null for an array.
  const open: (Set<string> | null)[] = [];
  let isName = false;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],]/g)) {
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : null);
      isName = token === '{';
    } else if (token === '}' || token === ']') {
      open.pop();
      isName = false;
    } else if (token === ',') {
      isName = open.at(-1) instanceof Set;
    } else if (isName) {
      const names = open.at(-1);
      // `"sub"` and `"s\u0075b"` are one name.
      const name = JSON.parse(token) as string;
      if (names?.has(name)) return true;
      names?.add(name);
      isName = false;
    }
  }
  return false;
}
