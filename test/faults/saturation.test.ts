// Generators that are really held up, each in another way: never a verdict on the target, always exit 4.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseResult, type StressResult } from '../../lib/index.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { emptyFolder, run, type SpawnOptions, start, until } from '../cli/spawn.ts';
import { hook } from '../fixtures/hook.ts';
import { cpuShare, noCpuShares } from '../fixtures/privileged.ts';
import { startLoadServer } from '../fixtures/server-process.ts';
import { isLong } from '../require.ts';

type Options = Omit<SpawnOptions, 'cwd'>;

interface Saturation {
  name: string;
  skip?: false | string;
  /** Only the long tests run it. */
  long?: boolean;
  args: readonly string[];
  options?: Options;
  /** How much of a core it gets while it measures. */
  share?: number;
  /** What is done to the process while it measures. */
  meanwhile?: (pid: number) => () => void;
}

const open = ['-c', '20', '-r', '1000/s', '-d', '2s'];
const closed = ['-c', '20', '--closed', '-d', '2s'];

/** Stops the process for 60 of every 160 ms. */
function stopAndGo(pid: number): () => void {
  let timer: NodeJS.Timeout;
  const signal = (name: NodeJS.Signals, next: () => void, ms: number): void => {
    try {
      process.kill(pid, name);
      timer = setTimeout(next, ms);
    } catch {
      // It has ended.
    }
  };
  const stop = (): void => signal('SIGSTOP', go, 60);
  const go = (): void => signal('SIGCONT', stop, 100);
  stop();
  return () => {
    clearTimeout(timer);
    signal('SIGCONT', () => {}, 0);
    clearTimeout(timer);
  };
}

const saturations: Saturation[] = [
  {
    name: 'a fifth of a core, open model',
    skip: noCpuShares,
    args: ['-c', '50', '-r', '20k/s', '-d', '2s'],
    share: 0.2,
  },
  {
    name: 'a fifth of a core, two workers',
    skip: noCpuShares,
    args: ['-c', '50', '-r', '20k/s', '-d', '2s', '-w', '2'],
    share: 0.2,
  },
  {
    name: 'a fifth of a core, closed model',
    long: true,
    skip: noCpuShares,
    args: closed,
    share: 0.2,
  },
  {
    name: 'stopped again and again, open model',
    long: true,
    args: open,
    meanwhile: stopAndGo,
  },
  { name: 'stopped again and again, closed model', args: closed, meanwhile: stopAndGo },
  {
    name: 'an event loop that is blocked, open model',
    args: open,
    options: { node: hook('blocked-loop') },
  },
  {
    name: 'an event loop that is blocked, closed model',
    long: true,
    args: closed,
    options: { node: hook('blocked-loop') },
  },
  {
    name: 'a heap that is too small for its garbage',
    args: open,
    options: {
      node: ['--max-old-space-size=160', ...hook('garbage')],
      env: { WSBENCH_TEST_HEAP_MIB: '120' },
    },
  },
  {
    name: 'more messages than one core can send',
    args: ['-c', '100', '-r', '3000k/s', '-d', '1s', '-t', '1s'],
  },
];

describe('saturated generators are inconclusive', () => {
  for (const { name, skip = false, long = false, args, options, share, meanwhile } of saturations) {
    const leftOut = long && !isLong && 'npm run test:long runs it';
    test(name, { timeout: 60_000, skip: skip || leftOut }, async (t) => {
      const server = await startLoadServer(t, { mode: 'echo' });
      const all = ['stress', server.url, '--preset', 'echo', ...args, '--json', '--no-save'];
      const group = share === undefined ? undefined : cpuShare(t);
      const running = start(all, { cwd: emptyFolder(t), ...options, ...(group && { prefix: group.prefix }) });
      await until(() => running.stderr().includes('measure'), 'the measure phase');
      if (share !== undefined) group?.limit(share);
      const end = meanwhile?.(running.child.pid ?? 0);
      const { code, stdout, stderr } = await running.finished.finally(end);
      assert.equal(code, 4, stderr);
      const result = parseResult(stdout, 'stdout') as StressResult;
      assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
      assert.equal(result.outcome, 'inconclusive');
      assert.equal(result.generator.limited, true);
      assert.ok(result.reasons.some(({ code }) => code === 'generator-limited'));
      assert.ok(result.generator.advice.length > 0);
      assert.match(
        stderr.trim().split('\n').at(-1) ?? '',
        /^exit 4: .*(send lag|event-loop delay|waited more than)/,
      );
      t.diagnostic(result.generator.reasons.join('; '));
    });
  }
});

test('half a core is enough for a little load: that run is not condemned', {
  timeout: 90_000,
  skip: noCpuShares,
}, async (t) => {
  const server = await startLoadServer(t, { mode: 'echo' });
  const args = [
    'stress',
    server.url,
    '--preset',
    'echo',
    '-c',
    '2',
    '-r',
    '20/s',
    '-d',
    '3s',
    '--no-save',
    '-q',
  ];
  for (let attempt = 1; ; attempt++) {
    const { prefix, limit } = cpuShare(t);
    limit(0.5);
    const { code, stderr } = await run(args, { cwd: emptyFolder(t), prefix });
    if (code === 0) return;
    if (attempt === 4) t.skip(`this machine is too busy: ${stderr}`);
    if (attempt === 4) return;
  }
});
