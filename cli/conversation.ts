// A connection that is talked over by a script: what is sent, what must come, and when enough has come. Every wait is bounded.
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientEvent } from '../lib/connect.ts';
import { asReceived, type Expectation } from './expectation.ts';
import { closeWords, failureWords, type Transcript } from './transcript.ts';

/** What a script does. */
export interface Script {
  /** Sent in order, once the connection is ready. */
  sends: readonly string[];
  /** Lines of this are sent after them, as they come. */
  input?: Readable;
  /** What must come, in order. */
  expectations: readonly Expectation[];
  /** The target must end the connection, with this code unless it is null. */
  expectClose?: number | null;
  /** Time that each expectation may take. */
  timeoutMs: number;
}

/** How a conversation ended: the exit code, and why when it is not 0. */
export interface Ending {
  code: number;
  reason: string;
}

// Replies that come in one go are this far apart at most; no reply for so long is the end of them.
const quietMs = 500;
const mostUnsentBytes = 1024 * 1024;
const shownReplyChars = 200;

/** Talks as a script says, and closes. */
export function converse(
  script: Script,
  open: (onEvent: (event: ClientEvent) => void) => Client,
  transcript: Transcript,
  signal: AbortSignal,
): Promise<Ending> {
  return new Promise((resolve) => {
    new Conversation(script, transcript, resolve).start(open, signal);
  });
}

class Conversation {
  readonly #script: Script;
  readonly #transcript: Transcript;
  readonly #resolve: (ending: Ending) => void;
  readonly #pending: Expectation[];
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ending: Ending | undefined;
  #isOpen = false;
  #isReady = false;
  #inputDone = false;
  #unsent = 0;
  /** When something was sent, or an expectation met, last. */
  #progressMs = 0;
  #messageMs = 0;
  /** Messages since the last expectation was met. */
  #passedOver = 0;
  #lastPassedOver = '';
  #violation: string | undefined;

  constructor(script: Script, transcript: Transcript, resolve: (ending: Ending) => void) {
    this.#script = script;
    this.#transcript = transcript;
    this.#resolve = resolve;
    this.#pending = [...script.expectations];
  }

