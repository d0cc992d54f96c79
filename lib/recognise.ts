// Recognising a target: one short connection before a run that was not told how the target talks.
import { WsbenchError } from './errors.ts';
import {
  type Connection,
  type ConnectSpec,
  createWsDriver,
  type Driver,
  type FailureKind,
  type Sink,
} from './load/index.ts';
import type { RunControl } from './result/events.ts';
import type { Warning } from './result/result.ts';
import { placeToken } from './target/credential.ts';
import type { PresetName } from './target/presets.ts';
import {
  phoenixQuestion,
  presetAdvice,
  presetOfClose,
  presetOfMessage,
  presetOfRefusal,
  presetOfSubprotocol,
} from './target/recognise.ts';
import type { ConnectPlan } from './target-options.ts';

const connectTimeoutMs = 3000;
const greetingTimeoutMs = 250;

type Address = Omit<ConnectSpec, 'timeoutMs'>;

/** Whom a run was not told of. */
export interface Recognised {
  /** The preset to use: only the reference server is taken as what it is. */
  preset?: 'wsbench';
  warnings: Warning[];
}

/** How one short connection went: the preset that gave itself away, or why it did not open. */
interface Glimpse {
  preset?: PresetName | undefined;
  failed?: FailureKind;
}

/**
 * Looks at who the target is. The reference server is taken as what it is, with a warning; of another protocol that has a preset,
 * `others` says whether to warn that it should be named, or to refuse the run. Whatever else goes wrong here goes wrong again,
 * and is reported, in the run itself.
 *
 * @returns who it is, and what the result has to say of it, which a watcher was told already
 * @throws WsbenchError `USAGE` that names the preset, when `others` is `refuse`
 */
export async function recognise(
  connect: ConnectPlan,
  token: string | undefined,
  others: 'warn' | 'refuse',
  control: RunControl,
  driver: Driver = createWsDriver(),
): Promise<Recognised> {
  const warned = (message: string): Warning[] => {
    const warning = { code: 'recognised', message };
    control.onEvent?.({ type: 'warning', warning });
    return [warning];
  };
  const address = { ...connect, ...placeToken(connect, connect.tokenPlace, token) };
  const { preset, at } = await presetOf(address, driver, control);
  if (preset === undefined) return { warnings: [] };
  if (preset === 'wsbench') {
    return { preset, warnings: warned('the target greets with WELCOME: using --preset wsbench') };
  }
  const message = presetAdvice(preset, at);
  if (others === 'refuse') throw new WsbenchError('USAGE', message);
  return { warnings: warned(message) };
}

async function presetOf(
  connect: Address,
  driver: Driver,
  { signal }: RunControl,
): Promise<{ preset?: PresetName | undefined; at?: string }> {
  const { preset, failed } = await look(connect, driver, signal);
  // A Node server with Socket.IO on it hangs up on upgrades to other paths without an answer.
  if (preset !== undefined || failed !== 'reset') return { preset };
  const own = new URL('/socket.io/?EIO=4&transport=websocket', connect.url).href;
  const second = await look({ ...connect, url: own }, driver, signal);
  if (second.preset !== 'socket.io') return {};
  // The preset completes a URL that has no path; any other path has to go.
  if (new URL(connect.url).pathname === '/') return { preset: 'socket.io' };
  return { preset: 'socket.io', at: new URL('/socket.io/', connect.url).href };
}

/** One short connection: it ends with the first message, or soon. */
function look(connect: Address, driver: Driver, signal: AbortSignal | undefined): Promise<Glimpse> {
  if (signal?.aborted) return Promise.resolve({});
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    let connection: Connection | undefined;
    const done = (glimpse: Glimpse = {}): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      connection?.abort();
      resolve(glimpse);
    };
    const stop = (): void => done();
    const sink: Sink = {
      opened: ({ subprotocol }) => {
        const preset = presetOfSubprotocol(subprotocol);
        if (preset !== undefined) return done({ preset });
        timer = setTimeout(done, greetingTimeoutMs);
        const question = phoenixQuestion(connect.url);
        if (question !== undefined) connection?.sendText(question);
      },
      message: (buffer, start, end) => done({ preset: presetOfMessage(buffer.toString('utf8', start, end)) }),
      pong: () => {},
      closed: (code) => done({ preset: presetOfClose(code) }),
      failed: (kind, detail) => done({ preset: presetOfRefusal(detail), failed: kind }),
    };
    connection = driver.open({ ...connect, timeoutMs: connectTimeoutMs }, sink);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
