// The runner: what is run again, what ends a run, and what it says meanwhile.
import assert from 'node:assert/strict';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { test } from 'node:test';
import type { RunEvent } from '../../lib/result/events.ts';
import { startRaw } from '../fixtures/raw-websocket.ts';
import { startEchoServer, startFaultyServer } from '../fixtures/server-process.ts';
import { idsOf, runCases, verdictsOf, wordOf } from './run-cases.ts';

/** An address at which nothing listens. */
async function closedPort(): Promise<string> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `ws://127.0.0.1:${port}/`;
}

test('verdicts come as events as they are settled, and all are in the result, in order', {
  timeout: 60_000,
}, async (t) => {
  const { url } = await startEchoServer(t, 'ws');
  const events: RunEvent[] = [];
  const ids = idsOf('1', '2', '7.7');
  const result = await runCases(url, ids, { onEvent: (event) => events.push(event) });
  assert.equal(result.outcome, 'passed');
  assert.deepEqual(
    verdictsOf(result).map(({ caseId }) => caseId),
    ids,
  );
  assert.deepEqual(
    events.map((event) => event.type === 'verdict' && [event.agent, event.done, event.total]),
    ids.map((_, index) => ['server', index + 1, ids.length]),
  );
  assert.equal(result.run.complete, true);
});

test('a case that fails beside others alone is run again without them, and the second verdict counts', {
  timeout: 60_000,
}, async (t) => {
  let open = 0;
  const { url } = await startRaw(t, {
    opened: (peer) => {
      open++;
      peer.socket.once('close', () => open--);
    },
    message: (peer, first, payload) => {
      if (open === 1) peer.send(first, payload);
    },
  });
  const result = await runCases(url, idsOf('1.1.1', '1.1.2', '1.1.3', '1.1.4'), { jobs: 4 });
  assert.deepEqual(
    verdictsOf(result).map((verdict) => `${wordOf(verdict)} ${verdict.repeated}`),
    ['OK/OK true', 'OK/OK true', 'OK/OK true', 'OK/OK true'],
  );
  const alone = await runCases(url, idsOf('1.1.1', '1.1.2'), { jobs: 1 });
  assert.deepEqual(
    verdictsOf(alone).map(({ repeated }) => repeated),
    [undefined, undefined],
  );
});

test('a server that cannot be reached has no verdicts: the run says so', { timeout: 20_000 }, async () => {
  const result = await runCases(await closedPort(), idsOf('1'));
  assert.deepEqual(
    result.reasons.map(({ code }) => code),
    ['unreachable'],
  );
  assert.deepEqual(verdictsOf(result), []);
  assert.equal(result.agents[0]?.notRun?.caseIds.length, 16);
  assert.match(result.agents[0]?.notRun?.reason ?? '', /ECONNREFUSED|refuse/i);
});

test('a server that goes away ends the run with the verdicts so far', { timeout: 60_000 }, async (t) => {
  const server = await startEchoServer(t, 'ws');
  let seen = 0;
  const result = await runCases(server.url, idsOf('1', '2', '6.5', '6.7', '7.7'), {
    jobs: 1,
    onEvent: () => {
      if (++seen === 10) void server.kill();
    },
  });
  const { verdicts = [], notRun } = result.agents[0] ?? {};
  assert.ok(verdicts.length >= 10 && verdicts.length < 49);
  assert.equal(verdicts.length + (notRun?.caseIds.length ?? 0), 49);
  assert.equal(result.run.complete, false);
  assert.equal(result.outcome, 'failed');
  assert.match(result.reasons.at(-1)?.message ?? '', /cases were not run/);
});

