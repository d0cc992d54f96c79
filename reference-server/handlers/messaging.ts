// Channels: PUBLISH, SUBSCRIBE, UNSUBSCRIBE.
import type { BusMessage, Position } from '../bus/bus.ts';
import type { Connection } from '../connection.ts';
import { roles } from '../identity.ts';
import { Refusal } from '../refusal.ts';
import { ack, type Handler, identityOfCall } from './handler.ts';

const maxSubscriptions = 100;

export const publish: Handler<'PUBLISH'> = {
  access: roles,
  remember: 'subject',
  async handle(call) {
    const { channel, data } = call.payload;
    const { tenant } = identityOfCall(call);
    const published = await call.server.bus.publish(tenant, channel, data, call.effectId);
    return ack({ for: 'PUBLISH', channel, ...published });
  },
};

export const subscribe: Handler<'SUBSCRIBE'> = {
  access: roles,
  remember: 'connection',
  async handle(call) {
    const { payload, connection, server } = call;
    const { channel, since } = payload;
    if (!connection.subscriptions.has(channel) && connection.subscriptions.size >= maxSubscriptions) {
      throw new Refusal('LIMIT_EXCEEDED', `a connection may subscribe to ${maxSubscriptions} channels`);
    }
    await connection.subscriptions.get(channel)?.();
    // What is published from here on waits until the ACK and what was missed have been sent.
    let held: (() => void)[] | undefined = [];
    const inTurn = (send: () => void): void => {
      if (held) held.push(send);
      else send();
    };
    const gap = (position: Position): void => {
      const { epoch, offset } = position;
      connection.send('GAP', { channel, epoch, offset });
    };
    const subscription = await server.bus.subscribe(
      identityOfCall(call).tenant,
      channel,
      (message) => inTurn(() => deliver(connection, message, server.options.clock.epochMs())),
      since,
      (position) => inTurn(() => gap(position)),
    );
    connection.subscriptions.set(channel, subscription.unsubscribe);
    const { epoch, offset, recovered, missed } = subscription;
    return ack({ for: 'SUBSCRIBE', channel, epoch, offset, recovered }, () => {
      if (since && !recovered) gap({ epoch, offset });
      const nowMs = server.options.clock.epochMs();
      for (const message of missed) deliver(connection, message, nowMs);
      for (const send of held ?? []) send();
      held = undefined;
    });
  },
};

export const unsubscribe: Handler<'UNSUBSCRIBE'> = {
  access: roles,
  remember: 'connection',
  async handle({ payload, connection }) {
    const { channel } = payload;
    const end = connection.subscriptions.get(channel);
    connection.subscriptions.delete(channel);
    await end?.();
    return ack({ for: 'UNSUBSCRIBE', channel });
  },
};

/** One encoding serves all subscribers of a message. */
const encoded = new WeakMap<BusMessage, string>();

function deliver(connection: Connection, message: BusMessage, nowMs: number): void {
  let text = encoded.get(message);
  if (text === undefined) {
    const { channel, epoch, offset, data } = message;
    text = JSON.stringify({ type: 'MESSAGE', timestamp: nowMs, payload: { channel, epoch, offset, data } });
    encoded.set(message, text);
  }
  connection.sendText('MESSAGE', text);
}
