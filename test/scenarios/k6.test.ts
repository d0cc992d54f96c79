import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type WebSocket, WebSocketServer } from 'ws';
import { type K6Outcome, runK6Script } from '../fixtures/k6-run.ts';
import { skipUnless } from '../require.ts';

const script = new URL('../../../scenarios/k6/stress.js', import.meta.url);
const timeout = 60_000;

/** A server that hands every text message to `answer`, together with the number of its connection. */
async function serve(
  t: TestContext,
  answer: (socket: WebSocket, text: string, connection: number) => void,
  opened: (socket: WebSocket, request: IncomingMessage) => void = () => {},
): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  let connections = 0;
  server.on('connection', (socket, request) => {
    const connection = connections++;
    opened(socket, request);
    socket.on('message', (data) => answer(socket, String(data), connection));
  });
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const numberOf = (id: string): number => Number(/^k6-(\d{9})$/.exec(id)?.[1]);
const brief = {
  SETTLE: '300ms',
  WARMUP: '200ms',
  DURATION: '1s',
  TIMEOUT: '400ms',
  CONNECTIONS: '4',
  RATE: '100',
};

function counts({ samples }: K6Outcome): Record<string, number> {
  const names = [
    'scheduled',
    'sent',
    'unsent',
    'matched',
    'rejected',
    'lost',
    'corrupt',
    'late',
    'unexpected',
  ];
  return Object.fromEntries(
    names.map((name) => [name, (samples.get(`wsb_${name}`) ?? []).reduce((sum, value) => sum + value, 0)]),
  );
}

const trues = (samples: number[] | undefined): number => samples?.filter((value) => value === 1).length ?? 0;

test('raw echo: every message of the schedule once, on its connection, warm-up not counted', {
  timeout,
}, async (t) => {
  const seen: number[][] = [];
  const url = await serve(t, (socket, text, connection) => {
    seen[connection] ??= [];
    seen[connection]?.push(numberOf(text.split(' ')[1] ?? ''));
    assert.equal(text.length, 64);
    socket.send(text);
  });
  const outcome = await runK6Script(script, {
    ...brief,
    URL: url,
    PRESET: 'echo',
    SIZE: '64',
    RATE: '100/s',
  });
  assert.deepEqual(counts(outcome), {
    scheduled: 100,
    sent: 100,
    unsent: 0,
    matched: 100,
    rejected: 0,
    lost: 0,
    corrupt: 0,
    late: 0,
    unexpected: 0,
  });
  assert.deepEqual(
    seen.flat().sort((a, b) => a - b),
    Array.from({ length: 120 }, (_, index) => index),
  );
  for (const numbers of seen) {
    assert.equal(new Set(numbers.map((k) => k % 4)).size, 1, 'message k goes on connection k mod 4');
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
      'in order',
    );
  }
  const { samples } = outcome;
  assert.deepEqual([trues(samples.get('wsb_connect_ok')), samples.get('wsb_connect_ok')?.length], [4, 4]);
  assert.deepEqual([trues(samples.get('wsb_ok')), samples.get('wsb_ok')?.length], [100, 100]);
  const rtts = samples.get('wsb_rtt') ?? [];
  const services = samples.get('wsb_service') ?? [];
  assert.equal(rtts.length, 100);
  assert.equal(services.length, 100);
  assert.ok(
    rtts.every((value, index) => value >= (services[index] ?? Number.NaN)),
    'counted from when it was due',
  );
  assert.ok(
    (samples.get('wsb_send_lag') ?? []).every((value) => value >= 0),
    'never sent before it was due',
  );
});

test('typed messages: refused, lost, late, corrupt and unexpected ones are told apart; PING is answered', {
  timeout,
}, async (t) => {
  const pongs: string[] = [];
  const tokens: (string | undefined)[] = [];
  const url = await serve(
    t,
    (socket, text) => {
      const { type, id, payload } = JSON.parse(text) as {
        type: string;
        id: string;
        payload: { pad: string };
      };
      if (type === 'PONG') return void pongs.push(id);
      const k = numberOf(id);
      const reply = (message: object): void => socket.send(JSON.stringify({ timestamp: 0, ...message }));
      const echo = { type: 'ECHO', id, payload };
      if (k === 30)
        return reply({ type: 'ERROR', id, payload: { for: 'ECHO', code: 'RATE_LIMITED', message: 'no' } });
      if (k === 40 || k === 41) return; // lost
      if (k === 50) return void setTimeout(() => reply(echo), 700); // lost, then late
      if (k === 60) return reply({ ...echo, payload: { pad: `${payload.pad}!` } }); // corrupt
      if (k === 70) reply(echo); // and once more below: unexpected
      if (k === 80) socket.send('not JSON'); // unexpected
      if (k === 90) socket.send(Buffer.from('binary')); // unexpected
      if (k === 5) return; // lost, but in the warm-up
      reply(echo);
    },
    (socket, request) => {
      tokens.push(request.headers.authorization);
      socket.send(JSON.stringify({ type: 'WELCOME', timestamp: 0, payload: {} }));
      socket.send(JSON.stringify({ type: 'PING', id: 'p1', timestamp: 0, payload: { serverTime: 0 } }));
    },
  );
  const outcome = await runK6Script(script, {
    ...brief,
    URL: url,
    SIZE: '128',
    TOKEN: 'abc',
    DURATION: '1500ms',
  });
  assert.deepEqual(counts(outcome), {
    scheduled: 150,
    sent: 150,
    unsent: 0,
    matched: 146,
    rejected: 1,
    lost: 3,
    corrupt: 1,
    late: 1,
    unexpected: 3,
  });
  assert.deepEqual([trues(outcome.samples.get('wsb_ok')), outcome.samples.get('wsb_ok')?.length], [145, 150]);
  const rtts = outcome.samples.get('wsb_rtt') ?? [];
  assert.equal(
    rtts.filter((value) => value === 400).length,
    3,
    'a lost message counts with the timeout at least',
  );
  assert.deepEqual(pongs, ['p1', 'p1', 'p1', 'p1']);
  assert.deepEqual(tokens, Array(4).fill('Bearer abc'));
});

