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

const headerName = /^[!#$%&'*+.^_`|~\w-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not get into a request
const unsendable = /[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/;
const placeholder = /\{\{\s*[^{}\s]+\s*\}\}/g;

/** Why a header cannot be sent, without its value; undefined when it can. Placeholders are taken for letters. RFC 9110 §5 */
export function headerTrouble(name: string, value: string): string | undefined {
  if (!headerName.test(name.replace(placeholder, 'x'))) return 'is no name that a header or cookie may have';
  if (name.toLowerCase() === 'sec-websocket-protocol')
    return 'subprotocols are offered by connect.subprotocols';
  if (unsendable.test(value)) return 'its value has control characters or others that a header cannot carry';
  return undefined;
}

/** Why a subprotocol cannot be offered; undefined when it can. RFC 6455 §4.1 */
export function subprotocolTrouble(name: string): string | undefined {
  return headerName.test(name.replace(placeholder, 'x'))
    ? undefined
    : 'has characters that a subprotocol cannot have; letters, digits and hyphens are safe';
}
