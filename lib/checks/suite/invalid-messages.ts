// invalid-messages: each bad message gets the typed ERROR that it deserves, and the connection stays usable.
import { type Check, failed, passed } from '../check.ts';
import type { CheckConnection } from '../connection.ts';
import { answerOf, describeAnswers, describeMessage, type Envelope } from '../message.ts';

interface Round {
  name: string;
  code: string;
  /** Part of the ERROR's message that helps: the near name of an unknown type. */
  hint: string | null;
  /** The id that the ERROR must carry, if the message had a valid one. */
  id: string | null;
  answer: Envelope | null;
}

interface Evidence {
  rounds: Round[];
  /** Answers to a PING after all of it. */
  after: Envelope[];
  closeCode: number | null;
}

type Bad = { name: string; message: string; code: string; hint?: string; id?: string };

const json = (value: unknown): string => JSON.stringify(value);

const bad: readonly Bad[] = [
  { name: 'text that is not JSON', message: '{"type":', code: 'INVALID_JSON' },
  { name: 'an array', message: '[1,2]', code: 'INVALID_MESSAGE' },
  {
    name: 'a message without a type',
    message: json({ id: 'no-type' }),
    code: 'INVALID_MESSAGE',
    id: 'no-type',
  },
  {
    name: 'an unknown type',
    message: json({ type: 'NO_SUCH_TYPE', id: 'unknown' }),
    code: 'UNKNOWN_TYPE',
    id: 'unknown',
  },
  {
    name: 'the type heartbeat:ping',
    message: json({ type: 'heartbeat:ping', id: 'near' }),
    code: 'UNKNOWN_TYPE',
    hint: 'PING',
    id: 'near',
  },
  {
    name: 'a payload of the wrong shape',
    message: json({ type: 'PING', id: 'shape', payload: 7 }),
    code: 'INVALID_MESSAGE',
    id: 'shape',
  },
  {
    name: 'an id of 65 characters',
    message: json({ type: 'PING', id: 'x'.repeat(65) }),
    code: 'INVALID_MESSAGE',
  },
];

export const invalidMessages: Check<Evidence> = {
  id: 'invalid-messages',
  title: 'Invalid messages get typed errors',
  tags: ['quick'],
  needs: ['wsbench'],
  impact: 'none',
  dependsOn: ['connect', 'heartbeat'],
  async run(context) {
    const connection = await context.connect();
    const rounds: Round[] = [];
    for (const { name, message, code, hint, id } of bad) {
      const answer = await provoke(connection, message);
      rounds.push({ name, code, hint: hint ?? null, id: id ?? null, answer });
      if (!answer) break;
    }
    const { answers } = await connection.request('PING');
    return { rounds, after: answers, closeCode: connection.closed?.code ?? null };
  },
  judge({ rounds, after, closeCode }) {
    for (const { name, code, hint, id, answer } of rounds) {
      const expected = `ERROR ${code} for ${name}`;
      if (!answer) {
        return failed(expected, closeCode === null ? 'no answer' : `the connection closed with ${closeCode}`);
      }
      if (answer.type !== 'ERROR' || answer.payload.code !== code) {
        return failed(expected, describeMessage(answer));
      }
      if (id !== null && answer.id !== id) {
        return failed(`${expected}, with its id`, `id ${String(answer.id)}`);
      }
      if (hint !== null && !String(answer.payload.message).includes(hint)) {
        return failed(`${expected}, with a hint at ${hint}`, describeMessage(answer));
      }
    }
    if (!answerOf({ answers: after }, 'PONG')) {
      const got = closeCode === null ? describeAnswers({ answers: after }) : `close code ${closeCode}`;
      return failed('the connection to stay usable: PONG to a PING afterwards', got);
    }
    return passed(`${rounds.length} of ${rounds.length} got the right ERROR; the connection stayed usable`);
  },
};

/** Sends what may have no usable id: the next ERROR is its answer, or, if none comes, whatever else looks like one. */
async function provoke(connection: CheckConnection, message: string): Promise<Envelope | null> {
  const before = connection.envelopes.length;
  connection.send(message);
  const since = (...types: string[]): Envelope | undefined =>
    connection.envelopes.slice(before).find(({ type }) => types.includes(type));
  return (await connection.waitFor(() => since('ERROR'))) ?? since('ACK', 'PONG') ?? null;
}
