// The examples of target files, each against a server that speaks its protocol.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stress } from '../../lib/index.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { type ExampleServer, exampleServers, goodToken, spoken } from '../fixtures/example-servers.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';

const folder = fileURLToPath(new URL('../../../examples/targets/', import.meta.url));
const connections = 3;
const messages = 60;

/** Starts an example's server; a wrong path or no subprotocol gets no answer to anything. */
function start(t: TestContext, { talk, path, subprotocol }: ExampleServer): Promise<string> {
  return startTalkServer(
    t,
    (socket, request, onText) => {
      if (request.url !== path || socket.protocol !== (subprotocol ?? ''))
        return socket.close(1008, 'wrong door');
      onText(talk((message) => socket.send(spoken(message)), request.headers.cookie ?? ''));
    },
    {
      handleProtocols: (offered) =>
        subprotocol !== undefined && offered.has(subprotocol) ? subprotocol : false,
    },
  );
}

async function run(
  t: TestContext,
  name: string,
  options: { token?: string; variables?: Record<string, string> },
): Promise<StressResult> {
  const server = exampleServers[name];
  assert.ok(server, name);
  const url = await start(t, server);
  const { token, variables = {} } = options;
  return stress(url, {
    targetFile: `${folder}${name}.target.yml`,
    variables,
    ...(token === undefined ? {} : { tokens: [token] }),
    connections,
    ratePerSecond: 120,
    durationMs: 500,
    warmupMs: 0,
    connectTimeoutMs: 2000,
    timeoutMs: 2000,
  });
}

test('examples: each has a server here', () => {
  const files = readdirSync(folder).map((file) => file.replace('.target.yml', ''));
  assert.deepEqual(files.sort(), Object.keys(exampleServers).sort());
});

describe('examples', { concurrency: 3 }, () => {
  for (const name of Object.keys(exampleServers)) {
    test(`examples: ${name}, every message is matched`, { timeout: 30_000 }, async (t) => {
      const { counters, openAtEnd } = await run(t, name, { token: goodToken });
      assert.deepEqual(brokenIdentities(counters, openAtEnd), []);
      assert.equal(counters['connections.opened'], connections);
      assert.equal(counters['messages.matched'], messages, JSON.stringify(counters));
      for (const none of ['rejected', 'lost', 'late', 'duplicate', 'unexpected', 'corrupt'] as const) {
        assert.equal(counters[`messages.${none}`], 0, none);
      }
    });
  }

  for (const name of Object.keys(exampleServers)) {
    test(`examples: ${name}, a wrong token is refused while joining`, { timeout: 30_000 }, async (t) => {
      const { counters, outcome } = await run(t, name, { token: 'wrong-token' });
      assert.equal(counters['connections.opened'], 0);
      assert.equal(counters['connections.failed'], connections);
      assert.equal(counters['messages.sent'], 0);
      assert.equal(outcome, 'failed');
    });
  }

  for (const name of ['stomp', 'wamp', 'action-cable', 'centrifugo']) {
    test(`examples: ${name}, without a token`, { timeout: 30_000 }, async (t) => {
      const { counters } = await run(t, name, {});
      assert.equal(counters['messages.matched'], messages, JSON.stringify(counters));
    });
  }

  // biome-ignore format: a table
  const refusals: [name: string, variables: Record<string, string>, code: string][] = [
    ['wamp', { procedure: 'com.example.nope' }, 'wamp.error.no_such_procedure'],
    ['centrifugo', { channel: 'secret' }, '103'],
    ['slack-like', { channel: 'elsewhere' }, 'no_channel'],
  ];
  for (const [name, variables, code] of refusals) {
    test(`examples: ${name}, refusals find their requests, with their code`, {
      timeout: 30_000,
    }, async (t) => {
      const { counters, rejections } = await run(t, name, { token: goodToken, variables });
      assert.equal(counters['messages.rejected'], messages, JSON.stringify(counters));
      assert.deepEqual(rejections, [{ code, count: messages }]);
    });
  }
});
