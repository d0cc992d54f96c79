// The socket under ioredis, for two reasons. A TLS socket may fail more than once (refused by us, then by an alert of the peer), and
// ioredis listens to the first failure only: the second would end the process. And its own connectors end a socket politely, so
// that one whose peer stands still would stay for seconds; ours are cut.
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector } from 'ioredis';
import type { RedisSettings } from './redis-settings.ts';

/** A connector for ioredis to where the settings say. */
export function redisConnector({ host, port, tls }: RedisSettings): new () => AbstractConnector {
  return class extends AbstractConnector {
    constructor() {
      super(0);
    }

    override async connect(): Promise<Socket> {
      this.connecting = true;
      // Node checks the certificate and the name in it unless told otherwise, and nothing tells it otherwise.
      const ca = tls?.ca === undefined ? {} : { ca: tls.ca };
      // Hosts of many Redises tell them apart by the name that is asked for.
      const name = isIP(host) === 0 ? { servername: host } : {};
      const socket = tls
        ? connectTls({ host, port, minVersion: 'TLSv1.2', ...ca, ...name })
        : connect({ host, port });
      this.stream = socket;
      socket.on('error', (error) => {
        this.firstError ??= error;
      });
      return socket;
    }

    override disconnect(): void {
      this.connecting = false;
      this.stream?.destroy();
    }
  };
}
