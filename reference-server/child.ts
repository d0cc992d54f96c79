// The server as a child process of `wsbench stress`: started by fork, told what to do by one message, gone with its parent.
import { messageOf } from '../lib/errors.ts';
import type { LimitsName } from './limits/presets.ts';
import { createServer, type ReferenceServer } from './server.ts';

/** What the parent sends, once. */
export interface ChildRequest {
  limits?: LimitsName;
  /** How many tokens to mint, each for a subject of its own; 0 by default. */
  tokens?: number;
  /** How long they live; an hour by default. */
  expiresInS?: number;
}

/** What the child answers, once. */
export type ChildReply =
  | { type: 'ready'; url: string; tokens: string[] }
  | { type: 'failed'; message: string };

let server: ReferenceServer | undefined;

async function start(request: ChildRequest): Promise<ChildReply> {
  try {
    server = await createServer({
      environment: 'development',
      ...(request.limits === undefined ? {} : { limits: request.limits }),
    });
    const url = await server.listen();
    const tokens: string[] = [];
    const lifetime = request.expiresInS === undefined ? {} : { expiresInS: request.expiresInS };
    for (let index = 0; index < (request.tokens ?? 0); index++) {
      tokens.push(await server.mint({ sub: `stress-${index + 1}`, ...lifetime }));
    }
    return { type: 'ready', url, tokens };
  } catch (error) {
    return { type: 'failed', message: messageOf(error) };
  }
}

async function stop(): Promise<void> {
  await server?.close();
  process.exit();
}

process.once('message', async (request) => {
  const reply = await start(request as ChildRequest);
  process.send?.(reply, (error: Error | null) => {
    if (error || reply.type === 'failed') void stop();
  });
});
// Ctrl-C reaches the whole group; the parent decides when we go.
process.on('SIGINT', () => {});
process.once('SIGTERM', () => void stop());
process.once('disconnect', () => void stop());
