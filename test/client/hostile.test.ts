// The client against servers that do everything wrong: it survives, says what was wrong, settles every promise, and stays small.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hostilities } from './hostile-behaviours.ts';
import type { HostileOutcome, HostileSummary, HostileTask } from './hostile-child.ts';
import { rawServer, type Seen } from './raw-server.ts';

const timeout = 120_000;
const maxGrownBytes = 16 * 1024 * 1024;
const child = fileURLToPath(new URL('hostile-child.js', import.meta.url));

describe('hostile servers', { timeout }, () => {
  let summary: HostileSummary | undefined;
  let seen: (path: string) => Seen = () => ({ connections: 0, texts: 0, closeCodes: [] });
  let exit: { code: number | null; stderr: string } | undefined;
  const ends: (() => Promise<void>)[] = [];
  after(async () => {
    for (const end of ends) await end();
  });

  before(
    async () => {
      const byName = new Map(hostilities.map((row) => [row.name, row]));
      const server = await rawServer(
        { after: (run: () => Promise<void>) => void ends.push(run) },
        (connection) => {
          if (connection.path === 'honest') {
            connection.welcome();
            connection.messages(({ id, type }) => {
              const payload = { channel: 'news', epoch: 'e', offset: 0, code: 'NOT_DELIVERED' };
              connection.send({ type: type === 'COMMAND' ? 'ERROR' : 'ACK', id, payload });
            });
          } else {
            byName.get(connection.path)?.serve(connection);
          }
        },
      );
      seen = server.seen;
      const url = `ws://127.0.0.1:${server.port}`;
      const tasks: HostileTask[] = [
        { name: 'honest', url: `${url}/honest`, options: {}, isAlone: false },
        ...hostilities.map(({ name, options = {}, isAlone = false }) => ({
          name,
          url: `${url}/${name}`,
          options,
          isAlone,
        })),
      ];
      // A nursery of V8's that grew would hide what the client holds.
      const running = spawn(
        process.execPath,
        ['--expose-gc', '--max-semi-space-size=1', child, JSON.stringify(tasks)],
        {
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      const over = new Promise<number | null>((resolve) => running.on('close', resolve));
      const [stdout, stderr, code] = await Promise.all([text(running.stdout), text(running.stderr), over]);
      exit = { code, stderr };
      summary = JSON.parse(stdout || 'null') ?? undefined;
    },
    { timeout },
  );

  test('there are 30 and more, each with a name of its own', () => {
    assert.ok(hostilities.length >= 30);
    assert.equal(new Set(hostilities.map(({ name }) => name)).size, hostilities.length);
  });

  for (const { name, expect } of hostilities) {
    test(name, () => {
      const outcome: HostileOutcome | undefined = summary?.outcomes.find((each) => each.name === name);
      assert.ok(outcome, exit?.stderr);
      const told = JSON.stringify(outcome);
      assert.equal(outcome.results.connect, expect.connect, told);
      assert.equal(Object.keys(outcome.results).length, 6);
      for (const [what, end] of Object.entries(outcome.results)) {
        assert.ok(!end.startsWith('foreign'), `${what}: ${end}`);
        assert.equal(end, expect.results?.[what] ?? end, `${what}: ${told}`);
      }
      const [first] = outcome.ends;
      assert.equal(first?.code, expect.code, told);
      if (expect.by) assert.equal(first?.by, expect.by, told);
      assert.equal(first?.httpStatus, expect.httpStatus, told);
      // Redirects are not followed, and no address is asked more often than the client says.
      if (expect.connect === 'ATTEMPTS') assert.equal(seen(name).connections, 2);
      if (expect.sent !== undefined) assert.equal(seen(name).closeCodes[0], expect.sent);
      assert.ok(
        seen(name).texts <= (expect.maxTexts ?? Number.POSITIVE_INFINITY),
        `${seen(name).texts} messages`,
      );
      assert.ok(outcome.violations >= (expect.violations ?? 0), told);
      const [least, most] = expect.delayMs ?? [0, Number.POSITIVE_INFINITY];
      for (const delayMs of outcome.delaysMs) assert.ok(delayMs >= least && delayMs <= most, told);
      if (expect.delayMs) assert.ok(outcome.delaysMs.length > 0, told);
      if (expect.heard) assert.deepEqual(outcome.heard, expect.heard);
      assert.equal(outcome.state, 'closed');
      // The bound is closeTimeoutMs, 50; the rest is a process that does twelve things at a time on a busy machine.
      assert.ok(outcome.closeMs < 1500, told);
    });
  }

  test('nobody was asked for what a redirect named', () => {
    assert.equal(seen('elsewhere').connections, 0);
  });

  test('nothing is left, nothing was uncaught, nothing grew', (t) => {
    assert.ok(summary);
    const grown = summary.outcomes.flatMap(({ name, grownBytes }) =>
      grownBytes === undefined ? [] : [{ name, grownBytes }],
    );
    grown.push({ name: 'all others together', grownBytes: summary.grownBytes });
    for (const { name, grownBytes } of grown) {
      t.diagnostic(`${name}: RSS +${(grownBytes / 1024 / 1024).toFixed(1)} MiB`);
    }
    assert.deepEqual([summary.left, summary.uncaught, summary.isPolluted], [[], [], false]);
    assert.deepEqual(exit, { code: 0, stderr: '' });
    assert.deepEqual(
      grown.filter(({ grownBytes }) => grownBytes > maxGrownBytes),
      [],
    );
  });
});
