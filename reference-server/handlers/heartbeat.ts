// PING and PONG.
import type { Handler } from './handler.ts';

export const ping: Handler<'PING'> = {
  access: 'anyone',
  handle: ({ server }) => ({ type: 'PONG', payload: { serverTime: server.options.clock.epochMs() } }),
};

/** A PONG is never answered. One that answers the outstanding PING was recorded on arrival; any other means nothing. */
export const pong: Handler<'PONG'> = { access: 'session', handle: () => undefined };
