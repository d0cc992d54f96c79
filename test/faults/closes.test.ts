// Every close code there is, sent by the target: counted as it came, judged by RFC 6455 §7.4, and bounded in the reports.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DriverName } from '../../lib/load/plan.ts';
import { renderText } from '../../reports/index.ts';
import { emptyFolder, run } from '../cli/spawn.ts';
import { echoLoad } from '../fixtures/echo-load.ts';
import { ended } from '../fixtures/ended.ts';
import { startLoadServer } from '../fixtures/server-process.ts';
import { isLong } from '../require.ts';

const first = 1000;
const last = 4999;
const load = [...echoLoad, '-d', '1s', '-t', '1s'];

/** True when an endpoint may send it in a close frame. RFC 6455 §7.4, and the registry up to 1014. */
function isAllowed(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
}

for (const driver of ['native', 'ws'] as const satisfies DriverName[]) {
  const step = isLong || driver === 'native' ? 1 : 7;
  const count = Math.ceil((last - first + 1) / step);
  test(`each code from ${first} to ${last}${step > 1 ? ` (one of ${step})` : ''}, ${driver} driver`, {
    timeout: 90_000,
  }, async (t) => {
    const server = await startLoadServer(t, { mode: 'close-each', code: first, n: step });
    const args = ['stress', server.url, '-c', String(count), '-r', `${count}/s`, '--driver', driver];
    const result = ended(await run([...args, ...load, '-t', '20s', '--json'], { cwd: emptyFolder(t) }), 99);
    const codes = Array.from({ length: count }, (_, at) => first + at * step);
    const good = codes.filter(isAllowed);
    const byPeer = result.closes.filter(({ by }) => by === 'peer');
    assert.deepEqual(
      byPeer.map((close) => close.code).sort((a, b) => a - b),
      good,
    );
    assert.ok(byPeer.every((close) => close.count === 1 && close.clean));
    // All others break the protocol, and are answered with 1002.
    const bad = codes.length - good.length;
    assert.equal(result.counters.protocol_errors, bad);
    assert.equal(result.closes.find((close) => close.code === 1002 && close.by === 'us')?.count, bad);
    assert.equal(result.counters['connections.closed'], count);
    assert.equal(result.counters['connections.abnormal'], good.includes(1000) ? count - 1 : count);
    const text = renderText([result], { width: 100, color: false, unicode: true });
    assert.ok(text.split('\n').length < 120, `a report of ${text.split('\n').length} lines`);
  });
}

describe('how a connection ends', { concurrency: 3 }, () => {
  // biome-ignore format: a table
  const ends: [string, Parameters<typeof startLoadServer>[1], { code: number; by: 'peer' | 'none'; clean: boolean }, number, RegExp][] = [
    ['no code is 1005', { mode: 'close', n: 5, noCode: true }, { code: 1005, by: 'peer', clean: true }, 99, /close frame without a code \(1005\)/],
    ['no close frame is 1006', { mode: 'drop', n: 5 }, { code: 1006, by: 'none', clean: false }, 99, /TCP dropped without a close frame \(1006\)/],
    ['a RST is 1006, too', { mode: 'reset', n: 5 }, { code: 1006, by: 'none', clean: false }, 99, /\(1006\)/],
    ['1000 in the middle leaves messages unsent', { mode: 'close', n: 5, code: 1000 }, { code: 1000, by: 'peer', clean: true }, 99, /close code 1000 \(normal closure\)/],
    ['a reason of 123 bytes, all control characters', { mode: 'close', n: 5, code: 4000, reason: '\u001b[2J\u0007\u0000'.repeat(20) }, { code: 4000, by: 'peer', clean: true }, 99, /close code 4000/],
  ];
  for (const [name, options, wanted, exit, says] of ends) {
    test(name, { timeout: 60_000 }, async (t) => {
      const server = await startLoadServer(t, options);
      const args = ['stress', server.url, '-c', '4', '-r', '100/s', ...load];
      const cwd = emptyFolder(t);
      const finished = await run([...args, '-o', 'report.json', '--json'], { cwd });
      const result = ended(finished, exit);
      assert.deepEqual(result.closes, [{ ...wanted, count: 4 }]);
      assert.ok(result.counters['messages.unsent'] > 0);
      const { stdout: text } = await run(['report', 'report.json'], { cwd });
      assert.match(text.replace(/\s+/g, ' '), says);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
      assert.doesNotMatch(text + finished.stderr, /[\u0000-\u0008\u001b]/);
    });
  }
});
