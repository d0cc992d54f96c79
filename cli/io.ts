// What a command may use of the process. Only main.ts makes one from the real process.
import type { Readable, Writable } from 'node:stream';
import { redactText } from '../lib/result/redact.ts';
import { inAscii } from '../reports/index.ts';
import { withoutCommands } from './workflow-commands.ts';

/** A command's surroundings. */
export interface Io {
  /** What a person or another program types. */
  stdin: Readable & { isTTY?: boolean };
  /** The result goes here, and nothing else. */
  stdout: Writable & { isTTY?: boolean; columns?: number };
  /** Progress, warnings and logs go here. */
  stderr: Writable & { isTTY?: boolean; columns?: number };
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** Fires with reason `SIGINT` or `SIGTERM` at the first signal. */
  signal: AbortSignal;
  /** How long the command takes to end after the first signal, at most, in ms: what a person is told then. 5,000 unless set. */
  finishMs: number;
  /** Sets what is done when something was thrown that nobody caught, before the process exits with 70; it has 5 s. */
  atCrash: (lastWords: () => Promise<void>) => void;
  /** Ends the command: the process exits with this code once everything is written. */
  exit: (code: number) => void;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a server says must not drive the terminal
const control = /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/** Writes a line to stderr, its secrets masked, its control characters and what CI takes for a command made harmless. */
export function note(io: Pick<Io, 'stderr' | 'env'>, line: string): void {
  io.stderr.write(`${showable(io, withoutCommands(harmless(redactText(line))))}\n`);
}

/** Whether a terminal shows more than ASCII. Where no locale is set, nobody said that it does not. */
export function isUnicode({ LC_ALL, LC_CTYPE, LANG, TERM }: Io['env']): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG || '';
  return (locale === '' || /utf-?8/i.test(locale)) && TERM !== 'linux';
}

/** Text as the terminal can show it: in ASCII, where that is all it knows. */
export function showable({ env }: Pick<Io, 'env'>, text: string): string {
  return isUnicode(env) ? text : text.split('\n').map(inAscii).join('\n');
}

/** Text whose control characters drive no terminal. */
export function harmless(text: string): string {
  return text.replace(control, '�');
}
