// Runs against servers that do what they should not: every fault is counted, and nothing throws.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { classify } from '../../lib/cause/connect-error.ts';
import { type Connection, createWsDriver, type Driver, runStress } from '../../lib/load/index.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { exitCode } from '../../lib/result/exit-code.ts';
import type { ReasonCode, StressResult } from '../../lib/result/result.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { startLoadServer, startTcpServer } from '../fixtures/server-process.ts';
import { echoTarget, stress, stressPlan, typedTarget } from '../fixtures/stress-plan.ts';

/** A connection that never opens. */
const idle: Connection = {
  queue: () => false,
  flush: () => {},
  sendText: () => false,
  queuePing: () => false,
  ping: () => {},
  pause: () => {},
  resume: () => {},
  close: () => {},
  abort: () => {},
  bufferedBytes: 0,
};

function assertBalanced(result: StressResult): void {
  assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
  assert.ok(!codes(result).includes('bug'), JSON.stringify(result.reasons));
}

function codes(result: StressResult): ReasonCode[] {
  // Whether this machine was fast enough is another test's question.
  return [...new Set(result.reasons.map((reason) => reason.code))].filter(
    (code) => code !== 'generator-limited',
  );
}

// They share a process, so that only counts are asked here, never latencies.
describe('faults', { concurrency: 4 }, () => {
  test('messages that are never answered: percentiles say lost, the run fails', {
    timeout: 20_000,
  }, async (t) => {
    const server = await startLoadServer(t, { mode: 'skip', n: 20 });
    const plan = stressPlan(server.url, { thresholds: ['rtt.p99<1s'], warmupMs: 0, targetKnown: true });
    const result = await stress(plan);
    assertBalanced(result);
    assert.equal(result.counters['messages.lost'], 10);
    assert.equal(result.counters['messages.matched'], 190);
    const { rtt } = result.metrics;
    assert.equal(rtt.censored, 10);
    assert.equal(rtt.p99, null);
    assert.equal(rtt.max, null);
    assert.equal(rtt.mean, null);
    assert.equal(rtt.reason, 'lost');
    assert.notEqual(rtt.p90, null);
    assert.deepEqual(codes(result), ['threshold']);
    assert.ok(result.reasons.some((reason) => reason.message === 'rtt.p99 > 1 s (lost), wanted < 1000 ms'));
    assert.equal(exitCode({ reasons: result.reasons.filter((r) => r.code === 'threshold') }), 99);
    assert.equal(
      result.series.due.reduce((sum, second) => sum + second.lost, 0),
      10,
    );
  });

  test('duplicates are counted apart', { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'duplicate', n: 10 });
    const result = await stress(stressPlan(server.url, { warmupMs: 0 }));
    assertBalanced(result);
    assert.equal(result.counters['messages.matched'], 200);
    assert.equal(result.counters['messages.duplicate'], 20);
  });

  test('reordered replies are matched and marked', { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'reorder' });
    // One connection of its own per message pair: the probe would shift the pairs of the first connection.
    const result = await stress(stressPlan(server.url, { warmupMs: 0, connections: 1, targetKnown: true }));
    assertBalanced(result);
    // The probe makes the pair with the first message, and the last message waits in vain.
    assert.equal(result.counters['messages.matched'], 199);
    assert.equal(result.counters['messages.lost'], 1);
    assert.equal(result.counters['messages.reordered'], 99);
  });

  test('altered echoes are corrupt', { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'corrupt', n: 10 });
    const result = await stress(stressPlan(server.url, { warmupMs: 0 }));
    assertBalanced(result);
    assert.equal(result.counters['messages.matched'], 200);
    assert.equal(result.counters['messages.corrupt'], 20);
    assert.deepEqual(codes(result), ['threshold']);
  });

  test('a reply after the timeout is late, and its message stays lost', { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'late', n: 10, delayMs: 500 });
    const plan = stressPlan(server.url, { warmupMs: 0, timeoutMs: 200, durationMs: 1500 });
    const result = await stress(plan);
    assertBalanced(result);
    const { counters } = result;
    assert.equal(counters['messages.lost'], 30);
    assert.ok(
      counters['messages.late'] >= 15 && counters['messages.late'] <= 30,
      `${counters['messages.late']}`,
    );
  });

  test('a lost message keeps its place in line', { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'late', n: 1, delayMs: 400 });
    const target = { ...echoTarget, match: { by: 'order' as const } };
    const plan = stressPlan(server.url, { target, warmupMs: 0, timeoutMs: 200, targetKnown: true });
    const result = await stress(plan);
    assertBalanced(result);
    assert.equal(result.counters['messages.lost'], 200);
    assert.equal(result.counters['messages.matched'], 0);
    assert.ok(result.counters['messages.late'] > 100);
    assert.equal(result.counters['messages.unexpected'], 0);
  });

  test('what others sent is not a reply', { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'broadcast' });
    const result = await stress(stressPlan(server.url, { warmupMs: 0, connections: 3, ratePerSecond: 90 }));
    assertBalanced(result);
    assert.equal(result.counters['messages.matched'], 90);
    assert.ok(result.counters['messages.unexpected'] >= 178);
  });

  test('a server killed in the middle: the schedule goes on, messages are unsent', {
    timeout: 20_000,
  }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const plan = stressPlan(server.url, { warmupMs: 0 });
    let killed = false;
    const result = await stress(plan, undefined, (event) => {
      if (event.type === 'phase' && event.phase === 'measure' && !killed) {
        killed = true;
        setTimeout(() => server.kill(), 400);
      }
    });
    assertBalanced(result);
    const { counters } = result;
    assert.equal(counters['messages.scheduled'], 200);
    assert.ok(counters['messages.unsent'] > 50);
    assert.equal(counters['connections.abnormal'], 4);
    assert.equal(result.openAtEnd, 0);
    assert.deepEqual(result.closes, [{ code: 1006, by: 'none', clean: false, count: 4 }]);
    assert.deepEqual(
      result.unsent.map((entry) => entry.reason),
      ['connection not open'],
    );
    assert.ok(result.derived.uptime !== null && result.derived.uptime > 0.3 && result.derived.uptime < 0.7);
    assert.equal(result.run.complete, true);
    assert.deepEqual(codes(result), ['threshold']);
  });

  for (const [code, abnormal] of [
    [1000, 0],
    [1001, 4],
    [4408, 4],
  ] as const) {
    test(`closed by the peer with ${code}`, { timeout: 20_000 }, async (t) => {
      const server = await startLoadServer(t, { mode: 'close', n: 10, code });
      const result = await stress(stressPlan(server.url, { warmupMs: 0 }));
      assertBalanced(result);
      assert.equal(result.counters['connections.closed'], 4);
      assert.equal(result.counters['connections.abnormal'], abnormal);
      assert.deepEqual(result.closes, [{ code, by: 'peer', clean: true, count: 4 }]);
    });
  }

  test('closed model: a connection that is being closed asks for nothing, so nothing is unsent', {
    timeout: 20_000,
  }, async (t) => {
    const server = await startLoadServer(t, { mode: 'linger', n: 10, code: 1001 });
    const plan = stressPlan(server.url, { model: 'closed', warmupMs: 0, timeoutMs: 200, targetKnown: true });
    const result = await stress(plan);
    assertBalanced(result);
    assert.equal(result.counters['messages.unsent'], 0);
    // The first connection's tenth message came after the probe. What crossed the close on its way is lost.
    assert.equal(result.counters['messages.matched'], 4 * 9 - 1);
    assert.equal(result.counters['messages.lost'], 4);
  });

  test('closed model: connections that end are told of, even where no threshold is crossed', {
    timeout: 20_000,
  }, async (t) => {
    const server = await startLoadServer(t, { mode: 'close', n: 1000, code: 1000 });
    const plan = stressPlan(server.url, { model: 'closed', warmupMs: 0, timeoutMs: 200, durationMs: 3000 });
    const result = await stress(plan);
    assertBalanced(result);
    assert.deepEqual(codes(result), []);
    assert.deepEqual(
      result.warnings.filter((warning) => warning.code === 'connections-ended').map((w) => w.message),
      ['4 of 4 connections ended before the run did: close code 1000 (normal closure), 4 times'],
    );
  });

  test('the probe counts nowhere, even when its answer comes in the measure phase', {
    timeout: 20_000,
  }, async (t) => {
    const server = await startLoadServer(t, { mode: 'late', n: 1, delayMs: 400 });
    const plan = stressPlan(server.url, {
      connections: 1,
      ratePerSecond: 1,
      settleMs: 0,
      warmupMs: 0,
      targetKnown: true,
    });
    const result = await stress(plan);
    assertBalanced(result);
    assert.equal(result.counters['messages.received'], 1);
    assert.equal(result.derived.throughput, 1);
    assert.deepEqual(result.warmup, { sent: 0, unsent: 0, matched: 0, rejected: 0, lost: 0 });
  });

  test('no pings while it drains', { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'mute' });
    const plan = stressPlan(server.url, {
      durationMs: 400,
      settleMs: 0,
      warmupMs: 0,
      timeoutMs: 3000,
      targetKnown: true,
    });
    const result = await stress(plan);
    assert.ok(result.phases.drainMs > 2000);
    assert.ok(result.metrics.ping.count <= 4, `${result.metrics.ping.count} pings`);
  });

  test('bad frames are protocol errors', { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'bad-frame', n: 10 });
    const result = await stress(stressPlan(server.url, { warmupMs: 0 }));
    assertBalanced(result);
    assert.equal(result.counters.protocol_errors, 4);
    assert.deepEqual(result.closes, [{ code: 1002, by: 'us', clean: false, count: 4 }]);
    assert.deepEqual(codes(result), ['threshold']);
    assert.deepEqual(result.violations, [
      {
        detail: 'frame with the reserved opcode 0x3 (RFC 6455 §5.2), answered with close code 1002',
        count: 4,
      },
    ]);
    assert.ok(
      result.warnings.some((warning) => /violation.*4 times: .*0x3 \(RFC 6455 §5\.2\)/.test(warning.message)),
    );
  });

  test('a server that stops reading: backpressure, in bounded memory', { timeout: 30_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'deaf', n: 5 });
    const plan = stressPlan(server.url, {
      sizeBytes: 65_536,
      warmupMs: 0,
      connections: 2,
      ratePerSecond: 1000,
      timeoutMs: 500,
      settleMs: 0,
    });
    const before = process.memoryUsage().rss;
    const result = await stress(plan);
    assertBalanced(result);
    const { counters } = result;
    assert.equal(counters['messages.scheduled'], 1000);
    assert.ok(counters['messages.unsent'] > 500, `${counters['messages.unsent']} unsent`);
    assert.equal(result.unsent[0]?.reason, 'more than 1 MiB unsent');
    assert.ok(process.memoryUsage().rss - before < 150 * 1024 * 1024);
  });

  test('a target that refuses to connect is unreachable', { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    await server.kill();
    const result = await stress(stressPlan(server.url));
    assertBalanced(result);
    assert.deepEqual(codes(result), ['unreachable']);
    assert.equal(exitCode(result), 3);
    assert.equal(result.outcome, 'failed');
    assert.equal(result.failures[0]?.kind, 'refused');
    assert.equal(result.counters['connections.failed'], 4);
    assert.match(result.reasons[0]?.message ?? '', /ECONNREFUSED/);
    assert.deepEqual(result.thresholds, []);
  });

  test('a generator without files blames itself', {
    timeout: 20_000,
    skip: process.platform === 'win32' && 'ulimit',
  }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const script = new URL('../fixtures/run-stress.js', import.meta.url).pathname;
    // Node itself opens several dozen files at once while it loads the modules.
    const limited = 'ulimit -n 200 && exec "$@"';
    const args = ['-c', limited, 'sh', process.execPath, script, server.url, '{"connections":300}'];
    const { stdout } = await promisify(execFile)('sh', args, { maxBuffer: 2 ** 24 });
    const result = JSON.parse(stdout) as StressResult;
    assertBalanced(result);
    assert.ok(codes(result).includes('generator-resources'));
    assert.equal(result.outcome, 'inconclusive');
    assert.equal(exitCode(result), 4);
    assert.equal(result.failures[0]?.kind, 'resources');
    assert.match(result.failures[0]?.hint ?? '', /ulimit -n/);
    assert.ok(result.counters['connections.opened'] > 0);
    assert.equal(result.counters['connections.failed'], 300 - result.counters['connections.opened']);
  });

  test('a generator without local ports blames itself', { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const ws = createWsDriver();
    // As the system says it: seen in a network namespace with 31 ports.
    const error = Object.assign(new Error('connect EADDRNOTAVAIL 127.0.0.1:80 - Local (0.0.0.0:0)'), {
      code: 'EADDRNOTAVAIL',
      address: '127.0.0.1',
    });
    const { kind, detail } = classify(error, 'tcp');
    let attempts = 0;
    const driver: Driver = {
      name: 'few ports',
      open: (spec, sink) => {
        if (++attempts <= 3) return ws.open(spec, sink);
        setImmediate(() => sink.failed(kind, detail));
        return idle;
      },
    };
    const result = await stress(stressPlan(server.url, { connections: 5 }), undefined, undefined, driver);
    assertBalanced(result);
    assert.ok(codes(result).includes('generator-resources'));
    assert.equal(exitCode(result), 4);
    assert.deepEqual(result.failures, [
      {
        kind: 'resources',
        detail: 'connect EADDRNOTAVAIL 127.0.0.1:80',
        count: 2,
        hint: 'this machine has no local port left for the target: fewer connections, --local-address a,b, or widen net.ipv4.ip_local_port_range',
      },
    ]);
    assert.equal(result.counters['connections.opened'], 3);
    assert.ok(Math.abs((result.derived.uptime ?? 0) - 0.6) < 1e-9);
  });

  test('an unknown host is unreachable by name', { timeout: 20_000 }, async () => {
    const result = await stress(stressPlan('ws://no-such.invalid:1'));
    assert.deepEqual(codes(result), ['unreachable']);
    assert.equal(result.failures[0]?.kind, 'dns');
  });

  for (const [status, headers, body, hint] of [
    [401, {}, 'token missing', /--token/],
    [403, {}, '', /forbids/],
    [429, { 'Retry-After': '7' }, '{"error":"slow down"}', /wait 7 s/],
    [503, { 'Retry-After': 'soon' }, '', /neither seconds nor a date: "soon"/],
    [301, { Location: 'wss://elsewhere.example/ws' }, '', /redirects/],
  ] as const) {
    test(`HTTP ${status} to the upgrade`, { timeout: 20_000 }, async (t) => {
      const server = await startLoadServer(t, { mode: 'status', status, headers, body });
      const result = await stress(stressPlan(server.url));
      assertBalanced(result);
      assert.deepEqual(codes(result), ['unreachable']);
      const [failure] = result.failures;
      assert.equal(failure?.kind, 'http');
      assert.equal(failure?.count, 4);
      assert.match(failure?.detail ?? '', new RegExp(`^HTTP ${status} Refused`));
      assert.ok(failure?.detail.includes(body));
      for (const value of Object.values(headers)) assert.ok(failure?.detail.includes(value));
      assert.match(failure?.hint ?? '', hint);
    });
  }

  test('a certificate that nobody vouches for', { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo', tls: selfSigned() });
    const result = await stress(stressPlan(server.url.replace('ws:', 'wss:')));
    assert.deepEqual(codes(result), ['unreachable']);
    assert.equal(result.failures[0]?.kind, 'tls');
    assert.match(result.failures[0]?.hint ?? '', /--cacert/);
  });

  for (const [name, certificate, hint] of [
    ['for another host', { host: 'other.example' }, /for another host name/],
    ['that has expired', { expired: true }, /has expired; --insecure accepts it/],
  ] as const) {
    test(`a trusted certificate ${name}`, { timeout: 20_000 }, async (t) => {
      const tls = selfSigned(certificate);
      const server = await startLoadServer(t, { mode: 'echo', tls });
      const url = server.url.replace('ws://127.0.0.1', 'wss://localhost');
      const result = await stress(stressPlan(url, { caCertificates: tls.cert, connections: 1 }));
      assert.deepEqual(codes(result), ['unreachable']);
      assert.equal(result.failures[0]?.kind, 'tls');
      assert.match(result.failures[0]?.hint ?? '', hint);
      const insecure = stressPlan(url, { insecure: true, connections: 1, durationMs: 200 });
      assert.deepEqual(codes(await stress(insecure)), []);
    });
  }

  test('TLS to a port that speaks plain text', { timeout: 20_000 }, async (t) => {
    const server = await startTcpServer(t, { reply: 'HTTP/1.1 400 Bad Request\r\n\r\n' });
    const result = await stress(stressPlan(`wss://${server.host}`));
    assert.equal(result.failures[0]?.kind, 'tls');
    assert.match(result.failures[0]?.hint ?? '', /ws:\/\//);
  });

  test('a black hole accepts and says nothing', { timeout: 20_000 }, async (t) => {
    const server = await startTcpServer(t);
    const result = await stress(stressPlan(`ws://${server.host}`, { connectTimeoutMs: 500 }));
    assertBalanced(result);
    assert.deepEqual(codes(result), ['unreachable']);
    assert.equal(result.failures[0]?.kind, 'timeout');
    assert.match(result.failures[0]?.detail ?? '', /answer to the upgrade/);
    assert.ok(result.run.durationMs < 3000);
  });

  test('a port that hangs up, and one that is no HTTP', { timeout: 20_000 }, async (t) => {
    const hangsUp = await startTcpServer(t, { hangUp: true });
    const other = await startTcpServer(t, { reply: 'SSH-2.0-OpenSSH_9.2\r\n' });
    assert.equal((await stress(stressPlan(`ws://${hangsUp.host}`))).failures[0]?.kind, 'reset');
    assert.equal((await stress(stressPlan(`ws://${other.host}`))).failures[0]?.kind, 'handshake');
  });

  test('a wrong Sec-WebSocket-Accept', { timeout: 20_000 }, async (t) => {
    const reply =
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n';
    const server = await startTcpServer(t, { reply });
    const result = await stress(stressPlan(`ws://${server.host}`));
    assert.equal(result.failures[0]?.kind, 'accept-key');
    assert.match(result.failures[0]?.detail ?? '', /wrong Sec-WebSocket-Accept \(it says "x"\)/);
  });

  test('a target that does not answer the probe must be described', { timeout: 20_000 }, async (t) => {
    const mute = await startLoadServer(t, { mode: 'mute' });
    const result = await stress(stressPlan(mute.url, { timeoutMs: 300 }));
    assertBalanced(result);
    assert.deepEqual(codes(result), ['target-description']);
    assert.equal(exitCode(result), 2);
    assert.match(result.reasons[0]?.message ?? '', /nothing came within 300 ms.*--preset/);
    assert.equal(result.counters['messages.scheduled'], 0);
    const other = await startLoadServer(t, { mode: 'mute', greeting: 'who are you?' });
    const greeted = await stress(stressPlan(other.url, { timeoutMs: 300 }));
    assert.match(greeted.reasons[0]?.message ?? '', /who are you\?/);
  });

  test('with a known target an unanswered probe stops nothing', { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'mute' });
    const result = await stress(stressPlan(server.url, { timeoutMs: 300, targetKnown: true }));
    assertBalanced(result);
    assert.equal(result.counters['messages.lost'], 200);
    assert.ok(result.warnings.some((warning) => warning.code === 'probe-unanswered'));
    assert.deepEqual(codes(result), ['threshold']);
  });

  test('a bug of ours is in the result, and ends the run', { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const ws = createWsDriver();
    const broken: Driver[] = [
      {
        name: 'throws at once',
        open: () => {
          throw new TypeError('on purpose');
        },
      },
      {
        name: 'throws in the load',
        open: (spec, sink) =>
          ws.open(spec, {
            opened: (split) => sink.opened(split),
            message: (buf, start, end, opcode) => sink.message(buf, start, end, opcode, Number.NaN),
            pong: (sentUs, atUs) => sink.pong(sentUs, atUs),
            closed: (...close) => sink.closed(...close),
            failed: (...why) => sink.failed(...why),
          }),
      },
    ];
    for (const driver of broken) {
      const run = runStress(stressPlan(server.url), new AbortController().signal, driver);
      let next = await run.next();
      while (!next.done) next = await run.next();
      const result = next.value;
      assert.ok(
        result.reasons.some((reason) => reason.code === 'bug'),
        driver.name,
      );
      assert.equal(exitCode(result), 70);
      assert.equal(result.outcome, 'inconclusive');
      assert.ok(result.run.durationMs < 5000);
    }
  });

  test('a typed refusal of everything: rejected, not matched', { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'typed', n: 1 });
    const result = await stress(stressPlan(server.url, { target: typedTarget, targetKnown: true }));
    assertBalanced(result);
    assert.equal(result.counters['messages.rejected'], 200);
    assert.equal(result.derived.throughput, 0);
    assert.ok(result.warnings.some((warning) => warning.code === 'probe-rejected'));
  });
});
