// The endpoints of the reference protocol, derived from the URL of /ws.

/** Where a check connects, relative to the URL that was given. */
export type Endpoint = 'ws' | 'dashboard' | 'agent' | 'status';

const siblings: Record<Exclude<Endpoint, 'ws'>, string> = {
  dashboard: '/ws/dashboard',
  agent: '/ws/agent',
  status: '/api/status',
};
const wsPath = /\/ws(?:\/(?:dashboard|agent|echo|sink|push))?\/?$/;

/** True when sibling endpoints can be derived: the URL's path ends in /ws. */
export function hasSiblings(url: string): boolean {
  return wsPath.test(new URL(url).pathname);
}

/** The URL of an endpoint. `ws` is the given URL itself; `status` has an http scheme. */
export function endpointUrl(url: string, endpoint: Endpoint): string {
  if (endpoint === 'ws') return url;
  const sibling = new URL(url);
  sibling.pathname = sibling.pathname.replace(wsPath, '') + siblings[endpoint];
  if (endpoint === 'status') {
    sibling.protocol = sibling.protocol === 'wss:' ? 'https:' : 'http:';
    sibling.search = '';
  }
  return sibling.href;
}

/** True when the host is this machine. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d+){3}$/.test(hostname)
  );
}
