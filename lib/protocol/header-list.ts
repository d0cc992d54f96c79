// The grammar of Sec-WebSocket-Extensions and of token lists. RFC 6455 §9.1, RFC 9110 §5.6

/** One element of an extension list: `name; parameter=value`. */
export interface ExtensionElement {
  name: string;
  /** In order, repeats kept; true: a parameter without a value. */
  parameters: [string, string | true][];
}

const token = /[!#$%&'*+.^_`|~\w-]+/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;
const space = /[ \t]*/y;

/** Whether a text is a token. RFC 9110 §5.6.2 */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+.^_`|~\w-]+$/.test(text);
}

/** The elements of a list of extensions; undefined when it does not follow the grammar. Empty elements are passed over. */
export function parseExtensions(text: string): ExtensionElement[] | undefined {
  const reader = new Reader(text);
  const elements: ExtensionElement[] = [];
  for (;;) {
    // A recipient must take a reasonable number of them. RFC 9110 §5.6.1
    while (reader.take(','));
    if (reader.isAtEnd) return elements;
    const name = reader.token();
    if (name === undefined) return undefined;
    const parameters: [string, string | true][] = [];
    while (reader.take(';')) {
      const key = reader.token();
      if (key === undefined) return undefined;
      if (!reader.take('=')) {
        parameters.push([key, true]);
        continue;
      }
      const value = reader.quoted() ?? reader.token();
      // A quoted value must be a token, too. RFC 6455 §9.1
      if (value === undefined || !isToken(value)) return undefined;
      parameters.push([key, value]);
    }
    elements.push({ name, parameters });
    if (!reader.isAtEnd && !reader.take(',')) return undefined;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skip();
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  take(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false;
    this.#at++;
    this.#skip();
    return true;
  }

  token(): string | undefined {
    return this.#match(token)?.[0];
  }

  quoted(): string | undefined {
    return this.#match(quoted)?.[1]?.replace(/\\(.)/g, '$1');
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (!found) return undefined;
    this.#at = pattern.lastIndex;
    this.#skip();
    return found;
  }

  #skip(): void {
    space.lastIndex = this.#at;
    space.exec(this.#text);
    this.#at = space.lastIndex;
  }
}
