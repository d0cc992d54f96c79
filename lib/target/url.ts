// Target URLs: checked before anything is sent.
import { WsbenchError } from '../errors.ts';

/**
 * Checks a target URL and returns it normalised.
 *
 * @throws WsbenchError `USAGE` that says what to write instead
 */
export function parseTargetUrl(text: string): string {
  const example = 'write it like ws://localhost:8080/ws or wss://example.org/ws';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // `localhost:8080/ws` and `user:password@host` parse, with what is before the colon as their scheme.
  if (!url || !text.includes('://')) throw new WsbenchError('USAGE', `"${text}" is not a URL; ${example}`);
  if (url.protocol === 'http:' || url.protocol === 'https:') {
    const instead = `${url.protocol === 'http:' ? 'ws' : 'wss'}${text.slice(url.protocol.length - 1)}`;
    throw new WsbenchError('USAGE', `"${text}" is an HTTP URL; for its WebSocket write ${instead}`);
  }
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new WsbenchError('USAGE', `"${text}" has scheme "${url.protocol.slice(0, -1)}"; ${example}`);
  }
  if (url.hash !== '') {
    throw new WsbenchError(
      'USAGE',
      `"${text}" has a fragment, which WebSocket URLs must not have (RFC 6455 §3)`,
    );
  }
  if (url.hostname === '') throw new WsbenchError('USAGE', `"${text}" has no host; ${example}`);
  return url.href;
}
