// connect: the URL opens a WebSocket; a reference server also greets with WELCOME.
import { closeAdvice } from '../../cause/close-code.ts';
import { presetOfClose, presetOfMessage } from '../../target/recognise.ts';
import { type Check, failed, passed } from '../check.ts';
import { describeClosed } from '../closed.ts';
import { CheckConnection } from '../connection.ts';
import { type ConnectFailure, describeFailure } from '../failure.ts';
import { readWelcome } from '../message.ts';

interface Evidence {
  failure: ConnectFailure | null;
  /** How the server ended the connection right after it opened. */
  closed: string | null;
  handshakeMs: number;
  subprotocol: string;
  /** Null: not asked for. False: asked for, and did not come first or lacked what it must announce. */
  greeted: boolean | null;
  /** Type of the first message, if there was one. */
  first: string | null;
  /** The preset that a target gives away of which nothing is known. */
  preset: string | null;
}

/** A server that does not want the connection says so by now, even over a long line. */
const stayMs = 150;

export const connect: Check<Evidence> = {
  id: 'connect',
  title: 'Connection opens',
  tags: ['quick'],
  needs: [],
  impact: 'none',
  dependsOn: [],
  async run(context) {
    const opened = await context.attempt({});
    if (!(opened instanceof CheckConnection)) {
      return {
        ...{ failure: opened, closed: null, handshakeMs: 0, subprotocol: '', greeted: null, first: null },
        preset: null,
      };
    }
    const closed = await opened.waitForClose(stayMs);
    const first = opened.envelopes[0];
    return {
      failure: null,
      closed:
        closed &&
        [describeClosed(closed), closed.fault === undefined && closeAdvice(closed.code)]
          .filter(Boolean)
          .join('; '),
      handshakeMs: opened.handshakeMs,
      subprotocol: opened.subprotocol,
      greeted: context.facts.speaks === 'wsbench' ? first !== undefined && !!readWelcome(first) : null,
      first: first?.type ?? null,
      preset: context.facts.target ? null : presetOf(opened),
    };
  },
  judge({ failure, closed, handshakeMs, subprotocol, greeted, first, preset }) {
    const hint = preset === null ? '' : `; it talks like ${preset}: --preset ${preset}`;
    if (failure?.kind === 'join') return failed('HTTP 101, then a join that succeeds', failure.message);
    if (failure) return failed('HTTP 101 and an open WebSocket', describeFailure(failure));
    if (closed !== null) return failed('a WebSocket that stays open', `an end at once: ${closed}${hint}`);
    if (greeted === false) {
      return failed(
        'WELCOME with limits and heartbeat as the first message',
        first === null ? 'no message' : first === 'WELCOME' ? 'a WELCOME without them' : first,
      );
    }
    const greeting = greeted ? ', WELCOME received' : '';
    const chosen = subprotocol === '' ? '' : `, subprotocol ${subprotocol}`;
    return passed(`101 in ${handshakeMs.toFixed(1)} ms${chosen}${greeting}${hint}`);
  },
};

function presetOf({ received: [message], closed }: CheckConnection): string | null {
  const byMessage = message && presetOfMessage(message.data.toString());
  return byMessage ?? (closed ? presetOfClose(closed.code) : undefined) ?? null;
}
