// Calls `close()` in the state that it is told, and then does nothing: whether the process ends is what the test looks at.
import { connect } from 'node:net';
import { createClient } from '../../lib/client/index.ts';

const [, , state = '', url = '', token = ''] = process.argv;

const never = new Promise<string>(() => {});
// Nobody listens at this port, or nobody answers at that one.
const target = state === 'waiting' ? 'ws://127.0.0.1:1/' : url;
const client = createClient(target, {
  ...(token === '' ? {} : { token: state === 'fetching-token' ? () => never : token }),
  tokenIn: state === 'authenticating' ? 'message' : 'header',
  reconnect: { minMs: 30_000 },
});

/** Closes, and says so on the connection that the parent watches. */
function close(): void {
  const closedAtMs = performance.now();
  void client.request('ECHO', 1).catch(() => {});
  void client.close();
  process.on('exit', () => {
    process.stdout.write(`${JSON.stringify({ from: state, tookMs: performance.now() - closedAtMs })}\n`);
  });
}

void client.subscribe('news').catch(() => {});
if (state === 'idle') {
  close();
} else {
  client.on('state', ({ to }) => {
    if (to === state) setTimeout(close, 20);
  });
  // Once closed, `connect()` rejects; that is not what is looked at.
  client.connect().catch(() => {});
  if (state === 'draining') {
    // The server drains when it hears a connection on its other port.
    client.on('open', () =>
      connect(Number(process.argv[5]), '127.0.0.1')
        .on('error', () => {})
        .end(),
    );
  }
}
