// An echo server for Bun, whose WebSocket engine is uWebSockets: fast enough not to be what is measured.
//
//   bun bun-echo.js [port]     with a port, several processes may share it
import { answerStats, countOpened, stats } from './answer-stats.ts';

interface Socket {
  send(message: string | Uint8Array): number;
}

declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    reusePort: boolean;
    fetch(request: unknown, server: { upgrade(request: unknown): boolean }): unknown;
    websocket: {
      idleTimeout: number;
      perMessageDeflate: boolean;
      maxPayloadLength: number;
      open(): void;
      message(socket: Socket, message: string | Uint8Array): void;
      close(): void;
    };
  }): { port: number };
};

const wanted = Number(process.argv[2] ?? 0);
const { port } = Bun.serve({
  hostname: '127.0.0.1',
  port: wanted,
  reusePort: wanted > 0,
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response('echo', { status: 426 })),
  websocket: {
    idleTimeout: 0,
    perMessageDeflate: false,
    maxPayloadLength: 16 * 1024 * 1024,
    open: countOpened,
    message(socket, message) {
      stats.messages++;
      socket.send(message);
    },
    close() {
      stats.open--;
    },
  },
});
answerStats(port);
