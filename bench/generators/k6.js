// The closed or open loop for k6 >= 1.0, with every round trip in a Trend. One connection a virtual user.
//
//   k6 run -e LOAD='{"url":…,"connections":100,"sizeBytes":32,"depth":1,"durationMs":5000}' bench/generators/k6.js
import { Trend } from 'k6/metrics';
import { setInterval } from 'k6/timers';
import { WebSocket } from 'k6/websockets';

const { url, connections, sizeBytes, depth = 1, ratePerSecond, durationMs } = JSON.parse(__ENV.LOAD ?? '{}');
const message = 'x'.repeat(sizeBytes);
const rtt = new Trend('rtt', true);

export const options = {
  scenarios: {
    load: {
      executor: 'per-vu-iterations',
      vus: connections,
      iterations: 1,
      maxDuration: `${durationMs}ms`,
      gracefulStop: '0s',
    },
  },
};

export default function () {
  const socket = new WebSocket(url);
  /** When the messages under way were sent, the oldest first: an echo server answers in order. @type {number[]} */
  const sentMs = [];
  const send = () => {
    sentMs.push(Date.now());
    socket.send(message);
  };
  socket.onmessage = () => {
    rtt.add(Date.now() - (sentMs.shift() ?? Number.NaN));
    if (ratePerSecond === undefined) send();
  };
  socket.onopen = () => {
    if (ratePerSecond === undefined) {
      for (let count = 0; count < depth; count++) send();
      return;
    }
    const startMs = Date.now();
    let sent = 0;
    setInterval(() => {
      for (; sent < ((Date.now() - startMs) * ratePerSecond) / connections / 1000; sent++) send();
    }, 1);
  };
}
