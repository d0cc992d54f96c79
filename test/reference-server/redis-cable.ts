// A way to Redis that can be cut: for what happens to one instance alone.
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { RedisServer } from './redis-server.ts';

export interface Cable {
  /** The same Redis, by this way. */
  readonly redis: RedisServer;
  /** Connections end, and no new ones open. */
  cut(): void;
  /** Connections stay open, but nothing passes. */
  block(): void;
  /** What Redis says arrives so much later, once; what is said to it arrives at once. */
  holdAnswers(ms: number): void;
  /** New connections pass; the old ones end. */
  mend(): void;
}

export async function cable(t: Pick<TestContext, 'after'>, redis: RedisServer): Promise<Cable> {
  const sockets = new Set<Socket>();
  const answers = new Map<Socket, Socket>();
  let isCut = false;
  let isBlocked = false;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(redis.port, '127.0.0.1');
    answers.set(far, near);
    far.on('close', () => answers.delete(far));
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
      if (isBlocked) from.unpipe().pause();
    }
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const destroy = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  t.after(() => {
    server.close();
    destroy();
  });
  const { port } = server.address() as { port: number };
  return {
    redis: { ...redis, port, url: `redis://127.0.0.1:${port}` },
    cut() {
      isCut = true;
      destroy();
    },
    block() {
      isBlocked = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    holdAnswers(ms) {
      for (const [far, near] of answers) {
        far.unpipe(near).pause();
        setTimeout(() => far.pipe(near), ms);
      }
    },
    mend() {
      isCut = false;
      isBlocked = false;
      destroy();
    },
  };
}
