// The socket under ioredis: whatever happens to it, and however often, ends no process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redisConnector } from '../../reference-server/bus/redis-connector.ts';
import { redisSettings } from '../../reference-server/bus/redis-settings.ts';

test('a socket to Redis that fails twice ends no process', { timeout: 10_000 }, async () => {
  const Connector = redisConnector(redisSettings({ url: 'redis://127.0.0.1:1' }));
  const connector = new Connector();
  const socket = (await connector.connect(() => {})) as NodeJS.EventEmitter;
  await new Promise((resolve) => socket.once('close', resolve));
  // An error that nobody listens to is thrown.
  socket.emit('error', new Error('again'));
  assert.match(String(connector.firstError), /ECONNREFUSED/);
  connector.disconnect();
});
