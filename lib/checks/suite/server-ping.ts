// server-ping: the server sends PING; typed PONGs alone keep a connection, silence ends it with 4408.
import { formatDuration } from '../../duration.ts';
import { type Check, failed, passed } from '../check.ts';
import type { CheckConnection } from '../connection.ts';
import type { Context } from '../context.ts';
import type { Facts } from '../facts.ts';

interface Evidence {
  intervalMs: number;
  timeoutMs: number;
  /** The connection that answers with typed PONGs and with no pong frames. */
  answering: { pings: number; heldMs: number; closeCode: number | null };
  /** The connection that answers nothing. */
  silent: { pings: number; closeCode: number | null };
}

/** What the server may be late by, in ms. */
const graceMs = 2000;
const longAtMostMs = 5000;

const periodMs = ({ welcome }: Facts): number =>
  welcome ? welcome.heartbeat.intervalMs + welcome.heartbeat.timeoutMs : 0;

export const serverPing: Check<Evidence> = {
  id: 'server-ping',
  title: 'Server PINGs, and records the PONG',
  tags: ['quick'],
  needs: ['wsbench'],
  impact: 'none',
  dependsOn: ['connect'],
  deadlineMs: (facts) => 3 * periodMs(facts) + 4 * graceMs + facts.timeoutMs,
  skipIf: (facts) => {
    if (periodMs(facts) === 0) return 'WELCOME announces no heartbeat';
    return periodMs(facts) > longAtMostMs && !facts.asked
      ? `takes ${formatDuration(2 * periodMs(facts))} with the announced heartbeat; ask for it with --only server-ping`
      : undefined;
  },
  async run(context) {
    const { intervalMs = 0, timeoutMs = 0 } = context.facts.welcome?.heartbeat ?? {};
    const [answering, silent] = await Promise.all([
      hold(context, intervalMs, timeoutMs),
      starve(context, intervalMs, timeoutMs),
    ]);
    return { intervalMs, timeoutMs, answering, silent };
  },
  judge({ intervalMs, timeoutMs, answering, silent }) {
    if (answering.pings === 0) return failed(`a PING within ${formatDuration(intervalMs)}`, 'none');
    if (answering.closeCode !== null) {
      return failed(
        'a connection that answers every PING with a typed PONG to stay open',
        `close code ${answering.closeCode} after ${formatDuration(answering.heldMs)}`,
      );
    }
    if (silent.closeCode !== 4408) {
      return failed(
        `close code 4408 when no PONG comes within ${formatDuration(timeoutMs)}`,
        silent.closeCode === null ? 'the connection stayed open' : `close code ${silent.closeCode}`,
      );
    }
    return passed(
      `PING every ${formatDuration(intervalMs)}; typed PONG kept the connection for ${formatDuration(
        Math.round(answering.heldMs / 100) * 100,
      )}; silence ended it with 4408`,
    );
  },
};

const pingsOn = (connection: CheckConnection): number =>
  connection.envelopes.filter(({ type }) => type === 'PING').length;

async function hold(context: Context, intervalMs: number, timeoutMs: number): Promise<Evidence['answering']> {
  const connection = await context.connect({ autoPong: false });
  const openedMs = performance.now();
  await connection.next(({ type }) => type === 'PING', intervalMs + graceMs);
  // A server that does not record the PONG gives up `timeoutMs` after its PING.
  await connection.waitForClose(intervalMs + timeoutMs + 300);
  return {
    pings: pingsOn(connection),
    heldMs: (connection.closed?.atMs ?? performance.now()) - openedMs,
    closeCode: connection.closed?.code ?? null,
  };
}

async function starve(context: Context, intervalMs: number, timeoutMs: number): Promise<Evidence['silent']> {
  const connection = await context.connect({ autoPong: false, answerPings: false });
  const closed = await connection.waitForClose(intervalMs + timeoutMs + graceMs);
  return { pings: pingsOn(connection), closeCode: closed?.code ?? null };
}
