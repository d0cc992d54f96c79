// Targets that say nothing any more: every message is accounted for, the run ends on time, and memory stays bounded.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StressResult } from '../../lib/index.ts';
import { emptyFolder, run, start, until } from '../cli/spawn.ts';
import { ended } from '../fixtures/ended.ts';
import { startFaultProxy } from '../fixtures/fault-proxy.ts';
import { hook } from '../fixtures/hook.ts';
import { noNetworks, ownNetwork } from '../fixtures/privileged.ts';
import { startLoadServer } from '../fixtures/server-process.ts';

/** What nobody answered is in the percentiles, and fails thresholds. */
function assertCensored({ counters, metrics, thresholds, reasons }: StressResult): void {
  assert.ok(counters['messages.lost'] > 0);
  assert.equal(counters['messages.matched'] + counters['messages.lost'], counters['messages.sent']);
  assert.equal(metrics.rtt.censored, counters['messages.lost'] + counters['messages.unsent']);
  assert.equal(metrics.rtt.p99, null);
  assert.equal(metrics.rtt.reason, 'lost');
  const missed = thresholds.filter(({ ok }) => !ok).map(({ metric }) => metric);
  assert.ok(missed.includes('rtt') && missed.includes('error_rate'), missed.join(' '));
  assert.match(reasons.find(({ code }) => code === 'threshold')?.message ?? '', /lost|error_rate/);
}

const load = ['--preset', 'echo', '-c', '4', '-r', '200/s', '-t', '1s', '--threshold', 'rtt.p99<500ms'];
const output = ['--json', '--no-save'];

describe('silence', { concurrency: 2 }, () => {
  test('a black hole in the middle: the path swallows all, and only the deadline tells', {
    timeout: 60_000,
  }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    // About half of what a connection would get: 50 messages a second of 34 bytes, 1 s of warm-up and 3 s of measuring.
    const proxy = await startFaultProxy(Number(server.host.split(':')[1]), {
      down: { after: { bytes: 4000, what: 'stall' } },
    });
    t.after(() => proxy.close());
    const args = ['stress', `ws://127.0.0.1:${proxy.port}`, ...load, '-d', '3s', ...output];
    const result = ended(await run(args, { cwd: emptyFolder(t) }), 99);
    assertCensored(result);
    assert.equal(result.counters['messages.scheduled'], 600);
    assert.ok(result.counters['messages.matched'] > 100);
    assert.equal(result.openAtEnd, 4);
    assert.ok(result.warnings.some(({ code, message }) => code === 'half-open' && /4 of 4/.test(message)));
  });

  test('a network that drops every packet', { timeout: 60_000, skip: noNetworks }, async (t) => {
    const network = ownNetwork(t);
    // Without a URL: the server is a child of the command, and so in the same network.
    const args = ['stress', '-t', '1s', '-d', '4s', '--threshold', 'rtt.p99<500ms'];
    const running = start([...args, ...output], { cwd: emptyFolder(t), prefix: network.prefix });
    await until(() => running.stderr().includes('measure'), 'the measure phase');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    network.run('ip link set lo down');
    const result = ended(await running.finished, 99);
    assertCensored(result);
    assert.equal(result.counters['messages.scheduled'], 400);
    assert.equal(result.counters['connections.closed'], 0, 'nothing tells of it but silence');
    assert.ok(result.phases.drainMs < 3000, `drained for ${result.phases.drainMs} ms`);
    assert.ok(result.warnings.some(({ code }) => code === 'half-open'));
  });

  test('a server that is stopped (SIGSTOP): the run ends on time, in bounded memory', {
    timeout: 60_000,
  }, async (t) => {
    for (const workers of ['1', '2']) {
      const server = await startLoadServer(t, { mode: 'echo' });
      // 20,000 messages outstanding with the time-out of 2 s.
      const args = [
        'stress',
        server.url,
        '--preset',
        'echo',
        '-c',
        '50',
        '-r',
        '10k/s',
        '-d',
        '3s',
        '-t',
        '2s',
      ];
      const running = start([...args, '-w', workers, ...output], { cwd: emptyFolder(t) });
      await until(() => running.stderr().includes('measure'), 'the measure phase');
      server.child.kill('SIGSTOP');
      const startedMs = performance.now();
      const finished = await running.finished;
      server.child.kill('SIGCONT');
      // 3 s of schedule, 2 s of time-out, 2.5 s for close frames that nobody answers, and some for a busy machine.
      assert.ok(performance.now() - startedMs < 15_000, `${performance.now() - startedMs} ms`);
      const { counters, phases, openAtEnd, outcome } = ended(finished, 99);
      t.diagnostic(outcome);
      assert.equal(counters['messages.scheduled'], 30_000);
      // All but what was answered before: where others work beside us, the line about the phase is seen up to a second late.
      assert.ok(counters['messages.lost'] > 10_000, `${counters['messages.lost']} lost`);
      assert.equal(counters['messages.matched'] + counters['messages.lost'], counters['messages.sent']);
      assert.equal(openAtEnd, 50);
      assert.ok(phases.drainMs < 4000, `drained for ${phases.drainMs} ms`);
    }
  });

  test('a server that never answers: lost messages are remembered for two time-outs, not for ever', {
    timeout: 60_000,
  }, async (t) => {
    const server = await startLoadServer(t, { mode: 'mute' });
    const args = [
      'stress',
      server.url,
      '--preset',
      'echo',
      '-c',
      '20',
      '-r',
      '20k/s',
      '-t',
      '200ms',
      ...output,
    ];
    const rss: number[] = [];
    for (const duration of ['1s', '6s']) {
      const cwd = emptyFolder(t);
      const finished = await run([...args, '-d', duration], { cwd, node: hook('peak-memory') });
      const { counters } = ended(finished, 99);
      assert.equal(counters['messages.lost'], counters['messages.sent']);
      rss.push(Number(/peak memory (\d+) KiB/.exec(finished.stderr)?.[1]));
    }
    const [short = Number.NaN, long = Number.NaN] = rss;
    t.diagnostic(
      `${Math.round(short / 1024)} MiB for 20,000 messages, ${Math.round(long / 1024)} MiB for 120,000`,
    );
    // 100,000 more messages; 80 bytes each would be 8 MiB, were they kept.
    assert.ok(long - short < 30 * 1024, `${long - short} KiB more`);
  });
});
