// How much one server takes on: connections in all and of one address, unfinished messages, memory.
import type { Duplex } from 'node:stream';
import fp from 'fastify-plugin';
import { closes } from '../close-codes.ts';
import type { Guards } from '../guards.ts';
import { MemoryWatch } from '../memory-watch.ts';
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
    const memory = new MemoryWatch(guards.maxMemoryShare);
    const maxConnections = Math.min(guards.maxConnections, Math.max(1, maxOpenFiles() - spareFiles));
    // Others are for this machine and for tests, where everybody has one address.
    const maxPerIp =
      options.limits.name === 'production' ? guards.maxConnectionsPerIp : Number.POSITIVE_INFINITY;
    const perIp = new Map<string, number>();
    let total = 0;
    let isShort = false;
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
        if (isShort) return full(503, 'OVERLOADED', 'this server has no memory left');
        if (total >= maxConnections) return full(503, 'TOO_MANY_CONNECTIONS', 'this server is full');
        if ((perIp.get(ip) ?? 0) >= maxPerIp) {
          return full(429, 'TOO_MANY_CONNECTIONS', 'too many connections of one address');
        }
        change(ip, 1);
        socket.once('close', () => change(ip, -1));
        return undefined;
      },
    });
    /** Those who make the server keep what they sent or do not read go first. */
    const shed = (): void => {
      for (const connection of app.connections.open) {
        if (connection.isSlow) connection.close(closes.overloaded);
      }
      const enough = unfinished.bytes / 2;
      while (unfinished.bytes > enough && unfinished.shedLargest());
    };
    const timer = setInterval(() => {
      const wasShort = isShort;
      isShort = memory.isShort();
      if (isShort) shed();
      if (isShort && !wasShort) options.log({ level: 'warn', message: 'memory is short: load is shed' });
    }, memoryCheckMs).unref();
    app.addHook('onClose', async () => clearInterval(timer));
  },
  { name: 'wsbench-capacity', fastify: '5.x', dependencies: ['wsbench-connections'] },
);
