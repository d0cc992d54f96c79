// The servers that connections are opened to: they answer each upgrade, and do nothing else.
import { type AddressInfo, createServer } from 'node:net';
import { acceptOf } from '../lib/protocol/handshake.ts';

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.once('data', (chunk) => {
    const key = /^sec-websocket-key: (.*)\r$/im.exec(chunk.toString('latin1'))?.[1] ?? '';
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`,
    );
  });
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () =>
  process.send?.((server.address() as AddressInfo).port),
);
process.on('disconnect', () => process.exit());
