// Tokens in all their places: put there, taken out, and refused by servers that we did not write, each in its own way.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { withoutCredentials, withToken } from '../../lib/checks/credentials.ts';
import { claimsOf, isJwt, withAlteredCharacter } from '../../lib/checks/forge.ts';
import type { QuickPlan } from '../../lib/checks/index.ts';
import { keepSecret, redactText } from '../../lib/result/redact.ts';
import { parseTokenPlace, type TokenPlace, type Upgrade } from '../../lib/target/credential.ts';
import { type Target, targetSchema } from '../../lib/target/target.ts';
import { createVerifier, mintToken } from '../../lib/token.ts';
import { planFor, quick, verdicts } from './quick-plan.ts';

const plain: Upgrade = {
  url: 'ws://h/ws?room=1',
  headers: [
    ['X-Trace', '7'],
    ['Cookie', 'lang=de'],
  ],
  subprotocols: ['chat.v1'],
};

const places = ['header', 'header:X-Auth-Token', 'query', 'query:key', 'cookie', 'cookie:sid', 'subprotocol'];
places.push('subprotocol:bearer,', 'subprotocol:v1.token.');

for (const text of places) {
  test(`${text}: a token is put in, replaced, and taken out`, () => {
    const place = parseTokenPlace(text);
    const first = withToken(plain, place, 'token-one');
    assert.match(JSON.stringify(first), /token-one/);
    const second = withToken(first, place, 'token-two');
    assert.match(JSON.stringify(second), /token-two/);
    assert.doesNotMatch(JSON.stringify(second), /token-one/);
    const bare = withoutCredentials(second, place);
    assert.doesNotMatch(JSON.stringify(bare), /token|bearer/);
    assert.match(bare.url, /room=1/);
    assert.deepEqual(bare.subprotocols, ['chat.v1']);
    assert.ok(bare.headers.some(([name]) => name === 'X-Trace'));
  });
}

test('whatever looks like a credential goes, wherever it is', () => {
  const given: Upgrade = {
    url: 'ws://user:secret@h/ws?access_token=secret&apikey=secret&room=1',
    headers: [
      ['authorization', 'Bearer secret'],
      ['Cookie', 'session=secret'],
      ['X-Api-Key', 'secret'],
      ['Origin', 'https://h'],
    ],
    subprotocols: ['chat.v1', 'bearer.secret', 'access_token', 'secret'],
  };
  assert.deepEqual(withoutCredentials(given, { in: 'message' }), {
    url: 'ws://h/ws?room=1',
    headers: [['Origin', 'https://h']],
    subprotocols: ['chat.v1'],
  });
});

test('a token that is no JWT is altered by one character, and then masked, too', () => {
  assert.equal(isJwt('opaque-token-0123456789'), false);
  const altered = withAlteredCharacter('opaque-token-0123456789');
  assert.equal(altered.length, 'opaque-token-0123456789'.length);
  assert.notEqual(altered, 'opaque-token-0123456789');
  assert.equal(redactText(`got ${altered}`), 'got [redacted]');
});

const secret = 'a secret of more than thirty-two bytes';
const verify = createVerifier({ secret });
const isGood = async (token: string | undefined): Promise<boolean> =>
  token !== undefined && (await verify(token)).ok;

/** How a server says no. */
type Manner = '401' | '403' | '404' | 'close' | 'crash' | 'message' | 'never';

function tokenIn(request: IncomingMessage, place: TokenPlace): string | undefined {
  const { headers, url = '' } = request;
  switch (place.in) {
    case 'header':
      return headers.authorization?.slice('Bearer '.length);
    case 'query':
      return new URL(url, 'ws://h').searchParams.get('token') ?? undefined;
    case 'cookie':
      return /(?:^|; )token=([^;]+)/.exec(headers.cookie ?? '')?.[1];
    case 'subprotocol':
      return /bearer\.([^,\s]+)/.exec(headers['sec-websocket-protocol'] ?? '')?.[1];
    case 'message':
      return undefined;
  }
}

