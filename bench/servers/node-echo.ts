// The echo server for machines without Bun, over the ws package. It is slower than the generators that it serves.
import { WebSocketServer } from 'ws';
import { answerStats, countOpened, stats } from './answer-stats.ts';

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  perMessageDeflate: false,
  backlog: 4096,
});
server.on('connection', (socket) => {
  countOpened();
  socket.on('message', (data, binary) => {
    stats.messages++;
    socket.send(data, { binary });
  });
  socket.on('error', () => {});
  socket.on('close', () => stats.open--);
});
server.on('listening', () => {
  const address = server.address();
  if (typeof address === 'object' && address) answerStats(address.port);
});
