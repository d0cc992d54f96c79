// echo: what is sent comes back unchanged: raw messages, typed ECHO, or requests that a description says are echoed.
import { randomBytes } from 'node:crypto';
import { formatDuration } from '../../duration.ts';
import { Asker } from '../asker.ts';
import { type Check, failed, passed } from '../check.ts';
import { describeClosed } from '../closed.ts';
import type { CheckConnection } from '../connection.ts';
import type { Context } from '../context.ts';
import { describedTarget } from '../described.ts';
import { answerOf, describeAnswers, excerptOf } from '../message.ts';

interface Evidence {
  rounds: { name: string; ok: boolean; got: string }[];
}

/** How long a second copy is waited for. */
const settleMs = 20;

const text = 'wsbench: grüße, 世界, 🙂';

export const echo: Check<Evidence> = {
  id: 'echo',
  title: 'Messages are echoed',
  tags: ['quick'],
  needs: ['echo'],
  impact: 'none',
  dependsOn: ['connect'],
  async run(context) {
    const connection = await context.connect();
    switch (context.facts.speaks) {
      case 'wsbench':
        return { rounds: await typedRounds(connection) };
      case 'other':
        return { rounds: await requestRounds(context, connection) };
      default:
        return { rounds: await rawRounds(context, connection) };
    }
  },
  judge({ rounds }) {
    const wrong = rounds.find(({ ok }) => !ok);
    return wrong
      ? failed(`${wrong.name} back unchanged, once`, wrong.got)
      : passed(`${rounds.map(({ name }) => name).join(', ')}: all came back unchanged`);
  },
};

async function typedRounds(connection: CheckConnection): Promise<Evidence['rounds']> {
  const payloads: [string, unknown][] = [
    ['text', text],
    ['a nested object', { list: [1, -2.5, null, true], inner: { text } }],
    ['4 KiB of text', randomBytes(2048).toString('hex')],
  ];
  const rounds: Evidence['rounds'] = [];
  for (const [name, payload] of payloads) {
    const exchange = await connection.request('ECHO', payload);
    const answer = answerOf(exchange, 'ECHO');
    // A payload that is no object is read as { value } on the way in.
    const came = answer && (typeof payload === 'object' ? answer.payload : answer.payload.value);
    const ok = JSON.stringify(came) === JSON.stringify(payload);
    rounds.push({ name, ok, got: answer ? 'another payload' : describeAnswers(exchange) });
  }
  return rounds;
}

async function requestRounds(context: Context, connection: CheckConnection): Promise<Evidence['rounds']> {
  const asker = new Asker(context, connection, describedTarget(context.facts));
  const rounds: Evidence['rounds'] = [];
  const larger = asker.maker.canPad ? [Math.min(4096, mostBytesOf(context))] : [];
  for (const sizeBytes of [undefined, ...larger]) {
    const before = connection.received.length;
    await asker.ask(1, sizeBytes === undefined ? {} : { sizeBytes });
    await asker.settle(settleMs);
    const name = sizeBytes === undefined ? 'the request' : `the request with ${inWords(sizeBytes)}`;
    const { replies = 0, refusal, altered } = asker.book.sent.at(-1) ?? {};
    const ok = replies === 1 && altered === null;
    const other =
      altered ?? (replies > 1 ? `it ${replies} times` : describe(connection, before, context.timeoutMs));
    rounds.push({ name, ok, got: refusal ? `a refusal: ${refusal}` : other });
    if (!ok) break;
  }
  return rounds;
}

async function rawRounds(context: Context, connection: CheckConnection): Promise<Evidence['rounds']> {
  const { timeoutMs } = context;
  const textBytes = Math.min(4096, mostBytesOf(context));
  const binaryBytes = Math.min(1024, textBytes);
  const messages: [string, string | Buffer][] = [
    ['text', text],
    [`${inWords(textBytes)} of text`, randomBytes(textBytes).toString('hex').slice(0, textBytes)],
    [`${inWords(binaryBytes)} of binary`, randomBytes(binaryBytes)],
  ];
  const rounds: Evidence['rounds'] = [];
  for (const [name, message] of messages) {
    await connection.pace();
    const before = connection.received.length;
    connection.send(message);
    const bytes = Buffer.from(message);
    const binary = typeof message !== 'string';
    // Whatever else the server says meanwhile, such as a greeting, is not held against it.
    const same = await connection.waitFor(() =>
      connection.received.slice(before).find((got) => got.binary === binary && got.data.equals(bytes)),
    );
    // A second copy would follow at once.
    const copies = (): number =>
      connection.received.slice(before).filter((got) => got.binary === binary && got.data.equals(bytes))
        .length;
    if (same) await connection.waitFor(() => (copies() > 1 ? true : undefined), settleMs);
    const ok = copies() === 1;
    rounds.push({ name, ok, got: same ? `it ${copies()} times` : describe(connection, before, timeoutMs) });
    if (!ok) break;
  }
  return rounds;
}

/** What the description allows a message to hold. */
const mostBytesOf = ({ facts }: Context): number => facts.target?.limits.size ?? Number.POSITIVE_INFINITY;

const inWords = (bytes: number): string =>
  bytes >= 1024 && bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} bytes`;

/** What came instead. */
function describe({ received, closed }: CheckConnection, before: number, timeoutMs: number): string {
  const other = received[before];
  const came = other
    ? `${other.data.length} bytes of ${other.binary ? 'binary' : 'text'}: ${excerptOf(other.data)}`
    : `nothing${closed ? '' : ` within ${formatDuration(timeoutMs)}`}`;
  return closed ? `${other ? `${came}, then ` : 'nothing, but '}${describeClosed(closed)}` : came;
}