test('a connection that ends early: what was under way is lost, the rest is unsent', {
  timeout,
}, async (t) => {
  const url = await serve(t, (socket, text, connection) => {
    const k = numberOf(text.split(' ')[1] ?? '');
    if (connection === 0 && k >= 60) socket.terminate();
    else socket.send(text);
  });
  const outcome = await runK6Script(script, { ...brief, URL: url, PRESET: 'echo' });
  const { scheduled, sent, unsent, matched, lost } = counts(outcome) as Record<string, number>;
  assert.equal(scheduled, 100);
  assert.equal((sent ?? 0) + (unsent ?? 0), 100);
  assert.equal((matched ?? 0) + (lost ?? 0), sent);
  assert.ok((lost ?? 0) >= 1 && (unsent ?? 0) >= 10, `lost ${lost}, unsent ${unsent}`);
  assert.equal(outcome.samples.get('wsb_ok')?.length, 100);
  assert.equal(trues(outcome.samples.get('wsb_connect_ok')), 4, 'it did open');
});

test('nobody there: one attempt a connection, everything unsent', { timeout }, async () => {
  const closed = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => closed.once('listening', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const outcome = await runK6Script(script, { ...brief, URL: `ws://127.0.0.1:${port}` });
  assert.deepEqual(outcome.samples.get('wsb_connect_ok'), [0, 0, 0, 0]);
  const { scheduled, unsent, sent } = counts(outcome);
  assert.deepEqual([scheduled, unsent, sent], [100, 100, 0]);
  assert.deepEqual([trues(outcome.samples.get('wsb_ok')), outcome.samples.get('wsb_ok')?.length], [0, 100]);
});

test('the summary has a line for programs, or says why it cannot have one', { timeout }, async (t) => {
  const url = await serve(t, (socket, text) => socket.send(text));
  const { script: loaded } = await runK6Script(script, {
    ...brief,
    URL: url,
    PRESET: 'echo',
    DURATION: '100ms',
  });
  assert.deepEqual(Object.keys(loaded.options.thresholds), ['wsb_connect_ok', 'wsb_ok', 'wsb_corrupt']);
  const metrics = {
    wsb_connect_ok: { values: { passes: 3, fails: 1, rate: 0.75 }, thresholds: { 'rate==1': { ok: false } } },
    wsb_matched: { values: { count: 99 } },
    wsb_rtt: { values: { count: 99, med: 0.4, 'p(99)': 8.71 } },
    wsb_send_lag: { values: { 'p(99)': 180 } },
  };
  const { stdout } = loaded.handleSummary({ metrics });
  const line = stdout.split('\n').find((text) => text.startsWith('WSBENCH_SUMMARY '));
  const summary = JSON.parse(line?.slice('WSBENCH_SUMMARY '.length) ?? 'null');
  assert.deepEqual([summary.v, summary.messages.matched, summary.messages.lost], [1, 99, 0]);
  assert.deepEqual(summary.connections, { opened: 3, failed: 1 });
  assert.deepEqual(summary.rtt, { count: 99, med: 0.4, 'p(99)': 8.71 });
  assert.deepEqual(summary.thresholds, [{ metric: 'wsb_connect_ok', expression: 'rate==1', ok: false }]);
  assert.match(stdout, /MISSED {2}wsb_connect_ok rate==1/);
  assert.match(stdout, /k6 itself fell behind/);
  assert.throws(() => loaded.handleSummary({ results: { metrics: [] } }), /machine-readable/);
});

for (const [name, value] of [
  ['CONNECTIONS', '1.5'],
  ['CONNECTIONS', '0'],
  ['RATE', 'fast'],
  ['DURATION', '30'],
  ['PRESET', 'soup'],
] as const) {
  test(`${name}=${value} is refused by name`, { timeout }, async () => {
    await assert.rejects(runK6Script(script, { [name]: value }), new RegExp(name));
  });
}

const k6 = process.env.WSBENCH_K6_BIN ?? 'k6';
const found = spawnSync(k6, ['version'], { encoding: 'utf8' }).status === 0;

for (const [what, answers, status] of [
  ['passes against an echo', true, 0],
  ['ends with 99 when replies stay away', false, 99],
] as const) {
  test(`the real k6 ${what}`, { timeout, skip: skipUnless('k6', found) }, async (t) => {
    const url = await serve(t, (socket, text) => {
      if (answers) socket.send(text);
    });
    const settings = Object.entries({ ...brief, URL: url, PRESET: 'echo' }).flatMap(([name, value]) => [
      '-e',
      `${name}=${value}`,
    ]);
    const child = spawn(k6, ['run', '--quiet', '--no-usage-report', ...settings, fileURLToPath(script)]);
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(code, status, errors);
    const line = output.split('\n').find((text) => text.startsWith('WSBENCH_SUMMARY '));
    const { messages, connections, rtt } = JSON.parse(line?.slice('WSBENCH_SUMMARY '.length) ?? 'null');
    assert.deepEqual([messages.scheduled, messages.sent, messages.unsent], [100, 100, 0], output);
    assert.deepEqual([messages.matched, messages.lost], answers ? [100, 0] : [0, 100]);
    assert.deepEqual(connections, { opened: 4, failed: 0 });
    assert.equal(rtt.count, 100);
  });
}
