// What a peer's text may do beyond its message: in the log, and in regular expressions.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { handlers } from '../../reference-server/handlers/index.ts';
import type { LogEntry } from '../../reference-server/index.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client } from '../reference-server/client.ts';
import { listening, unguarded } from '../reference-server/servers.ts';

const timeout = 30_000;

/** Lets PING fail with the text that it came with: the worst that a handler could do. */
function failingPing(t: TestContext): void {
  const table = handlers as unknown as Record<string, { handle: unknown }>;
  const { PING: entry } = table;
  assert.ok(entry);
  const { handle } = entry;
  t.after(() => {
    entry.handle = handle;
  });
  entry.handle = ({ payload }: { payload: { text: string } }) => {
    throw new Error(payload.text);
  };
}

test('MS-10 whatever a peer writes is one line of the log, escaped and cut', { timeout }, async (t) => {
  failingPing(t);
  const log: LogEntry[] = [];
  const server = await listening(t, { heartbeat: noHeartbeat, logger: (entry) => log.push(entry) });
  const client = await Client.open(`${server.url}/ws`);
  const injections = [
    'a\nerror: forged line',
    'b\r\nc',
    '\u001b[2J\u001b]0;title\u0007',
    '%s%s%n',
    `\${jndi:ldap://x/a}`,
    '\u202eright to left',
    '\u0000\u0085\u2028\u2029\u009b31m',
    'x'.repeat(60_000),
  ];
  for (const text of injections) assert.equal((await client.error('PING', { text })).code, 'INTERNAL');
  assert.equal(log.length, injections.length);
  for (const { message } of log) {
    assert.ok(message.startsWith('handler of PING failed: '), message);
    // Each escaped character takes up to eight.
    assert.ok(message.length <= 256 + 8 * 20, `${message.length} characters`);
    assert.doesNotMatch(message, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  }
  assert.ok(log[0]?.message.includes('a\\u000aerror: forged line'), log[0]?.message);
  assert.equal(log.at(-1)?.message.length, 256);
  assert.equal((await client.request('ECHO', 1)).type, 'ECHO');
});

test('RS-15 at most 100 lines of a kind reach the log in a second, and then how many did not', {
  timeout,
}, async (t) => {
  failingPing(t);
  const lines: { atMs: number; message: string }[] = [];
  const server = await listening(t, {
    heartbeat: noHeartbeat,
    logger: ({ message }) => lines.push({ atMs: performance.now(), message }),
  });
  const client = await Client.open(`${server.url}/ws`);
  const startedMs = performance.now();
  const errors = 5000;
  for (let n = 0; n < errors; n++) client.send({ type: 'PING', payload: { text: `number ${n}` } });
  for (let n = 0; n < errors; n++) await client.next('ERROR');
  const windows = Math.ceil((performance.now() - startedMs) / 1000) + 1;
  assert.equal((await client.request('ECHO', 1)).type, 'ECHO');
  const summaries = (): number[] =>
    lines.flatMap(({ message }) => Number(/\((\d+) more within 1 s\)$/.exec(message)?.[1] ?? []) || []);
  while (lines.length - summaries().length + summaries().reduce((a, b) => a + b, 0) < errors) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.diagnostic(`${errors} errors: ${lines.length} lines`);
  assert.ok(lines.length <= windows * 101, `${lines.length} lines in ${windows} s`);
  assert.ok(summaries().length > 0);
});

test('RS-15 without maxLogLines: every error is a line', { timeout }, async (t) => {
  failingPing(t);
  let lines = 0;
  const server = await unguarded(
    t,
    { maxLogLines: Number.POSITIVE_INFINITY },
    {
      heartbeat: noHeartbeat,
      logger: () => {
        lines += 1;
      },
    },
  );
  const client = await Client.open(`${server.url}/ws`);
  for (let n = 0; n < 2000; n++) client.send({ type: 'PING', payload: { text: `number ${n}` } });
  for (let n = 0; n < 2000; n++) await client.next('ERROR');
  assert.equal(lines, 2000);
});

/** Every regular expression in the compiled files below a folder. */
function regexesOf(folder: string): { file: string; source: string; flags: string }[] {
  const root = fileURLToPath(new URL(`../../${folder}`, import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.js'),
  );
  return files.flatMap((file) => {
    const code = readFileSync(join(root, file), 'utf8').replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '');
    const literal =
      // What follows an operand is a division.
      /(?:(?<=\breturn\s)|(?<=[=(,:!?[\s])(?<![\w)\]]\s*))\/(?![*/])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+)\/([a-z]*)(?=[).,;\s])/g;
    return [...code.matchAll(literal)].map(([, source = '', flags = '']) => ({ file, source, flags }));
  });
}

test('MS-11 no regular expression of the server takes long, whatever it is given', { timeout }, (t) => {
  const regexes = [...regexesOf('reference-server'), ...regexesOf('lib/token')];
  const sources = regexes.map(({ source }) => source);
  for (const known of ['^[\\w.:/-]+$', '^[+/0-9A-Za-z]{22}==$']) assert.ok(sources.includes(known), known);
  const pads = ['a', '0', ' ', '=', '.', 'a.', '"', '\\', 'a,', ':', '::', '-', '\r\n', '/'];
  const texts = pads.flatMap((pad) => [
    `${pad.repeat(50_000 / pad.length)}!`,
    `!${pad.repeat(50_000 / pad.length)}`,
  ]);
  let slowest = { ms: 0, source: '' };
  for (const { file, source, flags } of regexes) {
    const regex = new RegExp(source, flags.replaceAll(/[gy]/g, ''));
    for (const text of texts) {
      let ms = Number.POSITIVE_INFINITY;
      for (let run = 0; run < 3 && ms >= 5; run++) {
        const startedMs = performance.now();
        regex.test(text);
        ms = Math.min(ms, performance.now() - startedMs);
      }
      if (ms > slowest.ms) slowest = { ms, source };
      assert.ok(
        ms < 5,
        `${file}: /${source}/ took ${ms.toFixed(1)} ms on ${JSON.stringify(text.slice(0, 8))}…`,
      );
    }
  }
  t.diagnostic(`${regexes.length} expressions, the slowest ${slowest.ms.toFixed(2)} ms: /${slowest.source}/`);
});
