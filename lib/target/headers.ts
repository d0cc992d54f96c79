// Request headers as people give them, in the form that a request takes.

/** Headers by name. Repeated ones are joined, as RFC 9110 §5.3 allows; with cookies it takes another separator. */
export function joinHeaders(headers: readonly (readonly [string, string])[]): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of headers) {
    const key = Object.keys(joined).find((known) => known.toLowerCase() === name.toLowerCase()) ?? name;
    const separator = key.toLowerCase() === 'cookie' ? '; ' : ', ';
    joined[key] = joined[key] === undefined ? value : `${joined[key]}${separator}${value}`;
  }
  return joined;
}
