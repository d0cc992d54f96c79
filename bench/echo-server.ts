// The server that the benchmarks measure against, in a process of its own.
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
server.on('connection', (socket) => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('error', () => {});
});
server.on('listening', () => {
  const address = server.address();
  if (typeof address === 'object' && address) process.send?.(`ws://127.0.0.1:${address.port}/`);
});
process.on('disconnect', () => process.exit());
