// The reference server with other limits and credentials: what is left out, and what is said of it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { WebSocketServer } from 'ws';
import type { Check } from '../../lib/checks/check.ts';
import type { Facts } from '../../lib/checks/facts.ts';
import { allChecks, type QuickPlan } from '../../lib/checks/index.ts';
import { readEnvelope, readWelcome } from '../../lib/checks/message.ts';
import { serverPing } from '../../lib/checks/suite/server-ping.ts';
import { quickScenarioSchema } from '../../lib/scenario/scenario.ts';
import { parseYaml } from '../../lib/yaml.ts';
import { createServer, type ReferenceServer, type ServerOptions } from '../../reference-server/index.ts';
import { planFor, preset, quick, verdicts } from './quick-plan.ts';

const secret = 'a secret of more than thirty-two bytes';

/** Limits on messages are tried with subjects of the check's own, where they are ours. */
const needsMint = ({ needs }: Check): boolean => needs.includes('mint') || needs.includes('rate');

/** What is said of each check that did not pass. */
async function remaining(
  t: TestContext,
  options: ServerOptions,
  changes: (server: ReferenceServer) => Promise<Partial<QuickPlan>> | Partial<QuickPlan>,
): Promise<Record<string, string>> {
  const server = await createServer({ environment: 'test', drainTimeoutMs: 200, ...options });
  t.after(() => server.close());
  const url = `${await server.listen()}/ws`;
  // What waits for heartbeats is tested elsewhere.
  const checks = allChecks.map(({ id }) => id).filter((id) => id !== 'server-ping');
  const plan = planFor(url, {
    target: preset('wsbench'),
    embedded: true,
    checks,
    ...(await changes(server)),
  });
  const { result } = await quick(plan);
  assert.equal(result.outcome, 'passed', JSON.stringify(result.reasons));
  return Object.fromEntries(
    result.checks.filter(({ status }) => status !== 'passed').map(({ id, detail }) => [id, detail]),
  );
}

describe('the reference server, configured otherwise', { concurrency: 4 }, () => {
  test('limits off: the checks of limits are left out, all others pass', { timeout: 20_000 }, async (t) => {
    const rest = await remaining(t, { limits: 'off', secret }, (server) => ({
      mint: (options) => server.mint(options),
    }));
    const expected = allChecks.map(({ id }) => id).filter((id) => id.startsWith('rate-limit-'));
    assert.deepEqual(rest, Object.fromEntries(expected.map((id) => [id, 'limits are off (off)'])));
  });

  test('a token and no key: what needs fresh tokens is left out, all others pass', {
    timeout: 20_000,
  }, async (t) => {
    const rest = await remaining(t, { secret }, async (server) => ({ token: await server.mint() }));
    const expected = allChecks.filter(needsMint).map(({ id }) => id);
    assert.ok(expected.length > 3);
    const reason = 'needs a key to mint tokens: --secret or --key';
    assert.deepEqual(rest, Object.fromEntries(expected.map((id) => [id, reason])));
  });

  test('no credential at all: what anybody may do is checked', { timeout: 20_000 }, async (t) => {
    const rest = await remaining(t, {}, () => ({}));
    for (const check of allChecks) {
      const { id, needs } = check;
      const expected = needsMint(check)
        ? 'needs a key to mint tokens: --secret or --key'
        : needs.includes('token') || needs.includes('jwt')
          ? 'needs a token: --token, or a key to mint one: --secret or --key'
          : undefined;
      assert.equal(rest[id], expected, id);
    }
  });

  test('the raw echo endpoint passes as an echo', { timeout: 20_000 }, async (t) => {
    const server = await createServer({ environment: 'test' });
    t.after(() => server.close());
    const url = `${await server.listen()}/ws/echo`;
    const { result } = await quick(planFor(url, { target: preset('echo') }));
    const passed = result.checks.filter(({ status }) => status === 'passed').map(({ id }) => id);
    assert.deepEqual(passed, [
      'connect',
      'ping-frame',
      'echo',
      'request',
      'simultaneous',
      'clean-close',
      'bad-frame',
    ]);
    assert.equal(result.outcome, 'passed');
  });

  for (const [place, changes] of [
    ['query', {}],
    ['subprotocol', { subprotocols: ['wsbench.v1'] }],
    ['cookie', { headers: { Origin: 'https://app.example' } }],
    ['message', {}],
  ] as const) {
    test(`tokens in ${place}: every check that needs one goes on with it`, { timeout: 20_000 }, async (t) => {
      const server = await createServer({
        environment: 'test',
        limits: 'off',
        secret,
        allowedOrigins: ['https://app.example'],
        drainTimeoutMs: 200,
      });
      t.after(() => server.close());
      const slow = ['server-ping', 'auth-refresh'];
      const plan = planFor(`${await server.listen()}/ws`, {
        target: preset('wsbench'),
        embedded: true,
        checks: allChecks.map(({ id }) => id).filter((id) => !slow.includes(id) && !id.startsWith('rate-')),
        mint: (options) => server.mint(options),
        tokenPlace: { in: place },
        ...changes,
      });
      const { result } = await quick(plan);
      assert.deepEqual(new Set(Object.values(verdicts(result))), new Set(['passed']));
    });
  }

  test('a URL from which no sibling can be derived: the skip asks for another', {
    timeout: 20_000,
  }, async (t) => {
    const greeter = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    const payload = {
      roles: [],
      heartbeat: { intervalMs: 1000, timeoutMs: 1000 },
      limits: { name: 'off' },
      maxMessageBytes: 1,
    };
    greeter.on('connection', (socket) => socket.send(JSON.stringify({ type: 'WELCOME', payload })));
    await once(greeter, 'listening');
    t.after(() => greeter.close());
    const url = `ws://127.0.0.1:${(greeter.address() as AddressInfo).port}/socket`;
    const { result } = await quick(planFor(url, { target: preset('wsbench'), only: ['heartbeat'] }));
    assert.match(result.checks[0]?.detail ?? '', /^needs the URL of the \/ws endpoint/);
  });
});

test('a long heartbeat is waited for only when it is asked for', () => {
  const facts = (intervalMs: number, asked: boolean): Facts => {
    const payload = {
      roles: [],
      heartbeat: { intervalMs, timeoutMs: 1000 },
      limits: { name: 'off' },
      maxMessageBytes: 1,
    };
    const welcome = readWelcome(readEnvelope(JSON.stringify({ type: 'WELCOME', payload })) ?? never());
    return {
      target: preset('wsbench'),
      speaks: 'wsbench',
      welcome: welcome ?? never(),
      timeoutMs: 1000,
      asked,
    };
  };
  assert.equal(serverPing.skipIf?.(facts(1000, false)), undefined);
  assert.equal(serverPing.skipIf?.(facts(4000, false)), undefined);
  assert.match(serverPing.skipIf?.(facts(4001, false)) ?? '', /^takes 10 s .*--only server-ping$/);
  assert.equal(serverPing.skipIf?.(facts(25_000, true)), undefined);
});

test('the shipped scenario names every check, in order', () => {
  const file = new URL('../../../scenarios/quick.yml', import.meta.url);
  const scenario = parseYaml(readFileSync(file, 'utf8'), quickScenarioSchema, 'quick.yml');
  assert.deepEqual(
    scenario.checks,
    allChecks.map(({ id }) => id),
  );
  assert.equal(scenario.timeout, 5000);
});

function never(): never {
  throw new Error('a test that is written wrongly');
}
