// Verdicts that Autobahn|Testsuite itself gave to servers, and ours of the same servers: each pair is equal.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { allCases } from '../../lib/conform/cases.ts';
import { hasWebsockets, startPythonEcho } from '../fixtures/echo-servers.ts';
import { startEchoServer } from '../fixtures/server-process.ts';
import { skipUnless } from '../require.ts';
import { idsOf, linesOf, runCases } from './run-cases.ts';

type Known = Record<string, { server: string; verdicts: Record<string, string> }>;

const file = fileURLToPath(new URL('../../../test/conform/expected/servers.json', import.meta.url));
const known = JSON.parse(readFileSync(file, 'utf8')) as Known;

/** What is known of a server: `id verdict` of each case that was run. */
function truthOf(name: string): string[] {
  const words = new Map<string, string>();
  for (const [word, patterns] of Object.entries(known[name]?.verdicts ?? {})) {
    for (const id of idsOf(...patterns.split(' '))) words.set(id, word);
  }
  return allCases
    .map(({ id }) => `${id} ${words.get(id) ?? 'OK/OK'}`)
    .filter((line) => !line.endsWith('not run'));
}

/** Runs all cases that are known, and compares. */
async function compare(
  url: string,
  name: string,
  without: (id: string) => boolean,
  messages = 20,
): Promise<void> {
  const truth = truthOf(name).filter((line) => !without(line.split(' ')[0] ?? ''));
  const result = await runCases(
    url,
    truth.map((line) => line.split(' ')[0] ?? ''),
    { messages },
  );
  assert.deepEqual(linesOf(result), truth);
}

// Compression has its own test below, with fewer messages.
const isDeflate = (id: string): boolean => /^1[23]\./.test(id);

test('ws: all verdicts but those of compression', { timeout: 170_000 }, async (t) => {
  const { url } = await startEchoServer(t, 'ws');
  await compare(`${url}/`, 'node-ws', isDeflate);
});

test('ws: the verdicts of compression', { timeout: 170_000 }, async (t) => {
  const { url } = await startEchoServer(t, 'ws');
  await compare(`${url}/`, 'node-ws', (id) => !isDeflate(id), 4);
});

test('@fastify/websocket: all 517 verdicts', { timeout: 170_000 }, async (t) => {
  const { url } = await startEchoServer(t, 'fastify');
  await compare(`${url}/`, 'node-fastify-websocket', () => false);
});

test('websockets for Python: the verdicts of small messages', {
  timeout: 170_000,
  skip: skipUnless('websockets', hasWebsockets()),
}, async (t) => {
  // Its maximum of 1 MiB is not the one that the verdicts of section 9 are of.
  await compare(await startPythonEcho(t), 'py-websockets', (id) => id.startsWith('9.') || isDeflate(id));
});
