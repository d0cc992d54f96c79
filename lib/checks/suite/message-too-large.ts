// message-too-large: a message of the announced size is served, one byte more is closed with 1009.
import { type Check, failed, passed } from '../check.ts';

interface Evidence {
  maxBytes: number;
  /** True when an ECHO of exactly that size was answered. */
  largestServed: boolean;
  /** Close code after one byte more; null: still open. */
  closeCode: number | null;
}

const atMostBytes = 16 * 1024 * 1024;

export const messageTooLarge: Check<Evidence> = {
  id: 'message-too-large',
  title: 'Too large a message is refused (1009)',
  tags: ['quick'],
  needs: ['wsbench'],
  impact: 'none',
  dependsOn: ['connect', 'echo'],
  skipIf: ({ welcome }) =>
    welcome && welcome.maxMessageBytes > atMostBytes
      ? `messages of up to ${welcome.maxMessageBytes} bytes are allowed: too large to try`
      : undefined,
  async run(context) {
    const maxBytes = context.facts.welcome?.maxMessageBytes ?? 0;
    const connection = await context.connect();
    connection.send(echoOf(maxBytes));
    const served = await connection.next(({ id }) => id === 'largest');
    connection.send(echoOf(maxBytes + 1));
    const closed = await connection.waitForClose();
    return { maxBytes, largestServed: served?.type === 'ECHO', closeCode: closed?.code ?? null };
  },
  judge({ maxBytes, largestServed, closeCode }) {
    if (!largestServed) return failed(`an ECHO of ${maxBytes} bytes to be answered`, 'no ECHO');
    if (closeCode === 1009) {
      return passed(`${maxBytes} bytes served, ${maxBytes + 1} closed with 1009`);
    }
    const got = closeCode === null ? 'the connection stayed open' : `close code ${closeCode}`;
    return failed(`close code 1009 after a message of ${maxBytes + 1} bytes`, got);
  },
};

/** An ECHO message of exactly this many bytes. */
function echoOf(bytes: number): string {
  const empty = JSON.stringify({ type: 'ECHO', id: 'largest', payload: '' });
  return JSON.stringify({ type: 'ECHO', id: 'largest', payload: 'x'.repeat(bytes - empty.length) });
}
