// What close codes mean: RFC 6455 §7.4.1, the IANA registry, and the habits of applications.

const meanings: Record<number, string> = {
  1000: 'normal closure',
  1001: 'going away',
  1002: 'protocol error',
  1003: 'unsupported kind of data',
  1005: 'close frame without a code',
  1006: 'connection lost, without a close frame',
  1007: 'invalid data, such as broken UTF-8',
  1008: 'policy violation',
  1009: 'message too big',
  1010: 'extension missing',
  1011: 'internal error of the server',
  1012: 'server restarts',
  1013: 'try again later',
  1014: 'bad gateway',
  1015: 'TLS handshake failed',
  3000: 'unauthorized',
  3003: 'forbidden',
  3008: 'timeout',
};

/** What a close code means, in words. */
export function closeMeaning(code: number): string {
  const known = meanings[code];
  if (known !== undefined) return known;
  if (code >= 4400 && code <= 4599) return `the application's own code, by habit like HTTP ${code - 4000}`;
  if (code >= 4000 && code <= 4999) return "the application's own code";
  return code >= 3000 && code <= 3999 ? 'a code of a library or framework' : 'a code with no meaning';
}

/** Whether a close frame may be sent with this code (RFC 6455 §7.4.2); the others are the protocol's own. */
export function mayCloseWith(code: number): boolean {
  return code === 1000 || (code >= 3000 && code <= 4999);
}
