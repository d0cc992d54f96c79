// The runner: what it selects, skips, bounds and keeps, with checks made for the purpose and with servers that refuse.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { type Check, failed, passed } from '../../lib/checks/check.ts';
import { allChecks, type QuickPlan } from '../../lib/checks/index.ts';
import { run } from '../../lib/checks/run.ts';
import { connect } from '../../lib/checks/suite/connect.ts';
import { exitCode } from '../../lib/result/exit-code.ts';
import type { QuickResult } from '../../lib/result/result.ts';
import { planFor, preset, quick, verdicts } from './quick-plan.ts';

/** A check that does nothing but what it is told to. */
function fake(id: string, changes: Partial<Check<boolean>> = {}): Check {
  const check: Check<boolean> = {
    id,
    title: id,
    tags: [],
    needs: [],
    impact: 'none',
    dependsOn: [],
    run: async () => true,
    judge: (good) => (good ? passed('fine') : failed('good', 'bad')),
    ...changes,
  };
  return check as Check;
}

async function runFakes(
  t: TestContext,
  checks: Check[],
  changes: Partial<QuickPlan> = {},
  signal = new AbortController().signal,
): Promise<QuickResult> {
  const url = changes.url ?? (await plainServer(t));
  const runner = run(
    [connect as Check, ...checks],
    planFor(url, { checks: checks.map(({ id }) => id), ...changes }),
    signal,
  );
  for (;;) {
    const step = await runner.next();
    if (step.done) return step.value;
  }
}

