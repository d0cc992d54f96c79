// What a connection says of its own accord: its opening, its heartbeats, and the answers to the target's heartbeats. Pure.

import type { TokenPlace } from '../target/credential.ts';
import { compileHeartbeats, type HeartbeatReply } from '../target/heartbeats.ts';
import { type Received, valueAt } from '../target/matcher.ts';
import { type ConnectionValues, connectionMessage, Opening, OpeningPlan } from '../target/opening.ts';
import type { Target } from '../target/target.ts';

/** Whose part a connection plays. */
export interface TalkOptions {
  /** How the target talks; null when nothing is known, or nothing is to be said. */
  target: Target | null;
  place: TokenPlace;
  values: ConnectionValues;
  /** Do what `join` and a token by message ask for. */
  joins: boolean;
  /** Answer the target's heartbeats. */
  answersHeartbeats: boolean;
}

/** The talk of one connection. */
export class Talk {
  readonly opening: Opening;
  readonly values: ConnectionValues;
  /** The connection's own heartbeat. */
  readonly heartbeat: { everyMs: number; text: string } | null;
  readonly #answer: HeartbeatReply | undefined;

  constructor({ target, place, values, joins, answersHeartbeats }: TalkOptions) {
    this.values = values;
    const described = joins ? target : null;
    this.opening = new Opening(
      new OpeningPlan(described, joins ? place : { in: 'header' }, values.token !== undefined),
      values,
    );
    const { every, send } = target?.heartbeat ?? {};
    this.heartbeat =
      every === undefined || send === undefined
        ? null
        : { everyMs: every, text: connectionMessage(send, values, undefined) };
    if (answersHeartbeats)
      this.#answer = target?.speaks === 'wsbench' ? answerTypedPing : compileHeartbeats(target);
  }

  /** True when a message that comes changes nothing and is answered by nothing. */
  get isMute(): boolean {
    return this.opening.state !== 'waiting' && this.#answer === undefined;
  }

  /** Begins, once the connection is open: the texts to send now. */
  start(): string[] {
    return this.opening.start();
  }

  /** Takes a message that came: the texts to send now. */
  receive(message: Received): string[] {
    const answer = this.#answer?.(message, this.values);
    return [...(answer === undefined ? [] : [answer]), ...this.opening.receive(message)];
  }
}

/** The reference protocol's PONG carries the id of its PING, if there is one. */
function answerTypedPing({ body }: Received): string | undefined {
  if (valueAt(body, ['type']) !== 'PING') return undefined;
  const id = valueAt(body, ['id']);
  return JSON.stringify({ type: 'PONG', ...(typeof id === 'string' ? { id } : {}) });
}
