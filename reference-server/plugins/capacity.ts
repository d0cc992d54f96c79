// How much one server takes on: connections in all and of one address, unfinished messages, memory.
import type { Duplex } from 'node:stream';
import fp from 'fastify-plugin';
import { closes } from '../close-codes.ts';
import type { Connection } from '../connection.ts';
import type { Guards } from '../guards.ts';
import { MemoryBudget } from '../memory-budget.ts';
import { maxOpenFiles } from '../open-files.ts';
import type { ResolvedOptions } from '../options.ts';
import { UnfinishedMessages } from '../unfinished.ts';

/** Why an upgrade is refused for now. */
interface Full {
  status: number;
  error: string;
  message: string;
  retryAfterS: number;
}

export interface Capacity {
  readonly unfinished: UnfinishedMessages;
  /** Counts the socket until it closes, or says why there is no room for it. */
  admit(socket: Duplex, ip: string): Full | undefined;
  /**
   * Watches what an open connection makes the server keep.
   *
   * @param patient its messages may be long on their way
   */
  watch(stream: Duplex, connection: Connection, patient: boolean): void;
}

declare module 'fastify' {
  interface FastifyInstance {
    capacity: Capacity;
  }
}

/** Files that are kept for everything but WebSockets: health checks, Redis, those who are being refused. */
const spareFiles = 64;
const memoryCheckMs = 250;

export default fp<{ options: ResolvedOptions; guards: Guards }>(
  async (app, { options, guards }) => {
    const unfinished = new UnfinishedMessages(guards, options.clock);
    const memory = new MemoryBudget(guards.maxMemoryShare);
    const watched = new Set<Connection>();
    const maxConnections = Math.min(guards.maxConnections, Math.max(1, maxOpenFiles() - spareFiles));
    // Others are for this machine and for tests, where everybody has one address.
    const maxPerIp =
      options.limits.name === 'production' ? guards.maxConnectionsPerIp : Number.POSITIVE_INFINITY;
    const perIp = new Map<string, number>();
    let total = 0;
    let unreadBytes = 0;
    const excessBytes = (): number => memory.excessBytes(total, unfinished.bytes + unreadBytes);
    const change = (ip: string, by: number): void => {
      total += by;
      const count = (perIp.get(ip) ?? 0) + by;
      if (count > 0) perIp.set(ip, count);
      else perIp.delete(ip);
    };
    const full = (status: 429 | 503, error: string, message: string): Full => ({
      status,
      error,
      message,
      retryAfterS: 5,
    });
    app.decorate('capacity', {
      unfinished,
      admit(socket, ip) {
        if (excessBytes() > 0) return full(503, 'OVERLOADED', 'this server has no memory left');
        if (total >= maxConnections) return full(503, 'TOO_MANY_CONNECTIONS', 'this server is full');
        if ((perIp.get(ip) ?? 0) >= maxPerIp) {
          return full(429, 'TOO_MANY_CONNECTIONS', 'too many connections of one address');
        }
        change(ip, 1);
        socket.once('close', () => change(ip, -1));
        return undefined;
      },
      watch(stream, connection, patient) {
        unfinished.watch(stream, connection, patient);
        watched.add(connection);
        connection.cleanups.add(() => watched.delete(connection));
      },
    });
    /** Closes those who make the server keep most, until the rest fits. */
    const shed = (): void => {
      const heldBy = (connection: Connection): number =>
        connection.socket.bufferedAmount + unfinished.of(connection);
      let leftBytes = excessBytes();
      const holders = [...watched].filter((connection) => connection.isOpen && heldBy(connection) > 0);
      for (const connection of holders.sort((a, b) => heldBy(b) - heldBy(a))) {
        if (leftBytes <= 0) return;
        leftBytes -= heldBy(connection);
        connection.close(closes.overloaded);
      }
    };
    let wasShort = false;
    const timer = setInterval(() => {
      unreadBytes = 0;
      for (const { socket } of watched) unreadBytes += socket.bufferedAmount;
      const isShort = excessBytes() > 0;
      if (isShort) shed();
      if (isShort && !wasShort) options.log({ level: 'warn', message: 'memory is short: load is shed' });
      wasShort = isShort;
    }, memoryCheckMs).unref();
    app.addHook('onClose', async () => clearInterval(timer));
  },
  { name: 'wsbench-capacity', fastify: '5.x', dependencies: ['wsbench-connections'] },
);
