// Pings whose pongs stand for replies: one behind the messages of each write, and few of them outstanding.
import type { Lane } from './lane.ts';

// Servers end connections on which many pings wait for their pongs: the ws package at 60, without a close frame. A batch
// of a late generator, or a target that stalls, must not kill a healthy connection.
const mostOutstanding = 32;

/** What waits on one connection. */
interface Waiting {
  /** Numbers of the messages whose pings are outstanding, oldest first. */
  outstanding: number[];
  /** The last message that no ping followed yet; -1: none. */
  last: number;
}

/**
 * Sends pings behind messages. A pong also answers the pings before it (RFC 6455 §5.5.3), so one ping stands for all messages
 * of a write; while {@link mostOutstanding} wait on a connection, the next one waits for a pong, and then stands for all
 * messages in between.
 */
export class ReplyPings {
  readonly #waiting: Waiting[] = [];

  /** Message `seq` was queued on a connection. */
  want(connection: number, seq: number): void {
    this.#of(connection).last = seq;
  }

  /** Queues the ping that is wanted on a connection, if it may be sent now; true when it was. */
  follow(lane: Lane): boolean {
    const waiting = this.#of(lane.index);
    const { last, outstanding } = waiting;
    if (last < 0 || outstanding.length >= mostOutstanding) return false;
    lane.queuePing(last);
    outstanding.push(last);
    waiting.last = -1;
    return true;
  }

  /** The pong to the ping behind message `seq` came: what had to wait for one leaves now. */
  answered(lane: Lane, seq: number): void {
    const { outstanding } = this.#of(lane.index);
    // Peers may send pongs that nobody asked for. RFC 6455 §5.5.3
    outstanding.splice(0, outstanding.indexOf(seq) + 1);
    // What is queued and not written yet gets its ping with the write.
    if (!lane.isDirty && this.follow(lane)) lane.flush();
  }

  #of(connection: number): Waiting {
    this.#waiting[connection] ??= { outstanding: [], last: -1 };
    return this.#waiting[connection];
  }
}
