// Budgets: messages per connection, connections per user, upgrades and status requests per IP.
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { Clock } from '../clock.ts';
import type { Connection } from '../connection.ts';
import { clientAddress, type TrustedProxies } from '../limits/client-address.ts';
import { ipKey } from '../limits/ip-key.ts';
import { Place } from '../limits/place.ts';
import type { Entered, SharedLimits } from '../limits/shared.ts';

export interface LimitsControl {
  /** Milliseconds until this IP may upgrade; 0: now. */
  upgrade(ip: string): number | Promise<number>;
  /** Milliseconds until this IP may ask for the status; 0: now. */
  status(ip: string): number | Promise<number>;
  /** Takes a place for the connection that this request is to become; it is given back when the socket closes, whatever comes of it. */
  enter(request: FastifyRequest, key: string): Entered | Promise<Entered>;
  /** Gives the connection the place that its request has taken. */
  admit(connection: Connection, request: FastifyRequest): void;
  /** Moves the connection's budget and its place to another key, if there is room. */
  move(connection: Connection, key: string): Entered | Promise<Entered>;
}

declare module 'fastify' {
  interface FastifyInstance {
    limits: LimitsControl;
  }
  interface FastifyRequest {
    /** Under what whoever asks is limited: the address of the peer, or the one that a trusted proxy names. */
    ipKey: string;
    place: Place | null;
  }
  interface FastifyContextConfig {
    /** Whether messages on a WebSocket route are limited. */
    limitMessages?: boolean;
  }
}

export interface LimitsOptions {
  shared: SharedLimits;
  clock: Clock;
  trustedProxies: TrustedProxies | undefined;
}

export default fp<LimitsOptions>(
  async (app, { shared, clock, trustedProxies }) => {
    const places = new WeakMap<Connection, Place>();
    const take = (request: FastifyRequest, key: string, entered: Entered): Entered => {
      if (!entered.ok) return entered;
      const place = new Place(shared, clock, key, entered.bucket);
      request.place = place;
      const { socket } = request.raw;
      if (socket.destroyed) place.leave();
      else socket.once('close', () => place.leave());
      return entered;
    };
    app.decorateRequest('ipKey', '');
    app.decorateRequest('place', null);
    app.addHook('onRequest', (request, _reply, done) => {
      const { socket, headers } = request.raw;
      request.ipKey = ipKey(clientAddress(socket.remoteAddress, headers['x-forwarded-for'], trustedProxies));
      done();
    });
    app.decorate('limits', {
      upgrade: (ip) => shared.pass('upgrades', ip),
      status: (ip) => shared.pass('status', ip),
      enter(request, key) {
        const limitMessages = request.routeOptions.config.limitMessages ?? false;
        const entered = shared.enter(key, limitMessages);
        if (!(entered instanceof Promise)) return take(request, key, entered);
        return entered.then((each) => take(request, key, each));
      },
      admit(connection, request) {
        if (!request.place) throw new Error('a connection without a place');
        places.set(connection, request.place);
        connection.bucket = request.place.bucket;
      },
      move(connection, key) {
        const place = places.get(connection);
        if (!place) throw new Error('a connection without a place');
        return place.move(key);
      },
    });
    app.addHook('onClose', async () => shared.close());
  },
  { name: 'wsbench-limits', fastify: '5.x' },
);
