// Runs against servers that do what they should.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunEvent } from '../../lib/result/events.ts';
import { exitCode } from '../../lib/result/exit-code.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { startLoadServer } from '../fixtures/server-process.ts';
import { echoTarget, stress, stressPlan, typedTarget } from '../fixtures/stress-plan.ts';

/** All messages of the plan came back, once and unchanged. */
function assertWhole(result: StressResult, messages: number): void {
  const { counters } = result;
  assert.deepEqual(
    result.reasons.filter((reason) => reason.code !== 'generator-limited'),
    [],
  );
  for (const name of ['scheduled', 'sent', 'matched', 'received'] as const) {
    assert.equal(counters[`messages.${name}`], messages, name);
  }
  for (const name of ['late', 'duplicate', 'unexpected', 'reordered', 'corrupt'] as const) {
    assert.equal(counters[`messages.${name}`], 0, name);
  }
  assert.equal(result.metrics.rtt.count, messages);
  assert.equal(result.run.complete, true);
}

test('open model: every scheduled message is sent and matched', { timeout: 20_000 }, async (t) => {
  const server = await startLoadServer(t, { mode: 'echo' });
  const events: RunEvent[] = [];
  const plan = stressPlan(server.url, { durationMs: 2000, ratePerSecond: 300 });
  const result = await stress(plan, undefined, (event) => events.push(event));
  assertWhole(result, 600);
  assert.equal(result.counters['bytes.sent'], 600 * 32);
  assert.equal(result.counters['bytes.received'], 600 * 32);
  assert.equal(result.metrics.send_lag.count, 600);
  assert.equal(result.metrics.connect.count, 4);
  assert.equal(result.metrics['connect.tls'].reason, 'no samples');
  assert.ok(result.metrics.ping.count >= 4);
  assert.deepEqual(result.warmup, { sent: 30, unsent: 0, matched: 30, rejected: 0, lost: 0 });
  assert.equal(result.openAtEnd, 4);
  assert.deepEqual(result.closes, [{ code: 1000, by: 'us', clean: true, count: 4 }]);
  const { due, wall } = result.series;
  assert.deepEqual(
    due.map((second) => [second.second, second.matched]),
    [
      [0, 300],
      [1, 300],
    ],
  );
  assert.ok(due.every((second) => typeof second.hdr === 'string' && second.p50 !== null));
  assert.equal(
    wall.reduce((sum, second) => sum + second.sent, 0),
    600,
  );
  assert.equal(
    wall.reduce((sum, second) => sum + second.received, 0),
    600,
  );
  assert.ok(wall.every((second) => second.open === 4));
  assert.deepEqual(
    events.flatMap((event) => (event.type === 'phase' ? [event.phase] : [])),
    ['connect', 'settle', 'warmup', 'measure', 'drain'],
  );
  assert.ok(events.some((event) => event.type === 'interval' && event.snapshot.phase === 'measure'));
  assert.ok(result.derived.uptime !== null && result.derived.uptime > 0.99);
  assert.equal(result.phases.measureMs, 2000);
});

test('closed model: depth messages in flight, the next when the reply came', {
  timeout: 20_000,
}, async (t) => {
  const server = await startLoadServer(t, { mode: 'echo' });
  const result = await stress(stressPlan(server.url, { model: 'closed', depth: 8, connections: 3 }));
  const sent = result.counters['messages.sent'];
  assertWhole(result, sent);
  assert.ok(sent > 500, `${sent} messages`);
  assert.equal(result.metrics.send_lag.reason, 'no samples');
  assert.ok((result.derived['backlog.end'] ?? 99) <= 24);
  assert.ok(Math.abs((result.derived.throughput ?? 0) - sent) <= 48);
});

test('closed model: never more than depth are outstanding', { timeout: 20_000 }, async (t) => {
  const server = await startLoadServer(t, { mode: 'mute' });
  const plan = stressPlan(server.url, {
    model: 'closed',
    depth: 3,
    connections: 2,
    timeoutMs: 400,
    targetKnown: true,
    warmupMs: 0,
  });
  const result = await stress(plan);
  const { counters } = result;
  // 6 slots, each free again every 400 ms of 1,000.
  assert.equal(counters['messages.sent'], 18);
  assert.equal(counters['messages.lost'], 18);
  assert.equal(result.derived['backlog.end'], 6);
});

const sizes: [number, string][] = [
  [0, 'order'],
  [1, 'order'],
  [29, 'order'],
  [30, 'marker'],
  [125, 'marker'],
  [126, 'marker'],
  [65_536, 'marker'],
  [1_048_576, 'marker'],
];
for (const [sizeBytes, by] of sizes) {
  test(`messages of ${sizeBytes} bytes, matched by ${by}`, { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const plan = stressPlan(server.url, {
      sizeBytes,
      connections: 2,
      ratePerSecond: 20,
      durationMs: 500,
      warmupMs: 0,
      timeoutMs: 3000,
      binary: sizeBytes % 2 === 0,
    });
    const result = await stress(plan);
    assertWhole(result, 10);
    assert.equal(result.counters['bytes.received'], 10 * sizeBytes);
    assert.equal(
      result.warnings.some((warning) => warning.code === 'small-message'),
      by === 'order',
    );
  });
}

