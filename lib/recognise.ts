// Recognising a target that greets: one short connection before the run.
import { type Connection, createWsDriver, type Driver, type Sink } from './load/index.ts';
import type { RunControl } from './result/events.ts';
import { placeToken } from './target/credential.ts';
import { presetOfMessage } from './target/recognise.ts';
import type { ConnectPlan } from './target-options.ts';

const connectTimeoutMs = 3000;
const greetingTimeoutMs = 250;

/**
 * The preset for a target that says at once who it is, or undefined. Whatever goes wrong here goes wrong again, and is
 * reported, in the run itself.
 */
export async function recognise(
  connect: ConnectPlan,
  token: string | undefined,
  control: RunControl,
  driver: Driver = createWsDriver(),
): Promise<'wsbench' | undefined> {
  const greeting = await firstMessage(connect, token, driver, control.signal);
  if (greeting === undefined || presetOfMessage(greeting) !== 'wsbench') return undefined;
  const message = 'the target greets with WELCOME: using --preset wsbench';
  control.onEvent?.({ type: 'warning', warning: { code: 'recognised', message } });
  return 'wsbench';
}

function firstMessage(
  connect: ConnectPlan,
  token: string | undefined,
  driver: Driver,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (signal?.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    let connection: Connection | undefined;
    const done = (text?: string): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      connection?.abort();
      resolve(text);
    };
    const stop = (): void => done();
    const sink: Sink = {
      opened: () => {
        timer = setTimeout(done, greetingTimeoutMs);
      },
      message: (buffer, start, end) => done(buffer.toString('utf8', start, end)),
      pong: () => {},
      closed: () => done(),
      failed: () => done(),
    };
    const upgrade = placeToken(connect, connect.tokenPlace, token);
    connection = driver.open({ ...connect, ...upgrade, timeoutMs: connectTimeoutMs }, sink);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
