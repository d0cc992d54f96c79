// The wsbench command: wires the process to the commands. The only file that touches `process`.
import { Command, CommanderError, Option } from 'commander';
import { formatDuration } from '../lib/duration.ts';
import { messageOf, WsbenchError } from '../lib/errors.ts';
import { exitCodeOfError } from '../lib/result/exit-code.ts';
import { redactText } from '../lib/result/redact.ts';
import { version } from '../lib/version.ts';
import { compareCommand } from './commands/compare.ts';
import { conformCommand } from './commands/conform.ts';
import { connectCommand } from './commands/connect.ts';
import { doctorCommand } from './commands/doctor.ts';
import { mergeCommand } from './commands/merge.ts';
import { quickCommand } from './commands/quick.ts';
import { reportCommand } from './commands/report.ts';
import { runsCommand } from './commands/runs.ts';
import { serveCommand } from './commands/serve.ts';
import { stormCommand } from './commands/storm.ts';
import { stressCommand } from './commands/stress.ts';
import { tokenCommand } from './commands/token.ts';
import { validateCommand } from './commands/validate.ts';
import { type Io, note, showable } from './io.ts';
import { hasJournal } from './journals.ts';

const examples = `
Examples:
  wsbench quick                                        check the embedded reference server
  wsbench quick  ws://localhost:8080/ws --preset wsbench
  wsbench stress ws://localhost:8080/ws -c 500 -r 5k/s -d 30s --threshold 'rtt.p99<20ms'
  wsbench stress ws://localhost:8545 --preset json-rpc -e method=sum -e params='[1,2]' --token env:TOKEN
  wsbench storm  ws://localhost:8080/ws -c 500         all connections go at once: how do they come back?
  wsbench conform ws://localhost:8080/ws/echo          does it keep to the protocol? Autobahn's cases
  wsbench connect ws://localhost:8080/ws/echo          talk to it by hand, or in scripts
  wsbench serve                                        run the reference server
  wsbench compare before.json after.json -o report.md
  wsbench stress ws://localhost:8080/ws --baseline main --fail-on 'rtt.p99>+10%'
  wsbench runs                                         what was run here
  wsbench doctor                                       what can this machine drive?

Exit codes: 0 passed · 1 check or case failed · 2 usage · 3 unreachable · 4 inconclusive · 6 report not written
            70 bug · 99 threshold crossed · 130/143 interrupted
Every flag can be given as WSBENCH_<FLAG>, for example WSBENCH_TOKEN. Data is sent only to the URL you give.
A command for each common task: docs/tasks.md · every flag: docs/flags.md`;

function program(io: Io): Command {
  const root = new Command('wsbench')
    .description('load and conformance tests for WebSocket servers')
    .version(version, '-V, --version')
    .addHelpText('after', examples);
  for (const make of [
    quickCommand,
    stressCommand,
    stormCommand,
    conformCommand,
    connectCommand,
    serveCommand,
    tokenCommand,
    reportCommand,
    compareCommand,
    mergeCommand,
    runsCommand,
    validateCommand,
    doctorCommand,
  ]) {
    root.addCommand(make(io));
  }
  prepare(root, io);
  return root;
}

function prepare(command: Command, io: Io, name = command.name()): void {
  command.exitOverride((error) => {
    throw error.exitCode === 0 || error.code === 'commander.help' ? error : usageError(error, name);
  });
  // Beside --help, whatever groups the command's own options are in.
  command.addOption(new Option('--debug', 'show stack traces').helpGroup('Options:'));
  command.configureOutput({
    writeOut: (text) => io.stdout.write(showable(io, text)),
    writeErr: (text) => io.stderr.write(text),
    // The one line that is printed for a usage error comes from `report` below.
    outputError: () => {},
  });
  command.showSuggestionAfterError(true);
  for (const child of command.commands) prepare(child, io, `${name} ${child.name()}`);
}