test('messages of one’s own: a template, a plain text, bytes', { timeout: 20_000 }, async (t) => {
  const server = await startLoadServer(t, { mode: 'echo' });
  const messages = ['{"n":"{{ seq }}"}', 'hello', Uint8Array.from([0, 255, 1])];
  for (const message of messages) {
    const plan = stressPlan(server.url, {
      message,
      binary: typeof message !== 'string',
      ratePerSecond: 100,
      durationMs: 500,
      warmupMs: 0,
    });
    const result = await stress(plan);
    assertWhole(result, 50);
    assert.equal(result.warnings.length, message === messages[1] ? 1 : 0);
  }
});

test('typed replies: matched by id, refusals by code, pushes apart', { timeout: 20_000 }, async (t) => {
  const server = await startLoadServer(t, { mode: 'typed', n: 5 });
  const plan = stressPlan(server.url, { target: typedTarget, sizeBytes: 120, targetKnown: true });
  const result = await stress(plan);
  const { counters } = result;
  assert.equal(counters['messages.sent'], 200);
  assert.equal(counters['messages.rejected'], 40);
  assert.equal(counters['messages.matched'], 160);
  // On a busy machine the last pushes of the warm-up may come in the measure phase.
  const { 'messages.push': pushes } = counters;
  assert.ok(pushes >= 200 && pushes <= 220, `${pushes} pushes`);
  assert.deepEqual(result.rejections, [{ code: 'RATE_LIMITED', count: 40 }]);
  assert.equal(result.derived.error_rate, 0.2);
  // A machine that is busy with other tests may be too slow to measure, too.
  const { limited } = result.generator;
  assert.equal(result.outcome, limited ? 'inconclusive' : 'failed');
  assert.equal(exitCode(result), limited ? 4 : 99);
  assert.equal(result.target.description, 'typed');
});

for (const by of ['marker', 'order'] as const) {
  test(`a greeting does not upset matching by ${by}`, { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo', greeting: 'welcome' });
    const target = { ...echoTarget, match: { by } };
    assertWhole(await stress(stressPlan(server.url, { target, settleMs: 200 })), 200);
  });
}

test('a slow start delays the load, not its latencies', { timeout: 20_000 }, async (t) => {
  const server = await startLoadServer(t, { mode: 'echo', upgradeDelayMs: 700 });
  const result = await stress(stressPlan(server.url, { rampUpMs: 200 }));
  assertWhole(result, 200);
  assert.ok((result.metrics['connect.upgrade'].min ?? 0) >= 690);
  assert.ok(result.phases.connectMs >= 800);
  assert.equal(result.derived.uptime, 1);
});

test('Poisson arrivals: the same seed gives the same number of messages', { timeout: 20_000 }, async (t) => {
  const server = await startLoadServer(t, { mode: 'echo' });
  const plan = stressPlan(server.url, { arrival: 'poisson', seed: 7 });
  const first = await stress(plan);
  const second = await stress(plan);
  assertWhole(first, first.counters['messages.scheduled']);
  assert.equal(second.counters['messages.scheduled'], first.counters['messages.scheduled']);
  assert.deepEqual(
    second.series.due.map((entry) => entry.matched),
    first.series.due.map((entry) => entry.matched),
  );
  assert.notEqual(first.counters['messages.scheduled'], 200);
});

test('wss with a certificate of one’s own', { timeout: 20_000 }, async (t) => {
  const { key, cert } = selfSigned();
  const server = await startLoadServer(t, { mode: 'echo', tls: { key, cert } });
  const url = server.url.replace('ws://127.0.0.1', 'wss://localhost');
  const plan = stressPlan(url, { caCertificates: cert, connections: 2 });
  const result = await stress(plan);
  assertWhole(result, 200);
  assert.equal(result.metrics['connect.tls'].count, 2);
  assert.equal(result.metrics['connect.dns'].count, 2);
  assertWhole(await stress(stressPlan(url, { insecure: true })), 200);
});

test('nothing is left when a run is over', { timeout: 20_000 }, async (t) => {
  const server = await startLoadServer(t, { mode: 'echo' });
  const kinds = (): string[] =>
    process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Timeout|DNS/.test(kind));
  const before = kinds();
  await stress(stressPlan(server.url));
  // A reader that leaves early ends the run, too.
  const { runStress } = await import('../../lib/load/index.ts');
  for await (const event of runStress(stressPlan(server.url), new AbortController().signal)) {
    if (event.type === 'phase' && event.phase === 'measure') break;
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(kinds(), before);
});
