// The reference server as a child process, so that it does not share the load generator's event loop.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { WsbenchError } from './errors.ts';

/** Rate limits that the embedded server may run with. */
export type EmbeddedLimits = 'development' | 'production' | 'test' | 'off';

/** A reference server in a child process. */
export interface EmbeddedServer {
  /** WebSocket URL of its typed endpoint. */
  url: string;
  /** Tokens that it accepts, each with its own subject. */
  tokens: string[];
  /** Stops the child; resolves when it has gone. */
  stop: () => Promise<void>;
}

const startDeadlineMs = 15_000;
const stopDeadlineMs = 3000;

/**
 * Starts the reference server in a child process on a free loopback port, with an ephemeral key.
 *
 * @param limits its rate limits
 * @param tokens how many tokens to mint
 * @param expiresInS how long they live
 * @throws WsbenchError `SERVER_START` when the child does not come up
 */
export async function startEmbedded(
  limits: EmbeddedLimits,
  tokens: number,
  expiresInS: number,
): Promise<EmbeddedServer> {
  const child = fork(fileURLToPath(new URL('../reference-server/child.js', import.meta.url)), [], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
    // The embedded server goes by its options alone.
    env: {},
  });
  const stop = (): Promise<void> => stopChild(child);
  try {
    const ready = await firstMessage(child, { limits, tokens, expiresInS });
    return { ...ready, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function firstMessage(child: ChildProcess, request: object): Promise<{ url: string; tokens: string[] }> {
  return new Promise((resolve, reject) => {
    let complaint = '';
    const timer = setTimeout(() => fail('it said nothing for 15 s'), startDeadlineMs);
    const fail = (why: string): void => {
      clearTimeout(timer);
      const tail = complaint.trim().split('\n').at(-1) ?? '';
      reject(
        new WsbenchError('SERVER_START', `the embedded server did not start: ${why}${tail && `: ${tail}`}`),
      );
    };
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-4096);
    });
    // More than one may come (a child that could not be forked, and then a request that could not be sent to it).
    child.on('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`it exited with ${code}`));
    child.once('message', (message: { type: string; url: string; tokens: string[]; message?: string }) => {
      clearTimeout(timer);
      if (message.type === 'ready') resolve({ url: message.url, tokens: message.tokens });
      else fail(message.message ?? 'unknown reason');
    });
    child.send(request);
  });
}

function stopChild(child: ChildProcess): Promise<void> {
  // One that was never forked never exits.
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
    return Promise.resolve();
  return new Promise((resolve) => {
    const kill = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
    child.once('exit', () => {
      clearTimeout(kill);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
