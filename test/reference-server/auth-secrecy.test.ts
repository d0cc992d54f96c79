// JW-27: a token goes in at every place there is, and comes out at none.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { inspect } from 'node:util';
import type { ReferenceServer, ServerOptions } from '../../reference-server/index.ts';
import { emptyFolder, start } from '../cli/spawn.ts';
import { keyServer } from '../fixtures/key-server.ts';
import { Client } from './client.ts';
import { hmac, jwks, keys, secret, token } from './forgery.ts';
import { listening } from './servers.ts';
import { upgrade } from './upgrade.ts';

const timeout = 60_000;
const origin = 'https://app.example';

/** What is sent and received on a plain socket, until the server ends it. */
function raw({ httpUrl }: Pick<ReferenceServer, 'httpUrl'>, text: string): Promise<string> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(httpUrl);
    let got = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setTimeout(2000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(got));
  });
}

/** A token with these claims and a mark of its own, signed right or wrong. */
function marked(mark: string, claims: object, key = secret): { jwt: string; traces: string[] } {
  const nowS = Math.floor(Date.now() / 1000);
  const all = { sub: `sub-${mark}`, role: 'authenticated', iat: nowS, exp: nowS + 600, mark, ...claims };
  const jwt = token({ alg: 'HS256', typ: 'JWT' }, all, hmac(key));
  const [, payload = '', signature = ''] = jwt.split('.');
  return { jwt, traces: [payload.slice(0, 60), signature.slice(0, 30), mark] };
}

/** Every place in which a token can come, of a server that listens at these URLs. All that comes back, as text. */
async function everywhere(server: { url: string; httpUrl: string }, jwt: string): Promise<string[]> {
  const seen: string[] = [];
  const k8s = `base64url.bearer.authorization.k8s.io.${Buffer.from(jwt).toString('base64url')}`;
  const name = 'Sec-WebSocket-Protocol';
  for (const path of ['/ws', '/ws/dashboard', '/ws/agent', '/ws/echo', '/ws/nowhere']) {
    for (const headers of [
      ['Authorization', `Bearer ${jwt}`],
      ['Authorization', `Basic ${jwt}`],
      ['Authorization', jwt],
      ['Authorization', `Bearer ${jwt}`, name, `bearer.${jwt}`],
      [name, `wsbench.v1, bearer.${jwt}`],
      [name, `bearer, ${jwt}`],
      [name, k8s],
      [name, `${jwt}, ${jwt}`],
      [name, `not (a) list ${jwt}`],
      ['Origin', origin, 'Cookie', `token=${jwt}`],
      ['Origin', `https://${jwt.slice(0, 30)}.example`, 'Cookie', `token=${jwt}`],
    ]) {
      seen.push((await upgrade(server, path, headers)).text);
    }
    for (const query of [
      `token=${jwt}`,
      `access_token=${jwt}`,
      `apikey=${jwt}`,
      `token=${jwt}&token=x`,
      `rate=${jwt}`,
    ]) {
      seen.push((await upgrade(server, `${path}?${query}`, [])).text);
    }
  }
  for (const path of ['/healthz', '/readyz', '/api/status', '/nowhere', '/%zz', '/ws']) {
    const response = await fetch(`${server.httpUrl}${path}?token=${jwt}`, {
      headers: { authorization: `Bearer ${jwt}` },
    });
    seen.push(await response.text());
  }
  const host = 'Host: x\r\nConnection: close\r\n';
  seen.push(
    await raw(server, `GET /%zz?token=${jwt} HTTP/1.1\r\n${host}\r\n`),
    await raw(server, `GET /${jwt} HTTP/1.1\r\n${host}\r\n`),
    await raw(server, `POST /ws?token=${jwt} HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\n{}`),
    await raw(server, `GET /ws HTTP/1.1\r\n${host}Authorization: Bearer ${jwt}${'x'.repeat(40_000)}\r\n\r\n`),
    await raw(server, `NONSENSE ${jwt}\r\n\r\n`),
    await raw(server, `CONNECT ${jwt}:80 HTTP/1.1\r\n${host}\r\n`),
  );
  for (const message of [
    { type: 'AUTH', id: 'a', payload: { token: jwt } },
    { type: 'AUTH', id: 'a', payload: { token: [jwt] } },
    { type: 'AUTH', id: 'a', payload: { token: `${jwt}${'x'.repeat(9000)}` } },
    { type: 'AUTH', id: 'a', payload: { access_token: jwt } },
    { type: 'SUBSCRIBE', id: 'a', payload: { channel: `${jwt} ` } },
    { type: 'LOGIN', id: 'a', payload: { token: jwt } },
    `{"type":"AUTH","payload":{"token":"${jwt}"`,
  ]) {
    const client = await Client.open(`${server.url}/ws`);
    client.send(message);
    await client.take(({ type }) => type === 'ACK' || type === 'ERROR', 'an answer');
    client.socket.close();
    const { reason } = await client.closed;
    // Who one is may be said to oneself: the subject, which is in the ACK and is no secret.
    seen.push(reason, JSON.stringify(client.inbox));
  }
  seen.push(await (await fetch(`${server.httpUrl}/metrics`)).text());
  return seen;
}

