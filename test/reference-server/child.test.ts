import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ChildReply, ChildRequest } from '../../reference-server/index.ts';
import { Client } from './client.ts';

const timeout = 20_000;
const entry = fileURLToPath(new URL('../../reference-server/child.js', import.meta.url));

async function started(
  t: TestContext,
  request: ChildRequest,
): Promise<{
  child: ChildProcess;
  reply: ChildReply;
  exit: Promise<[number | null, NodeJS.Signals | null]>;
}> {
  const child = fork(entry, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const exit = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once('exit', (code, signal) => resolve([code, signal]));
  });
  t.after(() => child.kill('SIGKILL'));
  const reply = new Promise<ChildReply>((resolve) =>
    child.once('message', (message) => resolve(message as ChildReply)),
  );
  child.send(request);
  return { child, reply: await reply, exit };
}

test('it serves with the limits asked for, and mints tokens of different subjects', {
  timeout,
}, async (t) => {
  const { child, reply, exit } = await started(t, { limits: 'off', tokens: 3 });
  assert.ok(reply.type === 'ready', JSON.stringify(reply));
  const subs = new Set<string | null>();
  for (const token of reply.tokens) {
    const client = await Client.open(`${reply.url}/ws`, token);
    const welcome = (await client.next('WELCOME')).payload;
    assert.equal(welcome.limits.name, 'off');
    subs.add(welcome.sub);
  }
  assert.equal(subs.size, 3);
  child.kill('SIGINT');
  const client = await Client.open(`${reply.url}/ws`);
  assert.equal((await client.request('PING')).type, 'PONG');
  child.kill('SIGTERM');
  assert.equal((await client.closed).code, 1001);
  assert.deepEqual(await exit, [0, null]);
});

test('it goes when its parent does', { timeout }, async (t) => {
  const { child, reply, exit } = await started(t, {});
  assert.ok(reply.type === 'ready');
  assert.deepEqual(reply.tokens, []);
  assert.equal(
    (await (await Client.open(`${reply.url}/ws`)).next('WELCOME')).payload.limits.name,
    'development',
  );
  child.disconnect();
  assert.deepEqual(await exit, [0, null]);
});

test('it says why it could not start', { timeout }, async (t) => {
  const { reply, exit } = await started(t, { limits: 'bogus' as 'off' });
  assert.ok(reply.type === 'failed' && reply.message.includes('"bogus"'), JSON.stringify(reply));
  assert.equal((await exit)[1], null);
});
