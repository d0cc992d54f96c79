// What a handler is: one entry per type says who may send it, whether its answer is remembered, and what it does.
import type { z } from 'zod';
import type { Connection } from '../connection.ts';
import type { Identity, Role } from '../identity.ts';
import type { acks, ClientMessage, ClientType } from '../messages.ts';
import type { ServerContext } from '../server-context.ts';

export type PayloadOf<T extends ClientType> = Extract<ClientMessage, { type: T }>['payload'];

/** The one answer to a message. `after` runs once it has been sent. */
export interface Reply {
  type: 'PONG' | 'ECHO' | 'ACK';
  payload: unknown;
  after?: () => void;
}

export interface Call<T extends ClientType> {
  payload: PayloadOf<T>;
  connection: Connection;
  server: ServerContext;
  /** The same when a message is handled again because nobody knows how far the first try came. Unset without an id. */
  effectId?: string;
}

export interface Handler<T extends ClientType> {
  /** `session`: anyone at any time. `anyone`: also the anonymous, where they are allowed. Else one of these roles. */
  access: 'session' | 'anyone' | readonly Role[];
  /**
   * Within what a repeated id gets the stored answer. `subject`: what has an effect on others, across reconnects.
   * `connection`: what changes this connection only; a new connection has to do it again. Unset: harmless to repeat.
   */
  remember?: 'subject' | 'connection';
  /** Throws a Refusal to answer with an ERROR. Returns nothing only for a type that is never answered. */
  handle(call: Call<T>): Reply | undefined | Promise<Reply>;
}

type AckContext = { [T in keyof typeof acks]: z.output<(typeof acks)[T]> }[keyof typeof acks];

/** An ACK that says what it answers. */
export function ack(context: AckContext, after?: () => void): Reply {
  return { type: 'ACK', payload: context, ...(after ? { after } : {}) };
}

/** The identity behind a handler that asks for a role; the dispatcher has checked it. */
export function identityOfCall({ connection }: { connection: Connection }): Identity {
  if (!connection.identity) throw new Error('a handler that asks for a role was called without one');
  return connection.identity;
}