// biome-ignore format: a table
const tokens: [name: string, claims: object, key: string][] = [
  ['good',     {},                       secret],
  ['forged',   {},                       'another'],
  ['expired',  { exp: 1_600_000_000 },   secret],
  ['no role',  { role: undefined },      secret],
];
// biome-ignore format: a table
const servers: [name: string, options: ServerOptions][] = [
  ['test',       {}],
  ['all on',     { allowedOrigins: [origin], allowQueryToken: true }],
  ['production', { environment: 'production' }],
];

for (const [kind, options] of servers) {
  for (const [name, claims, key] of tokens) {
    test(`${kind}, ${name}: no trace of the token in logs, metrics, answers or close reasons`, {
      timeout,
    }, async (t) => {
      const log: unknown[] = [];
      const server = await listening(t, { secret, logger: (entry) => log.push(entry), ...options });
      const { jwt, traces } = marked('CANARY7f3a9c', claims, key);
      const answers = await everywhere(server, jwt);
      await server.close();
      const text = inspect([log, answers], { depth: 10, maxStringLength: null, maxArrayLength: null });
      for (const trace of traces) {
        const at = text.replaceAll('"sub":"sub-CANARY7f3a9c"', '').indexOf(trace);
        assert.equal(at, -1, `${trace} in …${text.slice(Math.max(0, at - 200), at + 100)}…`);
      }
    });
  }
}

test('keys that cannot be fetched are logged without any token', { timeout }, async (t) => {
  const endpoint = await keyServer(t, jwks);
  const log: unknown[] = [];
  const server = await listening(t, { jwks: endpoint.url, logger: (entry) => log.push(entry) });
  const jwt = token({ alg: 'ES256', kid: 'CANARY-kid' }, { mark: 'CANARY' }, () =>
    keys.ec.privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(0, 64),
  );
  endpoint.mode = 'garbage';
  assert.equal((await upgrade(server, '/ws', ['Authorization', `Bearer ${jwt}`])).status, 503);
  assert.equal(log.length, 1);
  assert.ok(!inspect(log, { depth: 10 }).includes('CANARY'));
});

test('wsbench serve prints no token and no secret', { timeout }, async (t) => {
  const own = 'CANARYsecret-0123456789-abcdefghij';
  const { jwt, traces } = marked('CANARY7f3a9c', {}, own);
  const { jwt: forged } = marked('CANARY7f3a9c', {});
  const running = start(['serve', '--port', '0', '--limits', 'off', '--json', '--allow-query-token'], {
    cwd: emptyFolder(t),
    env: { JWT_SECRET: own },
  });
  t.after(() => running.child.kill('SIGKILL'));
  for (let waited = 0; !running.stdout().includes('\n') && waited < 100; waited++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  const { url, http } = JSON.parse(running.stdout()) as { url: string; http: string };
  const server = { url: url.replace(/\/ws$/, ''), httpUrl: http };
  await everywhere(server, jwt);
  await everywhere(server, forged);
  running.child.kill('SIGTERM');
  const { stdout, stderr } = await running.finished;
  assert.match(stderr, /draining/);
  for (const trace of [own, ...traces]) assert.ok(!(stdout + stderr).includes(trace), trace);
});
