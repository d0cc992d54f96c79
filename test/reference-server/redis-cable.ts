// A way to Redis that can be cut: for what happens to one instance alone.
import { connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import type { TestContext } from 'node:test';
import type { RedisServer } from './redis-server.ts';

export interface Cable {
  /** The same Redis, by this way. */
  readonly redis: RedisServer;
  /** Connections end, and no new ones open. */
  cut(): void;
  /** Connections stay open, but nothing passes. */
  block(): void;
  /** What Redis says is held until the returned function is called; what is said to it arrives at once. */
  holdAnswers(): () => void;
  /** From now on what Redis says arrives so many ms later, in order. */
  slow(lateMs: () => number): void;
  /** New connections pass; the old ones end. */
  mend(): void;
}

export async function cable(t: Pick<TestContext, 'after'>, redis: RedisServer): Promise<Cable> {
  const sockets = new Set<Socket>();
  const answers = new Map<Socket, Transform>();
  let lateMs = (): number => 0;
  let isCut = false;
  let isBlocked = false;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(redis.port, '127.0.0.1');
    const line = delay(() => lateMs());
    line.pipe(near);
    answers.set(far, line);
    far.on('close', () => answers.delete(far));
    for (const [from, to, into] of [
      [near, far, far],
      [far, near, line],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(into);
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
    holdAnswers() {
      const held = [...answers];
      for (const [far, line] of held) far.unpipe(line).pause();
      return () => {
        for (const [far, line] of held) far.pipe(line);
      };
    },
    slow(late) {
      lateMs = late;
    },
    mend() {
      isCut = false;
      isBlocked = false;
      destroy();
    },
  };
}

/** Passes everything on so much later, in order. */
function delay(lateMs: () => number): Transform {
  const waiting: Buffer[] = [];
  return new Transform({
    transform(chunk: Buffer, _encoding, taken) {
      const ms = lateMs();
      waiting.push(chunk);
      // Timers may overtake one another: whichever comes first brings what came first.
      const pass = (): void => {
        if (!this.destroyed && !this.writableEnded) this.push(waiting.shift());
      };
      if (ms > 0) setTimeout(pass, ms);
      else pass();
      taken();
    },
  });
}