/** A server on ws that wants a token at a place and refuses in one manner; then it answers by id. */
async function guarded(t: TestContext, place: TokenPlace, manner: Manner): Promise<string> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: (offered) => (offered.has('chat.v1') ? 'chat.v1' : false),
    verifyClient: ({ req }: { req: IncomingMessage }, done: (ok: boolean, status?: number) => void) => {
      if (place.in === 'message' || !/^\d/.test(manner)) return done(true);
      void isGood(tokenIn(req, place)).then((ok) => done(ok, Number(manner)));
    },
  });
  server.on('connection', (socket, request) => {
    socket.on('error', () => {});
    if (place.in === 'message') return listen(socket, manner);
    // What comes before the verdict is kept.
    const queue: string[] = [];
    let admitted = false;
    socket.on('message', (data) => {
      if (admitted) socket.send(String(data));
      else queue.push(String(data));
    });
    void isGood(tokenIn(request, place)).then((ok) => {
      if (!ok && manner !== 'never') return refuse(socket, manner);
      admitted = true;
      for (const text of queue) socket.send(text);
    });
  });
  await once(server, 'listening');
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/chat`;
}

function refuse(socket: WebSocket, manner: Manner): void {
  if (manner === 'close') socket.close(4401, 'who are you?');
  if (manner === 'crash') socket.close(1011);
  if (manner === 'message') socket.send('{"type":"denied"}');
}

/** Authentication by the first message. */
function listen(socket: WebSocket, manner: Manner): void {
  let admitted = false;
  const patience = setTimeout(() => {
    if (!admitted) refuse(socket, manner);
  }, 100);
  socket.on('close', () => clearTimeout(patience));
  socket.on('message', (data) => {
    const { type, token } = JSON.parse(String(data)) as { type?: string; token?: string };
    if (admitted) socket.send(String(data));
    if (type !== 'login') return;
    void isGood(token).then((ok) => {
      if (!ok && manner !== 'never') return refuse(socket, manner);
      admitted = true;
      socket.send('{"type":"welcome"}');
    });
  });
}

/** How such a server is described. */
function describedAt(place: TokenPlace): Target {
  const message = {
    send: { type: 'login', token: '{{ token }}' },
    expect: { pointer: '/type', equals: 'welcome' },
    refuse: { pointer: '/type', equals: 'denied' },
  };
  return targetSchema.parse({
    name: 'guarded',
    connect: { subprotocols: ['chat.v1'] },
    auth: { in: place.in, required: true, ...(place.in === 'message' ? { message } : {}) },
    request: { id: '{{ id }}' },
    match: { by: 'id', pointer: '/id' },
  });
}

const auth = ['auth-missing', 'auth-expired', 'auth-signature', 'auth-none'];

async function authVerdicts(
  t: TestContext,
  place: TokenPlace,
  manner: Manner,
  changes: Partial<QuickPlan> = {},
): Promise<Record<string, string>> {
  const url = await guarded(t, place, manner);
  const plan = planFor(url, {
    target: describedAt(place),
    tokenPlace: place,
    subprotocols: ['chat.v1'],
    checks: ['connect', 'request', 'simultaneous', 'bad-frame', ...auth],
    mint: (options) => mintToken({ secret }, options),
    timeoutMs: 600,
    connections: 4,
    ...changes,
  });
  return verdicts((await quick(plan)).result);
}

describe('against servers that refuse in their own way', { concurrency: 5 }, () => {
  for (const name of ['header', 'query', 'cookie', 'subprotocol', 'message'] as const) {
    const place: TokenPlace = { in: name };
    test(`${name}: tokens get in, and none, expired, forged and unsigned ones do not`, {
      timeout: 30_000,
    }, async (t) => {
      for (const manner of name === 'message'
        ? (['close', 'message'] as const)
        : (['401', '403', 'close'] as const)) {
        const seen = await authVerdicts(t, place, manner);
        const expected = ['connect', 'request', 'simultaneous', 'bad-frame', ...auth];
        // By message, who says nothing at all is told nothing either: only a close ends that.
        const open = name === 'message' && manner === 'message' ? ['auth-missing'] : [];
        for (const id of expected) {
          if (open.includes(id)) assert.match(seen[id] ?? '', /stayed open for 600 ms/, `${id}, ${manner}`);
          else assert.equal(seen[id], 'passed', `${id}, ${manner}`);
        }
      }
    });

    test(`${name}: a server that lets anybody in is found out`, { timeout: 30_000 }, async (t) => {
      const seen = await authVerdicts(t, place, 'never');
      const words = name === 'message' ? /opened/ : /the connection was opened and stayed open for 600 ms/;
      for (const id of auth) assert.match(seen[id] ?? '', words, id);
    });
  }

  test('other manners of refusing are no refusal, and said as what they are', {
    timeout: 30_000,
  }, async (t) => {
    const missing = await authVerdicts(t, { in: 'header' }, '404', { checks: ['auth-missing'] });
    assert.match(missing['auth-missing'] ?? '', /expected HTTP 401 or 403, .* for no token; got HTTP 404/);
    const crash = await authVerdicts(t, { in: 'header' }, 'crash', { checks: ['auth-missing'] });
    assert.match(crash['auth-missing'] ?? '', /got close code 1011/);
  });

  test('with a token and no key: what needs one is skipped, claims of the token are kept where there is one', {
    timeout: 30_000,
  }, async (t) => {
    const token = await mintToken({ secret }, { sub: 'alice', claims: { plan: 'gold' } });
    const url = await guarded(t, { in: 'header' }, '401');
    const plan = planFor(url, { target: describedAt({ in: 'header' }), checks: auth, token, timeoutMs: 600 });
    const { result } = await quick(plan);
    assert.deepEqual(verdicts(result), {
      'auth-missing': 'passed',
      'auth-expired': 'skipped',
      'auth-signature': 'passed',
      'auth-none': 'passed',
    });
    const minted: unknown[] = [];
    const mint = async (options: Parameters<typeof mintToken>[1]): Promise<string> => {
      const made = await mintToken({ secret }, options);
      minted.push(claimsOf(made));
      return made;
    };
    await quick({ ...plan, mint, only: ['auth-expired'] });
    assert.deepEqual(
      minted.map((claims) => [(claims as { sub: string }).sub, (claims as { plan: string }).plan]),
      [['alice', 'gold']],
    );
  });

  test('the subprotocol that carries the token must not come back', { timeout: 30_000 }, async (t) => {
    for (const [select, verdict] of [
      ['chat.v1', 'passed'],
      ['bearer.', /expected a real subprotocol selected, or none; got the one that carries the credential/],
    ] as const) {
      const server = new WebSocketServer({
        host: '127.0.0.1',
        port: 0,
        handleProtocols: (offered) => [...offered].find((name) => name.startsWith(select)) ?? false,
      });
      await once(server, 'listening');
      t.after(() => server.close());
      const plan = planFor(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
        target: describedAt({ in: 'subprotocol' }),
        tokenPlace: { in: 'subprotocol' },
        subprotocols: ['chat.v1'],
        only: ['auth-subprotocol'],
        token: await mintToken({ secret }),
        timeoutMs: 600,
      });
      const { result } = await quick(plan);
      const seen = verdicts(result)['auth-subprotocol'] ?? '';
      if (verdict === 'passed') assert.equal(seen, verdict);
      else assert.match(seen, verdict);
      assert.doesNotMatch(JSON.stringify(result), /eyJ/);
    }
  });

  test('a described refresh: taken, refused, overlooked', { timeout: 40_000 }, async (t) => {
    const described = targetSchema.parse({
      name: 'renewing',
      auth: {
        in: 'query',
        refresh: {
          when: { pointer: '/type', equals: 'expiring' },
          send: { type: 'renew', token: '{{ token }}' },
          expect: { pointer: '/type', equals: 'renewed' },
          refuse: { pointer: '/type', equals: 'denied' },
        },
      },
      request: { id: '{{ id }}' },
      match: { by: 'id', pointer: '/id' },
    });
    /** Renews or not, and ends connections when their token does. */
    const serve = async (renews: 'yes' | 'no' | 'only in words' | 'silently'): Promise<string> => {
      const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
      server.on('connection', (socket, request) => {
        socket.on('error', () => {});
        const endOf = (token: string): number => Number(claimsOf(token).exp) * 1000 - Date.now();
        const close = (): void => socket.close(4401, 'expired');
        let end = setTimeout(close, endOf(tokenIn(request, { in: 'query' }) ?? ''));
        if (renews !== 'silently') socket.send('{"type":"expiring"}');
        socket.on('close', () => clearTimeout(end));
        socket.on('message', (data) => {
          const { type, token = '' } = JSON.parse(String(data)) as { type?: string; token?: string };
          if (type !== 'renew') return socket.send(data, { binary: false });
          if (renews === 'no') return socket.send('{"type":"denied"}');
          socket.send('{"type":"renewed"}');
          if (renews === 'only in words') return;
          clearTimeout(end);
          end = setTimeout(close, endOf(token));
        });
      });
      await once(server, 'listening');
      t.after(() => {
        for (const socket of server.clients) socket.terminate();
        server.close();
      });
      return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    };
    const cases = [
      ['yes', /^passed$/],
      ['no', /a fresh token of the same subject to be taken; got "\{\\"type\\":\\"denied\\"\}"/],
      ['only in words', /live on after the end of the first token; got close code 4401 \(expired\)/],
      ['silently', /a word before a token of 3 s ends; got close code 4401/],
    ] as const;
    await Promise.all(
      cases.map(async ([renews, verdict]) => {
        const plan = planFor(await serve(renews), {
          target: described,
          tokenPlace: { in: 'query' },
          only: ['auth-refresh'],
          mint: (options) => mintToken({ secret }, options),
          timeoutMs: 1000,
        });
        assert.match(verdicts((await quick(plan)).result)['auth-refresh'] ?? '', verdict, renews);
      }),
    );
  });

  test('a server that sends tokens back: none of them is in any result', { timeout: 30_000 }, async (t) => {
    const opaque = 'canary-6a1f-7be2-opaque-0123456789abcdef';
    const jwt = await mintToken({ secret }, { sub: 'canary-subject' });
    for (const token of [opaque, jwt]) {
      keepSecret(token);
      const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
      server.on('connection', (socket, { headers }) => {
        socket.on('error', () => {});
        const given = String(headers.authorization).slice('Bearer '.length);
        socket.on('message', () => {
          // So that a cut after 80 characters falls within the token.
          socket.send(`${'.'.repeat(55)} ${given}`);
          socket.close(4000);
        });
      });
      await once(server, 'listening');
      t.after(() => server.close());
      const plan = planFor(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/?token=${token}`, {
        target: { ...describedAt({ in: 'header' }), echoes: true, match: { by: 'order' } },
        token,
        timeoutMs: 300,
        reproduceBase: `wsbench quick --token ${token}`,
      });
      const { result, events } = await quick(plan);
      const said = JSON.stringify([result, events]);
      assert.ok(
        result.checks.some(({ detail }) => detail.includes('byte by byte')),
        said,
      );
      const [, , signature = ''] = token.split('.');
      for (const secretPart of [token, token.slice(0, 24), signature].filter(Boolean)) {
        assert.ok(!said.includes(secretPart), secretPart);
      }
    }
  });
});
