// heartbeat: a typed PING is answered by one PONG with its id and the server's time; a described heartbeat is put up with.

import { compileMatcher, receivedText } from '../../target/matcher.ts';
import { connectionMessage } from '../../target/opening.ts';
import type { Target } from '../../target/target.ts';
import { type Check, failed, passed } from '../check.ts';
import { describeClosed } from '../closed.ts';
import type { Context } from '../context.ts';
import { otherTarget } from '../described.ts';
import { answerOf, describeAnswers, type Exchange, excerptOf } from '../message.ts';

interface Typed {
  exchanges: Exchange[];
}

interface Described {
  sent: number;
  /** Heartbeats after which a message came. */
  answered: number;
  /** How a typed refusal begins. */
  refusal: string | null;
  closed: string | null;
}

const rounds = 3;
/** A target need not answer: it is not waited for longer than this. */
const answerMs = 1000;
/** A server that does not like a heartbeat has closed by then. */
const stayMs = 150;

export const heartbeat: Check<Typed | Described> = {
  id: 'heartbeat',
  title: 'Heartbeat: PING gets PONG',
  tags: ['quick'],
  needs: ['heartbeat'],
  impact: 'none',
  dependsOn: ['connect'],
  async run(context) {
    const target = otherTarget(context.facts);
    if (target) return runDescribed(context, target);
    const connection = await context.connect();
    const exchanges: Exchange[] = [];
    for (let round = 0; round < rounds; round++) exchanges.push(await connection.request('PING'));
    return { exchanges };
  },
  judge(evidence) {
    if (!('exchanges' in evidence)) return judgeDescribed(evidence);
    const { exchanges } = evidence;
    for (const exchange of exchanges) {
      const pong = answerOf(exchange, 'PONG');
      if (!pong) return failed('one PONG with the id of the PING', describeAnswers(exchange));
      if (typeof pong.payload.serverTime !== 'number') {
        return failed('a PONG with serverTime in ms', `serverTime ${String(pong.payload.serverTime)}`);
      }
    }
    return passed(`${exchanges.length} of ${exchanges.length} PONGs, each with its id and serverTime`);
  },
};

async function runDescribed(context: Context, target: Target): Promise<Described> {
  const connection = await context.connect();
  const { send } = target.heartbeat;
  const evidence: Described = { sent: 0, answered: 0, refusal: null, closed: null };
  const isRefusal = target.error ? compileMatcher(target.error) : () => false;
  for (let round = 0; round < rounds && send !== undefined && !connection.closed; round++) {
    await connection.pace();
    const before = connection.received.length;
    connection.send(connectionMessage(send, connection.talk.values, undefined));
    evidence.sent++;
    const answer = await connection.waitFor(
      () => connection.received[before],
      Math.min(answerMs, context.timeoutMs),
    );
    if (answer) evidence.answered++;
    if (answer && isRefusal(receivedText(answer.data.toString()))) {
      evidence.refusal = excerptOf(answer.data);
      break;
    }
  }
  const closed = await connection.waitForClose(stayMs);
  return { ...evidence, closed: closed && describeClosed(closed) };
}

function judgeDescribed({ sent, answered, refusal, closed }: Described) {
  if (refusal !== null) return failed('the described heartbeat to be understood', `a refusal: ${refusal}`);
  if (closed !== null) {
    return failed('the connection to live on after a heartbeat', `${closed} after ${sent} of ${rounds}`);
  }
  return passed(
    answered === sent
      ? `${sent} heartbeats sent, something came back after each, the connection lives`
      : `${sent} heartbeats sent, ${answered} answered, the connection lives`,
  );
}