  start(open: (onEvent: (event: ClientEvent) => void) => Client, signal: AbortSignal): void {
    const client = open((event) => this.#on(event));
    this.#client = client;
    const stop = (): void => {
      const code = signal.reason === 'SIGTERM' ? 143 : 130;
      this.#ending = { code, reason: 'interrupted' };
      client.close();
    };
    if (signal.aborted) queueMicrotask(stop);
    else signal.addEventListener('abort', stop, { once: true });
  }

  #on(event: ClientEvent): void {
    this.#transcript.show(event);
    switch (event.type) {
      case 'open':
        this.#isOpen = true;
        return;
      case 'ready':
        this.#progressMs = performance.now();
        this.#isReady = true;
        void this.#sendAll();
        // Input that never says anything must not hold up what is waited for.
        this.#look();
        return;
      case 'sent':
        if (event.why === 'asked') this.#progressMs = performance.now();
        return;
      case 'message':
        this.#received(event.data);
        return;
      case 'violation':
        this.#violation = event.detail;
        return;
      case 'failed':
        this.#ending ??= { code: 3, reason: failureWords(event) };
        // A connection that was open is closed now, and says so.
        if (!this.#isOpen) this.#end();
        return;
      case 'closed':
        this.#ending ??= this.#judgeClose(event);
        this.#end();
    }
  }

  async #sendAll(): Promise<void> {
    for (const text of this.#script.sends) this.#client?.send(text);
    const { input } = this.#script;
    if (input) {
      for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
        while ((this.#client?.bufferedBytes ?? 0) > mostUnsentBytes) await sleep(10);
        if (line !== '' && this.#client?.send(line) === false) this.#unsent++;
        if (this.#ending) return;
        this.#look();
      }
    }
    this.#inputDone = true;
    this.#look();
  }

  #received(data: Buffer): void {
    this.#messageMs = performance.now();
    const message = asReceived(data);
    const expected = this.#pending[0];
    if (expected?.isMetBy(message)) {
      this.#pending.shift();
      this.#progressMs = this.#messageMs;
      this.#passedOver = 0;
      this.#transcript.say(`ok: came as expected: ${expected.text}`);
      this.#transcript.tell({ event: 'expectation', expect: expected.text, met: true });
    } else {
      this.#passedOver++;
      this.#lastPassedOver = message.text.slice(0, shownReplyChars);
    }
    this.#look();
  }

  /** Looks whether it is over; if not, looks again when that could have changed by time alone. */
  #look(): void {
    clearTimeout(this.#timer);
    if (!this.#isReady || this.#ending) return;
    const dueMs = this.#dueMs();
    const waitMs = dueMs - performance.now();
    if (waitMs <= 0) this.#timeIsUp();
    else if (dueMs < Number.POSITIVE_INFINITY)
      this.#timer = setTimeout(() => this.#look(), Math.ceil(waitMs));
  }

  /** When the wait for what is waited for is over. */
  #dueMs(): number {
    const { timeoutMs, expectations, expectClose } = this.#script;
    const latestMs = this.#progressMs + timeoutMs;
    if (this.#pending.length > 0 || expectClose !== undefined) return latestMs;
    if (expectations.length > 0) return this.#inputDone ? 0 : this.#progressMs + quietMs;
    // Whoever writes to us says when it is enough.
    if (!this.#inputDone) return Number.POSITIVE_INFINITY;
    return this.#messageMs >= this.#progressMs ? Math.min(latestMs, this.#messageMs + quietMs) : latestMs;
  }

  #timeIsUp(): void {
    const [missing] = this.#pending;
    const seconds = this.#script.timeoutMs / 1000;
    if (missing) {
      this.#transcript.tell({ event: 'expectation', expect: missing.text, met: false });
      this.#ending = {
        code: 1,
        reason: `expected ${missing.text}, not within ${seconds} s; ${this.#instead()}`,
      };
    } else if (this.#script.expectClose !== undefined) {
      this.#ending = {
        code: 1,
        reason: `expected the target to close, not within ${seconds} s; ${this.#instead()}`,
      };
    } else {
      if (this.#messageMs === 0) this.#transcript.say(`nothing came within ${seconds} s`);
      this.#ending = { code: 0, reason: '' };
    }
    this.#client?.close();
  }

  #judgeClose(event: Extract<ClientEvent, { type: 'closed' }>): Ending {
    const { expectClose } = this.#script;
    const words = closeWords(event);
    const [missing] = this.#pending;
    if (missing) return { code: 1, reason: `expected ${missing.text}; ${this.#instead()}, then ${words}` };
    if (this.#violation !== undefined) {
      return { code: 1, reason: `the target broke the protocol: ${this.#violation}` };
    }
    if (expectClose === null && event.by === 'none')
      return { code: 1, reason: `expected a close frame; ${words}` };
    if (typeof expectClose === 'number' && expectClose !== event.code) {
      return { code: 1, reason: `expected the target to close with ${expectClose}; ${words}` };
    }
    if (expectClose !== undefined) return { code: 0, reason: '' };
    if (event.by === 'none') return { code: 1, reason: words };
    if (this.#unsent > 0) return { code: 1, reason: `${words}, before everything was sent` };
    return { code: 0, reason: '' };
  }

  #instead(): string {
    if (this.#passedOver === 0) return 'nothing else came';
    const count =
      this.#passedOver === 1 ? 'instead came' : `instead came ${this.#passedOver} messages, the last`;
    return `${count}: ${this.#lastPassedOver}`;
  }

  #end(): void {
    clearTimeout(this.#timer);
    // A pipe that nobody ends would keep the process waiting.
    this.#script.input?.destroy();
    this.#resolve(this.#ending ?? { code: 0, reason: '' });
  }
}
