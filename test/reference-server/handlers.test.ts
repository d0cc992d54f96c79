import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bus, BusMessage, Subscription } from '../../reference-server/bus/bus.ts';
import type { Connection } from '../../reference-server/connection.ts';
import { command } from '../../reference-server/handlers/dashboard.ts';
import { subscribe } from '../../reference-server/handlers/messaging.ts';
import { resolveOptions } from '../../reference-server/options.ts';
import type { ServerContext } from '../../reference-server/server-context.ts';

// A bus in another process may hand something over before it has answered. The memory bus never does.

function call(bus: Partial<Bus>): { connection: Connection; server: ServerContext; sent: string[] } {
  const sent: string[] = [];
  const connection = {
    identity: { sub: 's', tenant: 't', roles: ['dashboard'] },
    subscriptions: new Map(),
    commands: new Map(),
    send: (type: string, payload: { offset?: number }) => sent.push(`${type} ${payload.offset ?? ''}`.trim()),
    sendText: (type: string, text: string) =>
      sent.push(`${type} ${(JSON.parse(text) as { payload: BusMessage }).payload.offset}`),
  };
  const server = { options: resolveOptions({}), bus } as unknown as ServerContext;
  return { connection: connection as unknown as Connection, server, sent };
}

test('messages that arrive before the ACK of SUBSCRIBE wait for it, behind what was missed', async () => {
  const message = (offset: number): BusMessage => ({ channel: 'c', epoch: 'e', offset, data: null });
  let publish: (message: BusMessage) => void = () => {};
  const { connection, server, sent } = call({
    async subscribe(_tenant, _channel, onMessage): Promise<Subscription> {
      publish = onMessage;
      publish(message(3));
      return { epoch: 'e', offset: 2, recovered: true, missed: [message(2)], unsubscribe: async () => {} };
    },
  });
  const payload = { channel: 'c', since: { epoch: 'e', offset: 1 } };
  const reply = await subscribe.handle({ payload, connection, server });
  publish(message(4));
  assert.deepEqual(sent, []);
  reply?.after?.();
  publish(message(5));
  assert.deepEqual(sent, ['MESSAGE 2', 'MESSAGE 3', 'MESSAGE 4', 'MESSAGE 5']);
});

test('an outcome that arrives before the ACK of COMMAND waits for it', async () => {
  const { connection, server, sent } = call({
    async command(_tenant, { commandId, agentId }, _timeoutMs, onOutcome) {
      onOutcome({ commandId, agentId, status: 'ok' });
      return { delivered: true, cancel: () => {} };
    },
  });
  const reply = await command.handle({ payload: { agentId: 'g', command: 'go' }, connection, server });
  assert.deepEqual(sent, []);
  assert.equal(connection.commands.size, 0);
  reply?.after?.();
  assert.deepEqual(sent, ['COMMAND_RESULT']);
});
