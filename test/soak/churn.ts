// Clients that come, talk and go: what a server must bear without growing.
import { type RawData, WebSocket } from 'ws';
import { mintToken } from '../../lib/token.ts';

/** What is to happen. */
export interface Churn {
  url: string;
  /** What tokens are signed with. */
  secret: string;
  connections: number;
  messagesPerSecond: number;
  /** Connections that are closed, and opened anew for another user, in a second. */
  replacedPerSecond: number;
}

/** Clients at work. */
export interface ChurnRun {
  /** Messages sent, and received, so far. */
  readonly sent: number;
  readonly received: number;
  /** Connections opened so far. */
  readonly opened: number;
  /** Close codes of connections that ended otherwise than asked. */
  readonly lost: readonly number[];
  /** Ends all connections, and resolves when the last is closed. */
  stop(): Promise<void>;
}

const users = 50;
const tickMs = 10;
/** One alone: a channel keeps its last messages, and that they are being filled up is no leak. */
const channel = 'soak';

/** Starts clients; resolves when all are open. */
export async function startChurn({ url, secret, ...churn }: Churn): Promise<ChurnRun> {
  const tokens = await Promise.all(
    Array.from({ length: users }, (_, n) =>
      mintToken({ secret }, { sub: `user-${n}`, tenant: 'soak', roles: ['dashboard', 'agent'] }),
    ),
  );
  let [sent, received, opened] = [0, 0, 0];
  const lost: number[] = [];
  const open: WebSocket[] = [];
  const leaving = new Set<WebSocket>();
  const opening = new Set<Promise<void>>();
  let isStopped = false;
  const say = (socket: WebSocket, type: string, payload?: unknown): void => {
    // Without an id: answers to ids are remembered for five minutes, and that is meant to be.
    socket.send(JSON.stringify(payload === undefined ? { type } : { type, payload }));
    sent++;
  };

  function add(): Promise<void> {
    const number = opened++;
    const user = number % users;
    const socket = new WebSocket(`${url}/ws`, { headers: { authorization: `Bearer ${tokens[user]}` } });
    socket.on('error', () => {});
    socket.on('message', (_: RawData) => {
      received++;
    });
    socket.on('close', (code) => {
      if (!leaving.delete(socket)) lost.push(code);
      const index = open.indexOf(socket);
      if (index >= 0) open.splice(index, 1);
    });
    return new Promise((resolve) => {
      socket.once('open', () => {
        // Too late: nobody would send it away.
        if (isStopped) {
          leave(socket);
          resolve();
          return;
        }
        open.push(socket);
        if (number % 8 === 0) say(socket, 'SUBSCRIBE', { channel });
        if (number % 3 === 0) say(socket, 'DASHBOARD_CONNECT', {});
        if (number % 3 === 1) say(socket, 'AGENT_CONNECT', { agentId: `agent-${number}` });
        resolve();
      });
      socket.once('close', () => resolve());
    });
  }

  function leave(socket: WebSocket): void {
    leaving.add(socket);
    // Some take their leave, some are simply gone.
    if (opened % 2 === 0) socket.close(1000);
    else socket.terminate();
  }

  await Promise.all(Array.from({ length: churn.connections }, add));
  const startMs = performance.now();
  let [dueMessages, dueReplacements] = [0, 0];
  const timer = setInterval(() => {
    const elapsedS = (performance.now() - startMs) / 1000;
    for (; dueMessages < elapsedS * churn.messagesPerSecond; dueMessages++) {
      const socket = open[dueMessages % open.length];
      if (socket?.readyState !== WebSocket.OPEN) continue;
      if (dueMessages % 20 === 0) say(socket, 'PUBLISH', { channel, data: { n: dueMessages } });
      else if (dueMessages % 10 === 1) say(socket, 'PING');
      else say(socket, 'ECHO', { n: dueMessages, text: 'as long as messages are' });
    }
    for (; dueReplacements < elapsedS * churn.replacedPerSecond; dueReplacements++) {
      const [oldest] = open.splice(0, 1);
      if (oldest) leave(oldest);
      const added = add();
      opening.add(added);
      void added.then(() => opening.delete(added));
    }
  }, tickMs);
  return {
    get sent() {
      return sent;
    },
    get received() {
      return received;
    },
    get opened() {
      return opened;
    },
    lost,
    async stop() {
      clearInterval(timer);
      isStopped = true;
      await Promise.all(opening);
      for (const socket of open.splice(0)) leave(socket);
      while (leaving.size > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    },
  };
}
