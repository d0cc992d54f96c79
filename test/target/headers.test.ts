import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quick } from '../../lib/index.ts';
import { joinHeaders } from '../../lib/target/headers.ts';

// biome-ignore format: a table
const rows: [name: string, given: [string, string][], joined: Record<string, string>][] = [
  ['none', [], {}],
  ['different names', [['A', '1'], ['B', '2']], { A: '1', B: '2' }],
  ['one name twice', [['X-A', '1'], ['X-A', '2']], { 'X-A': '1, 2' }],
  ['one name in two spellings', [['X-A', '1'], ['x-a', '2']], { 'X-A': '1, 2' }],
  ['cookies', [['Cookie', 'a=1'], ['cookie', 'b=2']], { Cookie: 'a=1; b=2' }],
];

for (const [name, given, joined] of rows) {
  test(`headers: ${name}`, () => assert.deepEqual(joinHeaders(given), joined));
}

test('headers: quick sends every header that is given, also one name twice', {
  timeout: 20_000,
}, async (t) => {
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  t.after(() => server.close());
  const cookies = new Set<string | undefined>();
  server.on('connection', (socket, request) => {
    cookies.add(request.headers.cookie);
    socket.on('error', () => {});
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  const headers: [string, string][] = [
    ['Cookie', 'a=1'],
    ['Cookie', 'b=2'],
  ];
  await quick(`ws://127.0.0.1:${address.port}/`, { preset: 'echo', only: ['connect', 'bad-frame'], headers });
  assert.deepEqual([...cookies], ['a=1; b=2']);
});
