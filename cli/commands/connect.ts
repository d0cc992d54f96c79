// wsbench connect: talk to a WebSocket server, by hand or by a script.
import type { Command } from 'commander';
import { parseDurationMs } from '../../lib/duration.ts';
import { WsbenchError } from '../../lib/errors.ts';
import { type Client, type ClientEvent, type ClientOptions, connect, mintToken } from '../../lib/index.ts';
import { presetOfClose, presetOfMessage } from '../../lib/target/recognise.ts';
import { newCommand } from '../command.ts';
import { converse, type Ending } from '../conversation.ts';
import { expectationHelp, parseExpectation } from '../expectation.ts';
import { type Io, note } from '../io.ts';
import { type ConnectFlags, collect, connectFlags, connectOptions, targetArgument } from '../options.ts';
import { interact, promptHelp, promptLine } from '../prompt.ts';
import { type TokenFlags, type TokenValues, tokenFlags, tokenValues } from '../token-flags.ts';
import { type Transcript, transcript } from '../transcript.ts';

interface ClientFlags extends ConnectFlags, TokenFlags {
  send?: string[];
  expect?: string[];
  expectClose?: string | true;
  timeout?: string;
  connectTimeout?: string;
  json?: boolean;
  color?: boolean;
  quiet?: boolean;
}

const help = `
On a terminal, lines are sent as text messages, and there are commands:
  ${promptHelp.slice(0, -1).join('\n  ')}

With --send, --expect or --expect-close it does that and closes. Without them, and with standard input from a file or pipe,
each line is sent; after the last it waits until no more comes for half a second. Messages go to standard output
(to a pipe as they came, one a line), everything else to standard error. Secrets are masked in both.
${expectationHelp}

Exit codes: 0 all as expected · 1 an expectation was not met, or the connection broke · 2 usage
            3 not connected, or not joined · 130/143 interrupted

Examples:
  wsbench connect ws://localhost:8080/ws/echo
  wsbench connect ws://localhost:8080/ws --send '{"type":"PING","id":"1"}' --expect /type=PONG
  wsbench connect wss://example.org/ws --token env:TOKEN --expect-close 4401 -t 90s`;

/** The `connect` command. */
export function connectCommand(io: Io): Command {
  const command = newCommand('connect', io)
    .description('talk to a server: send lines, see what comes, expect it in scripts')
    .argument('[url]', 'target, ws:// or wss:// (default: WSBENCH_URL)')
    .optionsGroup('Conversation:')
    .option('--send <text>', 'send this as a text message (repeatable, in order)', collect)
    .option('--expect <what>', 'wait for a message like this, see below (repeatable, in order)', collect)
    .option('--expect-close [code]', 'then wait until the target closes, with this code')
    .option(
      '-t, --timeout <time>',
      'time that each expectation, and each step of the join, may take (default 5s)',
    );
  connectFlags(command).option('--connect-timeout <time>', 'limit for the connect (default 10s)');
  tokenFlags(command, 'one is minted')
    .option('--token-expires <time>', 'lifetime of the minted token (default 1h)')
    .optionsGroup('Output:')
    .option('--json', 'print every event as a line of JSON')
    .option('--no-color', 'no colours')
    .option('-q, --quiet', 'only what the target sends, and errors')
    .addHelpText('after', help);
  return command.action((url: string | undefined, flags: ClientFlags) => run(url, flags, io));
}

async function run(argument: string | undefined, flags: ClientFlags, io: Io): Promise<void> {
  const url = targetArgument(argument, io);
  if (url === undefined) {
    throw new WsbenchError(
      'USAGE',
      'connect: to where? wsbench connect ws://localhost:8080/ws (or WSBENCH_URL)',
    );
  }
  const options = await clientOptions(flags, io);
  const expectations = (flags.expect ?? []).map(parseExpectation);
  const expectClose = closeCode(flags.expectClose);
  const isScript = flags.send !== undefined || expectations.length > 0 || expectClose !== undefined;
  const byHand = !isScript && io.stdin.isTTY === true;
  const line = byHand ? promptLine(io) : undefined;
  const words = transcript(io, {
    json: flags.json ?? false,
    color: flags.color ?? true,
    quiet: flags.quiet ?? false,
    ...(line ? { around: line.around } : {}),
  });
  const described = options.preset !== undefined || options.targetFile !== undefined;
  const hint = described ? (): void => {} : presetHint(words);
  const timeoutMs = options.timeoutMs ?? 5000;
  const open = (onEvent: (event: ClientEvent) => void): Client =>
    connect(url, options, (event) => {
      onEvent(event);
      hint(event);
    });
  const ending = await (line
    ? interact(line, open, words, io.signal, timeoutMs)
    : converse(
        {
          sends: flags.send ?? [],
          // A script says by itself what is sent; expectations alone may go with lines from a pipe.
          ...(flags.send !== undefined || io.stdin.isTTY === true ? {} : { input: io.stdin }),
          expectations,
          ...(expectClose === undefined ? {} : { expectClose }),
          timeoutMs,
        },
        open,
        words,
        io.signal,
      ));
  finish(ending, words, io);
}

function finish({ code, reason }: Ending, words: Transcript, io: Io): void {
  words.tell({ event: 'end', exit: code, ...(reason === '' ? {} : { reason }) });
  if (code !== 0) note(io, `exit ${code}: ${reason}`);
  io.exit(code);
}

async function clientOptions(flags: ClientFlags, io: Io): Promise<ClientOptions> {
  const options: ClientOptions = connectOptions(flags, io);
  const token = await tokenOf(tokenValues(flags, io));
  if (token !== undefined) options.token = token;
  if (flags.timeout !== undefined) options.timeoutMs = parseDurationMs(flags.timeout, '--timeout');
  if (flags.connectTimeout !== undefined) {
    options.connectTimeoutMs = parseDurationMs(flags.connectTimeout, '--connect-timeout');
  }
  return options;
}

/** The token that was given, or one that is minted with the key. */
async function tokenOf({ tokens, signingKey, tokenOptions }: TokenValues): Promise<string | undefined> {
  if (!signingKey) return tokens?.[0];
  if (tokens)
    throw new WsbenchError('USAGE', '--token excludes --secret and --key: one connection has one token');
  return mintToken(signingKey, tokenOptions);
}

function closeCode(text: string | true | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  if (text === true) return null;
  if (/^[1-4]\d{3}$/.test(text)) return Number(text);
  throw new WsbenchError(
    'USAGE',
    '--expect-close: what follows is no close code; write it like --expect-close=1000, the URL before it',
  );
}

/** Says once what protocol the target gives away, and what helps. */
function presetHint(words: Transcript): (event: ClientEvent) => void {
  let said = false;
  return (event) => {
    if (said) return;
    const preset =
      event.type === 'message' && !event.binary
        ? presetOfMessage(event.data.toString('utf8'))
        : event.type === 'closed'
          ? presetOfClose(event.code)
          : undefined;
    if (preset === undefined) return;
    said = true;
    words.say(`it speaks ${preset}: --preset ${preset} does what its protocol asks for`);
  };
}
