// Starts the self-test's echo server.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { WsbenchError } from '../errors.ts';

const startDeadlineMs = 10_000;

/** An echo server in a child process. */
export interface EchoServer {
  url: string;
  /** Ends the child; resolves when it has gone. */
  stop: () => Promise<void>;
}

/**
 * Starts it on a free port of the loopback interface.
 *
 * @throws WsbenchError `SERVER_START` when the child does not come up
 */
export async function startEcho(): Promise<EchoServer> {
  const child = fork(fileURLToPath(new URL('./echo-child.js', import.meta.url)), [], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
    env: {},
  });
  try {
    const port = await portOf(child);
    return { url: `ws://127.0.0.1:${port}/`, stop: () => stopChild(child) };
  } catch (error) {
    await stopChild(child);
    throw error;
  }
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail('it said nothing for 10 s'), startDeadlineMs);
    const fail = (why: string): void => {
      clearTimeout(timer);
      reject(new WsbenchError('SERVER_START', `the echo server of the self-test did not start: ${why}`));
    };
    child.on('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`it exited with ${code}`));
    child.once('message', ({ port }: { port: number }) => {
      clearTimeout(timer);
      resolve(port);
    });
  });
}

function stopChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
