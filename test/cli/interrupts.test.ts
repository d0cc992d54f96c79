// Ctrl-C at instants left to chance: whatever the command was doing, every report is whole, and says that it was stopped.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseResult } from '../../lib/index.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { reporters } from '../../reports/index.ts';
import { formatChecks } from '../fixtures/format-checks.ts';
import { startScriptedServer } from '../fixtures/server-process.ts';
import { emptyFolder, start } from './spawn.ts';

const seed = Number(process.env.WSBENCH_TEST_SEED ?? Date.now() % 2 ** 31);

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
function chance(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const load = ['-d', '600ms', '--warmup', '200ms', '-t', '300ms', '-r', '500/s'];
/** What is interrupted, and how long it takes when it is not, in ms. */
const commands: { words: (url: string) => string[]; lastsMs: number }[] = [
  { words: (url) => ['stress', url, '--preset', 'echo', ...load], lastsMs: 1500 },
  { words: (url) => ['conform', url, '1.*', '2.*', '4.*', '6.*', '7.*'], lastsMs: 1500 },
  { words: (url) => ['quick', url, '--preset', 'echo'], lastsMs: 700 },
  {
    words: (url) => ['stress', url, '--preset', 'echo', ...load, '-w', '2', '--driver', 'ws'],
    lastsMs: 1500,
  },
  { words: (url) => ['conform', url, '7.*', '--agent', `second=${url}`, '--repeat', '3'], lastsMs: 1500 },
];
const names = Object.values(reporters).map(({ extension }) => `r${extension}`);
const outputs = names.flatMap((name) => ['-o', name]);
const instants = 20;
let stopped = 0;

describe(`interrupts, WSBENCH_TEST_SEED=${seed}`, { concurrency: 2 }, () => {
  const random = chance(seed);
  for (let n = 0; n < instants; n++) {
    const command = commands[n % commands.length];
    assert.ok(command);
    const afterMs = Math.round(random() * command.lastsMs);
    const [what] = command.words('');
    test(`SIGINT ${afterMs} ms after ${what} first connected: whole reports`, {
      timeout: 60_000,
    }, async (t) => {
      const server = await startScriptedServer(t, { every: 1000, at: {} });
      const cwd = emptyFolder(t);
      const running = start([...command.words(server.url), ...outputs, '--no-save'], { cwd });
      while ((await server.tally()).upgrades === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      running.child.kill('SIGINT');
      const signalledMs = performance.now();
      const { code, stdout, stderr } = await running.finished;
      // 5 s are promised; what is written, and a busy machine, take their time.
      assert.ok(performance.now() - signalledMs < 8000, 'it took too long to end');
      assert.deepEqual(readdirSync(cwd).sort(), names.toSorted(), stderr);
      const read = (name: string): string => readFileSync(join(cwd, name), 'utf8');
      const result = parseResult(read('r.json'), 'r.json');
      for (const [format, { extension }] of Object.entries(reporters)) {
        const report = read(`r${extension}`);
        formatChecks[format]?.(report, { text: '', benign: report, result });
      }
      if (result.kind === 'stress') assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
      // It may have been over by then.
      if (result.run.complete) return;
      stopped++;
      assert.ok(result.reasons.some((reason) => reason.code === 'sigint'));
      // What the generator was too slow for wins over the signal.
      const limited = result.reasons.some((reason) => reason.code === 'generator-limited');
      assert.equal(code, limited ? 4 : 130, stderr);
      assert.equal(result.outcome, limited ? 'inconclusive' : 'interrupted');
      const said = limited ? /inconclusive/i : /interrupted/i;
      assert.match(stdout, said);
      for (const name of names.filter((one) => one !== 'r.csv')) assert.match(read(name), said, name);
      assert.match(read('r.xml'), /<error type="sigint"/);
      assert.match(stderr.trim().split('\n').at(-1) ?? '', limited ? /^exit 4: / : /^exit 130: /);
    });
  }
});

test('interrupts: enough of them came before the end', () => {
  assert.ok(stopped >= instants / 4, `${stopped} of ${instants}, WSBENCH_TEST_SEED=${seed}`);
});
