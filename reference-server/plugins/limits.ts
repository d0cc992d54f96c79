// Budgets: messages per connection, connections per user, upgrades and status requests per IP.
import fp from 'fastify-plugin';
import type { Clock } from '../clock.ts';
import type { Connection } from '../connection.ts';
import { RateGate } from '../limits/gate.ts';
import { ParkedBuckets } from '../limits/parked.ts';
import type { Limits, Rate } from '../limits/presets.ts';

export interface LimitsControl {
  /** Milliseconds until this IP may upgrade; 0: now. */
  upgrade(ip: string): number;
  /** Milliseconds until this IP may ask for the status; 0: now. */
  status(ip: string): number;
  /** Whether one more connection may be opened under this key. */
  hasRoom(key: string): boolean;
  /** Counts the connection and gives it its bucket, if messages are limited on its route. */
  admit(connection: Connection, limitMessages: boolean): void;
  /** Moves the connection's budget from its key before AUTH to the one it has now. */
  rekey(connection: Connection, fromKey: string): void;
  /** Ends the connection's part and keeps its bucket for the next one of its key. */
  release(connection: Connection): void;
}

declare module 'fastify' {
  interface FastifyInstance {
    limits: LimitsControl;
  }
}

export default fp<{ limits: Limits; clock: Clock }>(
  async (app, { limits, clock }) => {
    const parked = limits.messages && new ParkedBuckets(limits.messages);
    const perKey = new Map<string, number>();
    const gate = (rate: Rate | null): RateGate | null => rate && new RateGate(rate);
    const upgrades = gate(limits.upgradesPerIp);
    const statuses = gate(limits.statusPerIp);
    const count = (key: string, change: number): void => {
      const next = (perKey.get(key) ?? 0) + change;
      if (next > 0) perKey.set(key, next);
      else perKey.delete(key);
    };
    app.decorate('limits', {
      upgrade: (ip) => upgrades?.take(ip, clock.nowMs()) ?? 0,
      status: (ip) => statuses?.take(ip, clock.nowMs()) ?? 0,
      hasRoom: (key) => (perKey.get(key) ?? 0) < limits.connectionsPerUser,
      admit(connection, limitMessages) {
        count(connection.key, 1);
        if (limitMessages) connection.bucket = parked?.adopt(connection.key, clock.nowMs());
      },
      rekey(connection, fromKey) {
        count(fromKey, -1);
        count(connection.key, 1);
        if (connection.bucket) parked?.rekey(connection.bucket, fromKey, connection.key, clock.nowMs());
      },
      release(connection) {
        count(connection.key, -1);
        if (connection.bucket) parked?.park(connection.key, connection.bucket, clock.nowMs());
      },
    });
    app.addHook('onClose', async () => {
      parked?.clear();
      upgrades?.clear();
      statuses?.clear();
    });
  },
  { name: 'wsbench-limits', fastify: '5.x' },
);