/** Commander's complaint as one line that says where help is. */
function usageError(error: CommanderError, command: string): WsbenchError {
  const what = error.message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    // The value of a misspelt option may be a secret.
    .replace(/(--[\w-]+)=[^\s']+/g, '$1')
    .trim()
    .replace(/\.$/, '');
  return new WsbenchError('USAGE', `${what}; see ${command} --help`);
}

const bugReport = 'this is a bug in wsbench, please report it: ';

/** Turns anything thrown into one line and an exit code. */
function report(error: unknown, io: Io, debug: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const known = error instanceof WsbenchError;
  const code = known ? exitCodeOfError(error.code) : 70;
  const bug = code === 70 ? bugReport : '';
  note(io, `wsbench: ${bug}${redactText(messageOf(error)).replaceAll('\n', ' ')}`);
  for (const line of (known && error.excerpt?.split('\n')) || []) note(io, redactText(line));
  if (debug && error instanceof Error)
    for (const line of redactText(error.stack ?? '').split('\n')) note(io, line);
  return code;
}

function watchSignals(stderr: Io['stderr'], finishMs: () => number): AbortSignal {
  const say = (text: string): void => {
    // A terminal's line may hold a live view, and `^C`.
    stderr.write(`${stderr.isTTY ? '\r\x1b[2K' : ''}${text}\n`);
  };
  const controller = new AbortController();
  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(name, () => {
      // The first signal drains and reports; the second does not wait.
      if (controller.signal.aborted) {
        const more = hasJournal(process.cwd()) ? '; wsbench report --recover shows what was counted' : '';
        say(`exit ${code}: ${name} again, nothing is reported${more}`);
        process.exit(code);
      }
      // First: a live view makes room for the line.
      controller.abort(name);
      say(`${name}: finishing, at most ${formatDuration(finishMs())}; once more to stop at once`);
    });
  }
  return controller.signal;
}

const lastWordsMs = 5000;

/**
 * What nobody caught is a bug, and nothing that is left can be trusted: the facts are said, the command gets to say its last words,
 * and the process ends with 70.
 */
function watchCrashes(io: Pick<Io, 'stderr' | 'env'>, lastWords: () => Promise<void>): void {
  let hasCrashed = false;
  const exit = (): never => process.exit(70);
  process.on('uncaughtException', (error) => {
    // What comes after the first is likely to come of it.
    if (hasCrashed) return;
    hasCrashed = true;
    note(io, `wsbench: ${bugReport}nobody caught ${nameOf(error)}`);
    const places = error instanceof Error ? (error.stack ?? '').split('\n').filter(isPlace) : [];
    for (const place of places.slice(0, 5)) note(io, place);
    setTimeout(exit, lastWordsMs);
    Promise.resolve().then(lastWords).then(exit, exit);
  });
}

const isPlace = (line: string): boolean => /^\s+at /.test(line);

function nameOf(error: unknown): string {
  const text = messageOf(error).replaceAll('\n', ' ');
  return error instanceof Error && error.message !== '' ? `${error.name}: ${text}` : text;
}

/** Runs the command line of this process and sets its exit code. */
export async function main(): Promise<void> {
  let lastWords = async (): Promise<void> => {};
  const io: Io = {
    // Made when it is asked for: to look at it is to take it over.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    finishMs: 5000,
    signal: watchSignals(process.stderr, () => io.finishMs),
    atCrash: (words) => {
      lastWords = words;
    },
    exit: (code) => {
      process.exitCode = code;
    },
  };
  watchCrashes(io, () => lastWords());
  // A reader that has seen enough (`| head`) is no error.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return;
      if (stream === process.stdout) note(io, `wsbench: cannot write to stdout: ${messageOf(error)}`);
      process.exitCode = 6;
    });
  }
  const debug = process.argv.includes('--debug');
  try {
    await program(io).parseAsync(process.argv);
  } catch (error) {
    process.exitCode = report(error, io, debug);
  }
  // Timers or sockets that outlive a command must not keep the terminal waiting.
  const code = process.exitCode;
  setTimeout(() => process.exit(code), 1000).unref();
}
