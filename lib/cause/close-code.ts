// Close codes in words, and what to do about them.

// RFC 6455 §7.4.1, the IANA registry, and the codes from 4400 on that mirror HTTP, as graphql-ws and others use them.
const meanings: Record<number, readonly [name: string, advice?: string]> = {
  1000: ['normal closure'],
  1001: ['going away', 'it is shutting down or restarting'],
  1002: ['protocol error', 'it says that we broke the protocol'],
  1003: ['unsupported data', 'it does not take this type of message: text, or binary with --binary?'],
  1005: ['no code', 'it says no reason: look at its log'],
  1006: ['no close frame', 'it crashed, or a proxy or firewall cut the connection: look at its log'],
  1007: ['invalid data', 'it takes no such text'],
  1008: ['policy violation', 'often a missing credential, an Origin that is not allowed, or a limit'],
  1009: ['message too big', 'send less with --size'],
  1010: ['extension missing'],
  1011: ['internal error', 'it failed: look at its log'],
  1012: ['service restart', 'it is restarting'],
  1013: ['try again later', 'it is overloaded or caps connections: fewer of them, or --ramp-up'],
  1014: ['bad gateway', 'the server behind it failed'],
  1015: ['TLS failed'],
  3000: ['unauthorized', 'it wants a credential, or refused this one: --token'],
  3003: ['forbidden', 'it forbids this: check the rights of the token'],
  3008: ['timeout', 'it waited in vain for something'],
  4400: ['bad request', 'it did not understand what it got: describe how it talks with --preset or --target'],
  4401: ['unauthorized', 'it wants a credential, or refused this one: --token'],
  4403: ['forbidden', 'it forbids this: check the rights of the token'],
  4404: ['not found', 'check the URL'],
  4406: [
    'subprotocol not acceptable',
    'offer the subprotocol of the target: --subprotocol, or --preset graphql-ws',
  ],
  4408: ['timeout', 'it waited in vain for a credential or a heartbeat'],
  4409: ['conflict', 'another connection took the place of this one'],
  4429: ['too many requests', 'its rate limit was hit: a lower rate, fewer connections or more tokens'],
};

/** The end of a connection in words: `close code 1011 (internal error)`, `TCP dropped without a close frame (1006)`. */
export function describeClose(code: number, reason = ''): string {
  if (code === 1006) return 'TCP dropped without a close frame (1006)';
  if (code === 1005) return 'a close frame without a code (1005)';
  const said = reason === '' ? meanings[code]?.[0] : reason;
  return `close code ${code}${said === undefined ? '' : ` (${said})`}`;
}

/** What a close code of the target gives reason to do or to look at. */
export function closeAdvice(code: number): string | undefined {
  return meanings[code]?.[1];
}

/** What a close code means, in a few words, also where nothing but its range is known. RFC 6455 §7.4.2 */
export function closeMeaning(code: number): string {
  const known = meanings[code];
  if (known) return known[0];
  if (code >= 4400 && code <= 4599) return `the application's own code, by habit like HTTP ${code - 4000}`;
  if (code >= 4000 && code <= 4999) return "the application's own code";
  return code >= 3000 && code <= 3999 ? 'a code of a library or framework' : 'a code with no meaning';
}

/** Whether a close frame may be sent with this code (RFC 6455 §7.4.2); the others are the protocol's own. */
export function mayCloseWith(code: number): boolean {
  return code === 1000 || (code >= 3000 && code <= 4999);
}