async function plainServer(t: TestContext): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  t.after(() => server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test('dependants of a failed check are skipped, however far away', { timeout: 10_000 }, async (t) => {
  const result = await runFakes(t, [
    fake('a', { run: async () => false }),
    fake('b', { dependsOn: ['a'] }),
    fake('c', { dependsOn: ['b'] }),
    fake('d'),
  ]);
  assert.deepEqual(
    result.checks.map(({ id, status, detail }) => [id, status, detail]),
    [
      ['a', 'failed', 'expected good; got bad'],
      ['b', 'skipped', 'depends on a, which failed'],
      ['c', 'skipped', 'depends on a, which failed'],
      ['d', 'passed', 'fine'],
    ],
  );
  assert.equal(result.outcome, 'failed');
  assert.deepEqual(result.reasons, [{ code: 'check', message: 'a: expected good; got bad' }]);
  assert.equal(exitCode(result), 1);
});

test('a failure says how to reproduce it, without the token', { timeout: 10_000 }, async (t) => {
  const base = 'wsbench quick ws://127.0.0.1/ws?token=abc --token eyJhbGciOi.eyJzdWIiOi.c2ln';
  const result = await runFakes(t, [fake('a', { run: async () => false })], { reproduceBase: base });
  const reproduce = result.checks[0]?.reproduce ?? '';
  assert.match(reproduce, /^wsbench quick ws:\/\/127\.0\.0\.1\/ws\?token=\[redacted\] .* --only a$/);
  assert.doesNotMatch(JSON.stringify(result), /eyJhbGciOi|token=abc/);
});

test('bursts run last', { timeout: 10_000 }, async (t) => {
  const result = await runFakes(t, [
    fake('a', { impact: 'burst' }),
    fake('b'),
    fake('c', { impact: 'burst' }),
  ]);
  assert.deepEqual(
    result.checks.map(({ id }) => id),
    ['b', 'a', 'c'],
  );
});

test('a check that throws has failed, and the run goes on', { timeout: 10_000 }, async (t) => {
  const result = await runFakes(t, [
    fake('a', {
      run: async () => {
        throw new Error('boom');
      },
    }),
    fake('b'),
  ]);
  assert.deepEqual(verdicts(result), {
    a: 'failed: expected the check to run to its end; got boom',
    b: 'passed',
  });
});

test('a check that does not end is ended at its deadline', { timeout: 10_000 }, async (t) => {
  const result = await runFakes(t, [
    fake('a', { run: () => new Promise<boolean>(() => {}), deadlineMs: () => 100 }),
    fake('b'),
  ]);
  assert.deepEqual(verdicts(result), {
    a: 'failed: expected the check to end within 100 ms; got it was still waiting',
    b: 'passed',
  });
});

for (const [reason, code, exit] of [
  ['SIGINT', 'sigint', 130],
  ['SIGTERM', 'sigterm', 143],
  [undefined, 'aborted', 130],
] as const) {
  test(`aborted by ${reason ?? 'the caller'}: finished checks are kept`, { timeout: 10_000 }, async (t) => {
    const controller = new AbortController();
    const result = await runFakes(
      t,
      [
        fake('a'),
        fake('b', {
          run: () => {
            controller.abort(reason);
            return new Promise<boolean>(() => {});
          },
        }),
        fake('c'),
      ],
      {},
      controller.signal,
    );
    assert.deepEqual(
      result.checks.map(({ id }) => id),
      ['a'],
    );
    assert.equal(result.run.complete, false);
    assert.equal(result.outcome, 'interrupted');
    assert.deepEqual(
      result.reasons.map((one) => one.code),
      [code],
    );
    assert.equal(exitCode(result), exit);
  });
}

test('--only takes ids and globs, and checks that are not listed', { timeout: 20_000 }, async (t) => {
  const checks = [fake('auth-one'), fake('auth-two'), fake('echo-one')];
  const only = async (...patterns: string[]): Promise<string[]> =>
    (await runFakes(t, checks, { only: patterns })).checks.map(({ id }) => id);
  assert.deepEqual(await only('auth-*'), ['auth-one', 'auth-two']);
  assert.deepEqual(await only('echo-one', 'auth-t?o'), ['auth-two', 'echo-one']);
  assert.deepEqual(await only('conn*'), ['connect']);
});

test('a run in which nothing was judged says so', { timeout: 20_000 }, async (t) => {
  const checks = [fake('one', { needs: ['token'] }), fake('two')];
  const none = await runFakes(t, checks, { only: ['one'] });
  assert.deepEqual(none.warnings, [
    { code: 'nothing-checked', message: 'nothing was checked: the only check was skipped' },
  ]);
  assert.equal(exitCode(none), 0);
  assert.deepEqual((await runFakes(t, checks, {})).warnings, []);
});

test('what names no check is refused before anything is sent', { timeout: 10_000 }, async (t) => {
  const checks = [fake('echo'), fake('heartbeat')];
  await assert.rejects(runFakes(t, checks, { url: 'ws://127.0.0.1:1/', only: ['hearbeat'] }), {
    code: 'USAGE',
    message: /--only hearbeat: .*nearest: heartbeat/,
  });
  await assert.rejects(runFakes(t, checks, { url: 'ws://127.0.0.1:1/', checks: ['ecco'] }), {
    code: 'CONFIG',
    message: /"ecco"; nearest: echo/,
  });
  await assert.rejects(runFakes(t, checks, { url: 'ws://127.0.0.1:1/', checks: [] }), { code: 'USAGE' });
});

test('a burst on another machine needs --intrusive', { timeout: 10_000 }, async (t) => {
  const url = (await plainServer(t)).replace('127.0.0.1', '0.0.0.0');
  const checks = [fake('a', { impact: 'burst' }), fake('b', { impact: 'destructive' }), fake('c')];
  const careful = await runFakes(t, checks, { url });
  assert.deepEqual(verdicts(careful), { c: 'passed', a: 'skipped', b: 'skipped' });
  assert.match(careful.checks[1]?.detail ?? '', /needs --intrusive/);
  const bold = await runFakes(t, checks, { url, intrusive: true });
  assert.deepEqual(verdicts(bold), { c: 'passed', a: 'passed', b: 'passed' });
});

test('skips say exactly what is missing', { timeout: 10_000 }, async (t) => {
  const url = await plainServer(t);
  const detailOf = async (id: string, changes: Partial<QuickPlan>): Promise<string | undefined> => {
    const { result } = await quick(planFor(url, { only: [id], timeoutMs: 100, ...changes }));
    return result.checks.find((check) => check.id === id)?.detail;
  };
  const wsbench = { target: preset('wsbench') };
  const skips: readonly [id: string, changes: Partial<QuickPlan>, detail: string][] = [
    ['echo', {}, 'needs a target that echoes: --preset echo or wsbench, or --target with echoes: true'],
    ['request', {}, 'needs a description of the target: --preset or --target'],
    [
      'heartbeat',
      { target: preset('echo') },
      'needs heartbeat.every and heartbeat.send in the description of the target (--target)',
    ],
    ['message-too-large', {}, 'needs --preset wsbench, or --target with limits.size'],
    ['rate-limit-messages', {}, 'needs --preset wsbench, or --target with limits.messages'],
    ['auth-missing', {}, 'needs --preset wsbench, or --target with auth.required: true'],
    ['auth-refresh', {}, 'needs --preset wsbench, or --target with auth.refresh'],
    [
      'auth-subprotocol',
      {},
      'needs --preset wsbench, or a token that travels as subprotocol: --token-in subprotocol',
    ],
    ['dashboard-connect', {}, 'needs --preset wsbench'],
    [
      'dashboard-connect',
      { target: preset('echo') },
      'is about the wsbench protocol, which echo does not speak',
    ],
  ];
  for (const [id, changes, detail] of skips) assert.equal(await detailOf(id, changes), detail);
  // Nothing greets here: what depends on connect is skipped for that before anything else.
  assert.equal(await detailOf('heartbeat', wsbench), 'depends on connect, which failed');
});

test('the target is never reached: one reason, nothing is judged', { timeout: 30_000 }, async (t) => {
  const closed = createTcpServer();
  closed.listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  const refused = await quick(planFor(`ws://127.0.0.1:${port}/ws`));
  assert.deepEqual(
    refused.result.reasons.map(({ code }) => code),
    ['unreachable'],
  );
  assert.match(refused.result.reasons[0]?.message ?? '', /connection refused.*ECONNREFUSED/);
  assert.equal(exitCode(refused.result), 3);
  assert.ok(refused.result.checks.slice(1).every(({ status }) => status === 'skipped'));

  const dns = await quick(planFor('ws://no-such-host.invalid/ws', { timeoutMs: 5000, only: ['echo'] }));
  assert.deepEqual(
    dns.result.reasons.map(({ code }) => code),
    ['unreachable'],
  );

  const notTls = await quick(planFor((await plainServer(t)).replace('ws:', 'wss:'), { only: ['connect'] }));
  assert.deepEqual(
    notTls.result.reasons.map(({ code }) => code),
    ['unreachable'],
  );
  assert.match(
    notTls.result.reasons[0]?.message ?? '',
    /TLS failed: .*wrong version number \(the port speaks plain text: use ws:\/\/\)/,
  );
});

for (const [status, says] of [
  [200, /HTTP 200 .*an HTTP page, not a WebSocket endpoint/],
  [301, /HTTP 301 .*redirects are not followed/],
  [401, /HTTP 401 .*wants a credential, or refused this one: --token/],
  [403, /HTTP 403 .*forbids/],
  [404, /HTTP 404 .*no WebSocket at this path/],
  [429, /HTTP 429 X; Retry-After: 60; body: no \(the target limits upgrades: .*; it asks to wait 1 m\)/],
  [500, /HTTP 500 .*failed/],
] as const) {
  test(`HTTP ${status} at the handshake fails connect, and says what to do`, {
    timeout: 10_000,
  }, async (t) => {
    const server = createHttpServer();
    const answer = `HTTP/1.1 ${status} X\r\nRetry-After: 60\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno`;
    server.on('upgrade', (_request, socket) => socket.end(answer));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { result } = await quick(planFor(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`));
    const [first, ...others] = result.checks;
    assert.equal(first?.id, 'connect');
    assert.equal(first?.status, 'failed');
    assert.match(first?.got ?? '', says);
    assert.ok(others.every(({ detail }) => detail === 'depends on connect, which failed'));
    assert.deepEqual(
      result.reasons.map(({ code }) => code),
      ['check'],
    );
  });
}

test('a peer that is there and says nothing has been reached', { timeout: 20_000 }, async (t) => {
  const sockets: import('node:net').Socket[] = [];
  const silent = createTcpServer((socket) => sockets.push(socket));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const url = `ws://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
  const { result } = await quick(planFor(url, { timeoutMs: 300, only: ['connect'] }));
  assert.match(result.checks[0]?.got ?? '', /^no HTTP answer to the upgrade within 300 ms \(TCP connects/);
  assert.deepEqual(
    result.reasons.map(({ code }) => code),
    ['check'],
  );
});

test('every check has a place, a known dependency and its own id', () => {
  const ids = allChecks.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const { id, dependsOn, tags } of allChecks) {
    assert.match(id, /^[a-z]+(-[a-z]+)*$/);
    assert.ok(tags.includes('quick'), id);
    for (const other of dependsOn) {
      assert.ok(ids.indexOf(other) >= 0 && ids.indexOf(other) < ids.indexOf(id), `${id} depends on ${other}`);
    }
    if (id !== 'connect') assert.ok(dependsOn.includes('connect'), id);
  }
});
