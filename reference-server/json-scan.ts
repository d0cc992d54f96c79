// What JSON.parse does not say of a text: how deep it nests, and whether a number in it was changed. Pure.

const quote = 0x22;
const backslash = 0x5c;

export interface JsonScan {
  /** How deep it nests. */
  depth: number;
  /** Whether a number is too large for a double, or an integer that a double would round (RFC 7493 §2.2). */
  hasLossyNumber: boolean;
}

/** What JSON.parse does not say of valid JSON text. Linear, and without recursion. */
export function scanJson(json: string): JsonScan {
  let open = 0;
  let depth = 0;
  let hasLossyNumber = false;
  for (let index = 0; index < json.length; index++) {
    const code = json.charCodeAt(index);
    if (code === quote) {
      index = endOfText(json, index);
    } else if (code === 0x7b || code === 0x5b) {
      open += 1;
      if (open > depth) depth = open;
    } else if (code === 0x7d || code === 0x5d) {
      open -= 1;
    } else if (isDigit(code)) {
      const start = index;
      while (isOfNumber(json.charCodeAt(index + 1))) index += 1;
      // The largest safe integer has 16 digits; shorter ones with an exponent may still be too large.
      hasLossyNumber ||= isLossy(json.slice(start, index + 1));
    }
  }
  return { depth, hasLossyNumber };
}

/** The index of the quote that ends the text whose first quote is at `start`. */
function endOfText(json: string, start: number): number {
  for (let index = start + 1; index < json.length; index++) {
    const code = json.charCodeAt(index);
    if (code === backslash) index += 1;
    else if (code === quote) return index;
  }
  return json.length;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Digits, and `.` `e` `E` `+` `-` among them. */
function isOfNumber(code: number): boolean {
  return isDigit(code) || code === 0x2e || code === 0x65 || code === 0x45 || code === 0x2b || code === 0x2d;
}

function isLossy(literal: string): boolean {
  const value = Number(literal);
  return !Number.isFinite(value) || (/^\d{16,}$/.test(literal) && !Number.isSafeInteger(value));
}

/**
 * Where the first number is that cannot be what was written, or only with an exponent (1e300). The value nests no deeper than was
 * allowed.
 */
export function pathOfLossyNumber(value: unknown): PropertyKey[] | undefined {
  if (typeof value === 'number') {
    const isRounded = Number.isInteger(value) && !Number.isSafeInteger(value);
    return !Number.isFinite(value) || isRounded ? [] : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const path = pathOfLossyNumber(item);
    if (path) return [key, ...path];
  }
  return undefined;
}
