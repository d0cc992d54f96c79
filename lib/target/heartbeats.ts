// What the target's own heartbeats are answered with. Pure.
import { compileMatcher, type Received } from './matcher.ts';
import { type ConnectionValues, connectionMessage } from './opening.ts';
import type { Target } from './target.ts';

/** The text that answers a message, if it is a heartbeat of the target's; undefined: it is none. */
export type HeartbeatReply = (message: Received, values: ConnectionValues) => string | undefined;

/** Compiles `heartbeat.reply` of a target, of which the first that fits counts; undefined: it has none. */
export function compileHeartbeats(target: Target | null): HeartbeatReply | undefined {
  const replies = (target?.heartbeat.reply ?? []).map(({ when, send }) => ({
    is: compileMatcher(when),
    send,
  }));
  if (replies.length === 0) return undefined;
  return (message, values) => {
    for (const { is, send } of replies) if (is(message)) return connectionMessage(send, values, message);
    return undefined;
  };
}