test('a server that stops answering handshakes ends the run with the verdicts so far', {
  timeout: 60_000,
}, async (t) => {
  const sockets = new Set<Socket>();
  const mute = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  await new Promise((resolve) => mute.once('listening', resolve));
  const { port } = mute.address() as AddressInfo;
  const result = await runCases(`ws://127.0.0.1:${port}/`, idsOf('*'), { jobs: 4 });
  const { notRun } = result.agents[0] ?? {};
  assert.match(notRun?.reason ?? '', /stopped answering/);
  assert.ok((notRun?.caseIds.length ?? 0) > 500);
  // The real suite's limit of 5 s, once beside others and once alone.
  assert.ok(result.run.durationMs < 20_000, `${result.run.durationMs} ms`);
});

test('a stopped run ends at once, with what it has', { timeout: 30_000 }, async (t) => {
  const { url } = await startEchoServer(t, 'ws');
  const stop = new AbortController();
  let done = 0;
  const result = await runCases(url, idsOf('1', '6.4'), {
    signal: stop.signal,
    onEvent: () => {
      if (++done === 16) stop.abort(new Error('SIGINT'));
    },
  });
  assert.equal(result.outcome, 'interrupted');
  assert.deepEqual(
    result.reasons.map(({ code }) => code),
    ['sigint'],
  );
  assert.deepEqual(result.agents[0]?.notRun?.caseIds, idsOf('6.4'));
});

test('with several runs of a case it is told how often each verdict came', { timeout: 60_000 }, async (t) => {
  let connections = 0;
  const { url } = await startRaw(t, {
    opened: () => {
      connections++;
    },
    message: (peer, first, payload) => peer.send(first, connections === 2 ? 'other' : payload),
  });
  const result = await runCases(url, idsOf('1.1.2'), { jobs: 1, repeat: 3 });
  const [verdict] = verdictsOf(result);
  assert.equal(verdict?.behavior, 'FAILED');
  assert.deepEqual(
    verdict?.flaky?.map(({ behavior, count }) => [behavior, count]),
    [
      ['OK', 2],
      ['FAILED', 1],
    ],
  );
  assert.deepEqual(
    result.warnings.map(({ code }) => code),
    ['flaky'],
  );
});

test('a failure says what was expected, what came, what went over the wire, and how to see it again', {
  timeout: 60_000,
}, async (t) => {
  const { url } = await startFaultyServer(t, 'empty-pong');
  const result = await runCases(url, idsOf('2.2'));
  const [verdict] = verdictsOf(result);
  assert.match(
    verdict?.expected ?? '',
    /^pong "Hello, world!"; then our close answered by 1000 or no code and the end of TCP/,
  );
  assert.match(verdict?.got ?? '', /^empty pong; the case was not over after 1 s; closed by us/);
  assert.equal(verdict?.reproduce, `wsbench conform ${url} 2.2`);
  assert.equal(verdict?.spec, 'RFC 6455 §5.5.2, §5.5.3');
  assert.deepEqual(
    verdict?.wire?.map(({ direction, text }) => `${direction} ${text}`),
    [
      'out ping frame, 13 bytes "Hello, world!"',
      'in pong frame, empty',
      'none the case was not over after 1 s',
      'out close frame, empty',
      'in close frame, empty',
      'none TCP was ended by the peer',
    ],
  );
});

test('a server that begins to close and never ends TCP does not keep the run waiting', {
  timeout: 60_000,
}, async (t) => {
  const { url } = await startFaultyServer(t, 'close-at-open');
  const { url: second } = await startFaultyServer(t, 'no-tcp-close');
  const result = await runCases(url, idsOf('5.3', '12.1.1'));
  assert.deepEqual(verdictsOf(result).map(wordOf), ['OK/FAILED', 'FAILED/FAILED']);
  const other = await runCases(second, idsOf('6.4.1'));
  assert.deepEqual(verdictsOf(other).map(wordOf), ['OK/FAILED BY CLIENT']);
  assert.match(verdictsOf(other)[0]?.got ?? '', /Autobahn would wait for ever/);
});

test('an id that names no case is an error of the user', async () => {
  await assert.rejects(runCases('ws://127.0.0.1:1/', ['8.1']), {
    code: 'USAGE',
    message: 'there is no case 8.1',
  });
});
