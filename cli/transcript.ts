// How `connect` shows what happens: what the target sent on stdout, everything else on stderr.
import { closeMeaning } from '../lib/cause/close-code.ts';
import type { ClientEvent } from '../lib/connect.ts';
import { redactMessage, redactStrings, redactText } from '../lib/result/redact.ts';
import { terminalStyle } from './finish.ts';
import { harmless, type Io } from './io.ts';
import { jsonView } from './json-view.ts';
import { printable, withoutCommands } from './workflow-commands.ts';

/** Shows events of a connection, and words about it. */
export interface Transcript {
  show: (event: ClientEvent) => void;
  /** A line for the person at the terminal. */
  say: (text: string) => void;
  /** An event that is not the connection's, such as an expectation that was met. */
  tell: (event: Record<string, unknown>) => void;
}

/** What a transcript may be told. */
export interface TranscriptOptions {
  json: boolean;
  color: boolean;
  quiet: boolean;
  /** Wraps every write, so that a line that is being typed can make room. */
  around?: (write: () => void) => void;
}

const shownBytes = 64;
const shownChars = 16_384;

/** A transcript: JSON lines, or for people; on a terminal with times, laid out and coloured. */
export function transcript(io: Io, options: TranscriptOptions): Transcript {
  const around = options.around ?? ((write) => write());
  // Messages go on as they came, but where they could command what reads them.
  const safe = (text: string): string => printable(text, io.env);
  const out = (text: string): void => around(() => io.stdout.write(`${safe(text)}\n`));
  const say = (text: string): void => {
    if (!options.quiet) around(() => io.stderr.write(`${withoutCommands(harmless(redactText(text)))}\n`));
  };
  if (options.json) {
    const line = (event: Record<string, unknown>): void =>
      out(
        harmless(JSON.stringify({ at: new Date().toISOString(), ...event })).replaceAll('##[', '#\\u0023['),
      );
    return {
      show: (event) => line(jsonEvent(event)),
      say: () => {},
      tell: (event) => line(redactStrings(event)),
    };
  }
  const style = terminalStyle(io, options.color);
  const view = io.stdout.isTTY === true ? terminalMessage : pipedMessage;
  const show = (event: ClientEvent): void => {
    if (event.type === 'message') out(view(event.data, event.binary, style));
    else {
      const words = wordsOf(event, style.unicode);
      if (words !== undefined) say(words);
    }
  };
  return { show, say, tell: () => {} };
}

interface Style {
  width: number;
  color: boolean;
  unicode: boolean;
}

const dim = (text: string, { color }: Style): string => (color ? `\x1b[2m${text}\x1b[22m` : text);

function terminalMessage(data: Buffer, binary: boolean, style: Style): string {
  const time = new Date().toISOString().slice(11, 23);
  const head = `${dim(time, style)} ${style.unicode ? '←' : '<'} `;
  if (binary) return `${head}${hexDump(data)}`;
  const text = redactMessage(data.toString('utf8'));
  // Laid out only once its control characters are gone: colours are ours alone.
  const safe = text.split('\n').map(harmless).join('\n');
  if (safe.length > shownChars) {
    return `${head}${safe.slice(0, shownChars)}${dim(`… ${safe.length - shownChars} more characters`, style)}`;
  }
  return `${head}${jsonView(safe, { width: style.width - 15, color: style.color }) ?? safe}`;
}

/** For programs: the message as it came, on one line if it was one. */
function pipedMessage(data: Buffer, binary: boolean): string {
  if (binary) return hexDump(data);
  return redactMessage(data.toString('utf8')).split('\n').map(harmless).join('\n');
}

function hexDump(data: Buffer): string {
  const length = `binary, ${data.length} byte${data.length === 1 ? '' : 's'}: `;
  if (holdsSecret(data)) return `${length}[redacted]`;
  const shown = data.subarray(0, shownBytes);
  const pairs = shown.toString('hex').replace(/(..)(?=.)/g, '$1 ');
  const text = shown.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
  return `${length}${pairs}${data.length > shownBytes ? ' …' : ''}  |${text}|`;
}

/** Hex would hide a secret from whoever masks it, and from nobody else. */
function holdsSecret(data: Buffer): boolean {
  const text = data.toString('latin1');
  return redactText(text) !== text;
}

/** An event in words; undefined for what stands in the transcript anyway. */
function wordsOf(event: ClientEvent, unicode: boolean): string | undefined {
  const arrow = unicode ? '→' : '>';
  switch (event.type) {
    case 'open': {
      const chosen = event.subprotocol === '' ? '' : `, subprotocol ${event.subprotocol}`;
      return `connected in ${event.connectMs.toFixed(1)} ms${chosen}`;
    }
    case 'sent': {
      const text =
        typeof event.data === 'string' ? redactMessage(event.data) : hexDump(Buffer.from(event.data));
      return `${arrow} ${text}${event.why === 'asked' ? '' : `  (${event.why})`}`;
    }
    case 'pong':
      return `pong after ${event.rttMs.toFixed(2)} ms`;
    case 'violation':
      return `the target broke the protocol: ${event.detail}`;
    case 'closed':
      return closeWords(event);
    default:
      return undefined;
  }
}

/** A close in words: who, code, meaning, reason. */
export function closeWords({ code, by, reason }: Extract<ClientEvent, { type: 'closed' }>): string {
  const who = { us: 'closed by us', peer: 'closed by the target', none: 'the connection broke' }[by];
  return `${who}: ${code} (${closeMeaning(code)})${reason === '' ? '' : `, reason "${reason}"`}`;
}

/** A failure in words: what, and what to do. */
export function failureWords({ kind, detail, hint }: Extract<ClientEvent, { type: 'failed' }>): string {
  const words = kind === 'opening' || kind === 'aborted' ? detail : `${kind}: ${detail}`;
  return hint === undefined ? words : `${words} (${hint})`;
}

function jsonEvent(event: ClientEvent): Record<string, unknown> {
  const { type, ...rest } = event;
  if (event.type === 'message') return { event: type, ...payload(event.data, event.binary) };
  if (event.type === 'sent') {
    const binary = typeof event.data !== 'string';
    return { event: type, why: event.why, ...payload(Buffer.from(event.data as string), binary) };
  }
  const texts = Object.entries(rest).map(([key, value]) => [
    key,
    typeof value === 'string' ? redactText(value) : value,
  ]);
  const meaning = event.type === 'closed' ? { meaning: closeMeaning(event.code) } : {};
  return { event: type, ...Object.fromEntries(texts), ...meaning };
}

function payload(data: Buffer, binary: boolean): Record<string, unknown> {
  if (!binary) return { text: redactMessage(data.toString('utf8')), bytes: data.length };
  const hex = holdsSecret(data) ? '[redacted]' : data.subarray(0, shownBytes).toString('hex');
  return { hex, bytes: data.length };
}
