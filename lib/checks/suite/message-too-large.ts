// message-too-large: a message of the allowed size is served, one byte more is closed with 1009 (RFC 6455 §7.4.1).

import type { Target } from '../../target/target.ts';
import { Asker } from '../asker.ts';
import { type Check, failed, passed } from '../check.ts';
import { describeClosed } from '../closed.ts';
import type { Context } from '../context.ts';
import { otherTarget } from '../described.ts';
import type { Facts } from '../facts.ts';

interface Evidence {
  maxBytes: number;
  /** True when a message of exactly that size was answered; null: none can be made, or answers cannot be told. */
  largestServed: boolean | null;
  /** Code of a typed refusal of one byte more; null: none came. Only described targets may refuse that way. */
  refusal: string | null;
  /** Close code after one byte more; null: still open. */
  closeCode: number | null;
}

const atMostBytes = 16 * 1024 * 1024;

const limitOf = (facts: Facts): number | undefined =>
  facts.speaks === 'wsbench' ? facts.welcome?.maxMessageBytes : facts.target?.limits.size;

export const messageTooLarge: Check<Evidence> = {
  id: 'message-too-large',
  title: 'Too large a message is refused (1009)',
  tags: ['quick'],
  needs: ['size'],
  impact: 'none',
  dependsOn: ['connect', 'echo', 'request'],
  skipIf: (facts) => {
    const maxBytes = limitOf(facts) ?? 0;
    return maxBytes > atMostBytes
      ? `messages of up to ${maxBytes} bytes are allowed: too large to try`
      : undefined;
  },
  async run(context) {
    const maxBytes = limitOf(context.facts) ?? 0;
    const target = otherTarget(context.facts);
    if (target) return runDescribed(context, target, maxBytes);
    const connection = await context.connect();
    connection.send(echoOf(maxBytes));
    const served = await connection.next(({ id }) => id === 'largest');
    connection.send(echoOf(maxBytes + 1));
    const closed = await connection.waitForClose();
    const largestServed = served?.type === 'ECHO';
    return { maxBytes, largestServed, refusal: null, closeCode: closed?.code ?? null };
  },
  judge({ maxBytes, largestServed, refusal, closeCode }) {
    if (largestServed === false) return failed(`a message of ${maxBytes} bytes to be answered`, 'no answer');
    const served = largestServed === null ? '' : `${maxBytes} bytes served, `;
    if (refusal !== null) return passed(`${served}${maxBytes + 1} refused: ${refusal}`);
    if (closeCode === 1009) return passed(`${served}${maxBytes + 1} closed with 1009`);
    const got = closeCode === null ? 'the connection stayed open' : describeClosed({ code: closeCode });
    return failed(`close code 1009 after a message of ${maxBytes + 1} bytes`, got);
  },
};

/** An ECHO message of exactly this many bytes. */
function echoOf(bytes: number): string {
  const empty = JSON.stringify({ type: 'ECHO', id: 'largest', payload: '' });
  return JSON.stringify({ type: 'ECHO', id: 'largest', payload: 'x'.repeat(bytes - empty.length) });
}

async function runDescribed(context: Context, target: Target, maxBytes: number): Promise<Evidence> {
  const connection = await context.connect();
  const asker = new Asker(context, connection, target);
  const bare = Buffer.byteLength(asker.maker.make(0).text);
  let largestServed: boolean | null = null;
  if (asker.maker.canPad && bare <= maxBytes) {
    await asker.ask(1, { sizeBytes: maxBytes });
    largestServed = asker.book.sent[0]?.replies === 1 && !connection.closed;
    if (!largestServed) return { maxBytes, largestServed, refusal: null, closeCode: null };
  }
  await asker.oversize(maxBytes + 1);
  const refusal = asker.book.looseRefusal ?? asker.book.sent.at(-1)?.refusal ?? null;
  // A close may follow the refusal, or stand for it.
  const closed = refusal === null ? await connection.waitForClose() : connection.closed;
  return { maxBytes, largestServed, refusal, closeCode: closed?.code ?? null };
}
