// A connection that is talked over by hand: lines are sent, commands begin with a slash.
import { clearScreenDown, createInterface, cursorTo, type Interface } from 'node:readline';
import type { Client, ClientEvent } from '../lib/connect.ts';
import { messageOf, WsbenchError } from '../lib/errors.ts';
import type { Ending } from './conversation.ts';
import type { Io } from './io.ts';
import { closeWords, failureWords, type Transcript } from './transcript.ts';

/** The commands, for people. */
export const promptHelp = [
  '/ping [n]               round trip of a ping frame, n times',
  '/binary HEX             send a binary message, such as /binary 00 ff 10',
  '/close [code [reason]]  close, with 1000 unless another code is given',
  '/help                   this',
  '//text                  send a text that begins with a slash',
  'Anything else is sent as it is. Ctrl-D closes, Ctrl-C gives up.',
];

const mostPings = 1000;
const betweenPingsMs = 100;

/** The line at the bottom of the terminal. */
export interface PromptLine {
  /** Lets something be written above the line that is being typed. */
  around: (write: () => void) => void;
  start: (onLine: (text: string) => void, onEnd: () => void, onInterrupt: () => void) => void;
  /** Shows it again, for the next line. */
  next: () => void;
  stop: () => void;
}

/** A line at the bottom of the terminal of stderr, edited by readline. */
export function promptLine(io: Io): PromptLine {
  let reader: Interface | undefined;
  return {
    around: (write) => {
      if (!reader) return write();
      cursorTo(io.stderr, 0);
      clearScreenDown(io.stderr);
      write();
      reader.prompt(true);
    },
    start: (onLine, onEnd, onInterrupt) => {
      reader = createInterface({ input: io.stdin, output: io.stderr, terminal: true, prompt: '> ' });
      reader.on('line', onLine);
      reader.on('close', onEnd);
      reader.on('SIGINT', onInterrupt);
      reader.prompt();
    },
    next: () => reader?.prompt(),
    stop: () => {
      const ended = reader;
      reader = undefined;
      if (!ended) return;
      cursorTo(io.stderr, 0);
      clearScreenDown(io.stderr);
      ended.close();
    },
  };
}

/** Talks as a person types, until one side closes. */
export function interact(
  line: PromptLine,
  open: (onEvent: (event: ClientEvent) => void) => Client,
  transcript: Transcript,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Ending> {
  return new Promise((resolve) => {
    let ending: Ending | undefined;
    let isOpen = false;
    const end = (ended: Ending): void => {
      pings.stop();
      line.stop();
      resolve(ending ?? ended);
    };
    const client = open((event) => {
      if (event.type === 'closed') line.stop();
      // What a person typed stands there already.
      if (event.type !== 'sent' || event.why !== 'asked') transcript.show(event);
      if (event.type === 'open') isOpen = true;
      else if (event.type === 'ready') {
        transcript.say('type a line to send it; /help shows the commands, Ctrl-D closes');
        line.start(onLine, () => client.close(), interrupt);
      } else if (event.type === 'pong') pings.ponged(event.rttMs);
      else if (event.type === 'failed') {
        ending ??= { code: 3, reason: failureWords(event) };
        if (!isOpen) end(ending);
      } else if (event.type === 'closed') {
        const broke = event.by === 'none' || !event.clean;
        end(broke ? { code: 1, reason: closeWords(event) } : { code: 0, reason: '' });
      }
    });
    const pings = pinger(client, transcript, timeoutMs);
    const interrupt = (): void => {
      if (ending) client.abort();
      ending = { code: signal.reason === 'SIGTERM' ? 143 : 130, reason: 'interrupted' };
      client.close();
    };
    if (signal.aborted) queueMicrotask(interrupt);
    else signal.addEventListener('abort', interrupt, { once: true });
    const onLine = (text: string): void => {
      try {
        obey(text, client, pings, transcript);
      } catch (error) {
        if (!(error instanceof WsbenchError)) throw error;
        transcript.say(messageOf(error));
      }
      line.next();
    };
  });
}

function obey(text: string, client: Client, pings: Pinger, transcript: Transcript): void {
  if (text === '') return;
  if (!text.startsWith('/') || text.startsWith('//')) {
    client.send(text.startsWith('//') ? text.slice(1) : text);
    return;
  }
  const [, command = '', rest = ''] = /^\/(\S*)\s*(.*)$/s.exec(text) ?? [];
  if (command === 'help') for (const row of promptHelp) transcript.say(row);
  else if (command === 'ping') pings.start(countOf(rest));
  else if (command === 'binary') client.send(bytesOf(rest));
  else if (command === 'close') {
    const [, code, reason = ''] = /^(\d*)\s*(.*)$/s.exec(rest) ?? [];
    client.close(code === undefined || code === '' ? 1000 : Number(code), reason);
  } else {
    throw new WsbenchError(
      'USAGE',
      `there is no /${command}; /help shows what there is, //${command} sends it`,
    );
  }
}

function countOf(text: string): number {
  const count = text === '' ? 1 : Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= mostPings) return count;
  throw new WsbenchError('USAGE', `/ping takes a whole number from 1 to ${mostPings}`);
}

function bytesOf(text: string): Buffer {
  const hex = text.replace(/\s+/g, '');
  if (/^([\da-f]{2})+$/i.test(hex)) return Buffer.from(hex, 'hex');
  throw new WsbenchError('USAGE', '/binary takes bytes in hex, such as /binary 00 ff 10');
}

interface Pinger {
  start: (count: number) => void;
  ponged: (rttMs: number) => void;
  stop: () => void;
}

/** Pings one after the other, and sums up. */
function pinger(client: Client, transcript: Transcript, timeoutMs: number): Pinger {
  let left = 0;
  let times: number[] = [];
  let timer: NodeJS.Timeout | undefined;
  const ping = (): void => {
    client.ping();
    timer = setTimeout(() => {
      transcript.say(`no pong within ${timeoutMs / 1000} s`);
      left = 0;
    }, timeoutMs);
  };
  return {
    start: (count) => {
      if (left > 0) throw new WsbenchError('USAGE', 'pings are under way');
      left = count;
      times = [];
      ping();
    },
    ponged: (rttMs) => {
      clearTimeout(timer);
      if (left === 0) return;
      times.push(rttMs);
      left--;
      if (left > 0) timer = setTimeout(ping, betweenPingsMs);
      else if (times.length > 1) transcript.say(`${times.length} pongs: ${spread(times)}`);
    },
    stop: () => clearTimeout(timer),
  };
}

function spread(times: readonly number[]): string {
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  const figures = [Math.min(...times), mean, Math.max(...times)].map((ms) => ms.toFixed(2));
  return `min ${figures[0]}, mean ${figures[1]}, max ${figures[2]} ms`;
}
