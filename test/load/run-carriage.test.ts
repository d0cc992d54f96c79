// Runs whose load is carried otherwise than plainly: compressed, in fragments, through a proxy, with a certificate of ours.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { type StressOptions, type StressResult, stress } from '../../lib/index.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';
import { listen } from '../transport/peer.ts';

const timeout = 60_000;
const load: StressOptions = {
  connections: 4,
  ratePerSecond: 100,
  durationMs: 500,
  warmupMs: 0,
  defaultThresholds: false,
  thresholds: [],
};

/** Everything was sent and answered, whatever this machine was busy with. */
function assertWhole(result: StressResult): void {
  const { counters } = result;
  assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
  assert.equal(counters['messages.matched'], 50, JSON.stringify([result.reasons, result.failures, counters]));
  assert.equal(counters['messages.corrupt'], 0);
  assert.equal(counters.protocol_errors, 0);
}

async function startEcho(t: TestContext, extensions: Set<string>): Promise<string> {
  return startTalkServer(
    t,
    (socket) => {
      extensions.add(socket.extensions);
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    },
    { perMessageDeflate: { threshold: 0 } },
  );
}

test('compressed and in fragments: every echo is verified', { timeout }, async (t) => {
  const extensions = new Set<string>();
  const url = await startEcho(t, extensions);
  for (const changes of [{ compress: true }, { fragmentBytes: 10 }, { compress: true, fragmentBytes: 3 }]) {
    extensions.clear();
    assertWhole(await stress(url, { ...load, ...changes, sizeBytes: 300 }));
    assert.deepEqual([...extensions], [changes.compress ? 'permessage-deflate' : '']);
  }
});

test('everything of a run goes through the proxy, the look at who the target is too', {
  timeout,
}, async (t) => {
  const url = await startEcho(t, new Set());
  let tunnels = 0;
  const proxy = await listen(t, (client) =>
    client.once('data', () => {
      tunnels++;
      const upstream = connectTcp({ port: Number(new URL(url).port), host: '127.0.0.1' }, () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        client.pipe(upstream).pipe(client);
      });
      upstream.on('error', () => client.destroy());
      client.on('close', () => upstream.destroy());
    }),
  );
  // A name that only the proxy knows.
  const target = 'ws://target.invalid:4444/';
  assertWhole(await stress(target, { ...load, proxy: `http://127.0.0.1:${proxy}` }));
  assert.equal(tunnels, 5);
});

test('a client certificate and a name for TLS', { timeout }, async (t) => {
  const own = selfSigned({ host: 'target.example' });
  const clientCertificate = selfSigned({ host: 'client.example' });
  const server = createServer({ ...own, requestCert: true, ca: [clientCertificate.cert] });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data, { binary: false })));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const client of sockets.clients) client.terminate();
    server.close();
  });
  const url = `wss://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const tls = { caCertificates: own.cert, servername: 'target.example' };
  assertWhole(await stress(url, { ...load, ...tls, clientCertificate }));
  const refused = await stress(url, { ...load, ...tls });
  assert.equal(refused.failures[0]?.kind, 'tls');
});
