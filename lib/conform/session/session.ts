// One case over one connection: the script or load is played, the machine answers, and what was seen is written down.
import type { Cause } from '../../cause/cause.ts';
import { opcodes } from '../../protocol/frame.ts';
import { type Connection, open, type TransportSink } from '../../transport/connection.ts';
import type { Handshake } from '../../transport/upgrade.ts';
import type { Case } from '../case.ts';
import { offerHeader } from '../deflate-offer.ts';
import { areAsExpected } from '../judge.ts';
import type { Seen, SeenEvent } from '../seen.ts';
import type { SessionContext, SessionEnd } from './context.ts';
import { dishonour } from './dishonour.ts';
import type { FrameHeader } from './frame-reader.ts';
import { type LoadPlayer, loadPlayer } from './loads.ts';
import { closePayload, Machine, type MachineSink } from './machine.ts';
import { Player, type PlayerParts } from './player.ts';
import { Sender } from './sender.ts';
import { Wire } from './wire.ts';

const openMs = 5000;
/** A peer that began to close and keeps TCP open: the verdict is clear, or may still depend on whether it ends TCP. */
const lingerMs = { clear: 1000, open: 10_000 };

/** Runs a case. Ends early, and says nothing of it, when the signal does. */
export function runCase(testCase: Case, context: SessionContext, signal: AbortSignal): Promise<SessionEnd> {
  return new Promise((resolve, reject) => {
    const session = new Session(testCase, context, (end) => {
      signal.removeEventListener('abort', stop);
      resolve(end);
    });
    const stop = (): void => {
      session.stop();
      reject(signal.reason);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

class Session implements TransportSink, MachineSink, PlayerParts {
  readonly #case: Case;
  readonly #context: SessionContext;
  readonly #finish: (end: SessionEnd) => void;
  readonly #connection: Connection;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #events: SeenEvent[] = [];
  readonly #notes: string[] = [];
  readonly #heldPongs: Uint8Array[] = [];
  readonly wire = new Wire();
  readonly sender: Sender;
  #machine: Machine | undefined;
  #player: Player | undefined;
  #load: LoadPlayer | undefined;
  #dishonoured: string | null = null;
  #isTimerOn = false;
  #openMs = 0;
  #isDone = false;
  #stopWatching = (): void => {};

  constructor(testCase: Case, context: SessionContext, finish: (end: SessionEnd) => void) {
    this.#case = testCase;
    this.#context = context;
    this.#finish = finish;
    const { upgrade = {} } = context.open;
    const offers = testCase.load?.kind === 'deflate' ? testCase.load.offers : undefined;
    this.#connection = open(
      context.endpoint,
      {
        ...context.open,
        timeoutMs: openMs * Math.max(1, context.timeScale),
        upgrade: { ...upgrade, ...(offers ? { extensions: offerHeader(offers) } : {}) },
      },
      this,
    );
    this.sender = new Sender(this.#connection);
  }

  get machine(): Machine {
    if (!this.#machine) throw new Error('the machine is asked before the connection is open');
    return this.#machine;
  }

  stop(): void {
    this.#end();
    this.#connection.destroy();
  }

  // What the transport tells.

  opened(_times: unknown, handshake: Handshake | null): void {
    this.#openMs = performance.now();
    this.wire.open();
    const deflate = handshake?.deflate ?? null;
    const { strictness, messages, compressed } = this.#context;
    if (strictness === 'rfc' && handshake) this.#dishonoured = dishonour(handshake, this.#case);
    this.#machine = new Machine(this, strictness, deflate);
    const player = new Player(this.#case, this);
    this.#player = player;
    const { load } = this.#case;
    if (load) {
      this.#load = loadPlayer(
        load,
        {
          send: (opcode, payload, fragmentSize, rsv) => {
            // Once it closes, Autobahn's client sends no more messages.
            if (this.machine.state === 'open') player.message(opcode, payload, fragmentSize, rsv);
          },
          close: () => this.machine.close(closePayload(1000)),
        },
        deflate,
        messages,
        compressed,
      );
      this.#watch();
    }
    this.#turn(() => {
      player.play();
      this.#load?.start();
    });
  }

  data(buf: Buffer, start: number, end: number): void {
    this.#context.patience.rewarded();
    this.#turn(() => this.#machine?.push(buf, start, end));
  }

  ended(): void {
    this.wire.note('TCP was ended by the peer');
    this.#done();
  }

  drained(): void {}

  closed(cause: Cause | null): void {
    this.wire.note(cause ? `TCP broke: ${cause.detail}` : 'TCP is closed');
    this.#done();
  }

  failed(cause: Cause): void {
    this.#end();
    const isUnreached = ['refused', 'dns', 'tls', 'network', 'resources'].includes(cause.kind);
    this.#finish(
      isUnreached
        ? { unreached: cause }
        : { seen: this.#seen(cause.detail), timedOut: cause.kind === 'timeout' },
    );
  }

  // What the machine wants.

  send(opcode: number, payload: Uint8Array): void {
    // A frame must not stand within another: RFC 6455 §5.4. Autobahn's client does not mind.
    if (this.#context.strictness === 'rfc' && opcode === opcodes.pong && this.#player?.isWithinFrame) {
      this.#heldPongs.push(payload);
      return;
    }
    this.#player?.frame({ opcode, payload });
  }

  drop(): void {
    this.sender.flush();
    this.wire.note('TCP is ended by us');
    this.#done();
  }

  message(payload: Buffer, binary: boolean): void {
    if (this.#load) {
      this.#load.message(payload, binary);
      if (this.#load.seen.right > 0) this.#context.patience.restored();
    } else this.#event({ event: 'message', payload, binary });
  }

  pong(payload: Buffer): void {
    if (!this.#load) this.#event({ event: 'pong', payload });
  }

  frame(header: FrameHeader, payload: Uint8Array): void {
    this.wire.frame('in', { ...header, payload }, header.bytes);
  }

  note(text: string): void {
    this.#notes.push(text);
    this.wire.note(text);
  }

  after(ms: number, callback: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#turn(callback);
    }, ms * this.#context.timeScale);
    this.#timers.add(timer);
  }

  // What the player tells.

  stillOpen(tag: string): void {
    this.#events.push({ event: 'timeout', tag });
    this.wire.note('the connection is still open');
  }

  done(cutShort: boolean): void {
    if (cutShort) return;
    const { kind, afterMs } = this.#case.timer;
    this.#isTimerOn = kind === 'fail';
    this.after(afterMs, () => this.#caseTimer());
  }

  #caseTimer(): void {
    const { kind, afterMs } = this.#case.timer;
    const { machine } = this;
    if (machine.isOver) return;
    if (machine.state === 'open') this.note(`the case was not over after ${afterMs / 1000} s`);
    else if (kind === 'fail')
      this.note(`TCP was still open ${afterMs / 1000} s after the last frame of the case`);
    if (kind === 'fail') machine.fail(1001, 'Going Away');
    else machine.close(Buffer.alloc(0));
  }

  #event(event: SeenEvent): void {
    this.#events.push(event);
    const { autoClose, expect, close } = this.#case;
    if (autoClose && areAsExpected(expect.OK, this.#events))
      this.machine.close(closePayload(close.codes[0] ?? 1000));
  }

  /** Does something, and lets all leave at once that it writes. */
  #turn(action: () => void): void {
    if (this.#isDone) return;
    const wasOpen = this.#machine?.state === 'open';
    action();
    if (this.#isDone) return;
    if (this.#heldPongs.length > 0 && !this.#player?.isWithinFrame) {
      for (const payload of this.#heldPongs.splice(0)) this.#player?.frame({ opcode: opcodes.pong, payload });
      this.machine.rules.push('RFC 6455 §5.4: the pong waits for the end of the frame that was being sent');
    }
    this.sender.flush();
    if (wasOpen && this.machine.state === 'closing' && !this.machine.closedByUs) this.#linger();
  }

  /** The peer began to close. If it never ends TCP, and no timer of the case does, Autobahn waits for ever. */
  #linger(): void {
    const isClear = this.#case.close.by === 'us';
    const ms = isClear ? lingerMs.clear : lingerMs.open;
    this.after(ms, () => {
      if (this.machine.isOver || (this.#isTimerOn && this.#case.timer.kind === 'fail')) return;
      this.note('the peer began to close and did not end TCP: Autobahn would wait for ever');
      this.machine.drop();
    });
  }

  /** A load that a silent peer would keep for minutes is ended as its timer would end it, sooner. */
  #watch(): void {
    const { patience } = this.#context;
    this.#stopWatching = patience.watch(
      () => this.#connection.bufferedBytes + (this.sender.isIdle ? 0 : 1),
      (ms) => {
        if (this.#isDone || this.machine.state !== 'open') return;
        this.note(`nothing came for ${(ms / 1000).toLocaleString('en')} s: the case was given up`);
        this.#turn(() => this.machine.close(Buffer.alloc(0)));
      },
    );
  }

  #done(): void {
    if (this.#isDone) return;
    this.#end();
    this.#connection.destroy();
    this.#finish({ seen: this.#seen(null), timedOut: false });
  }

  #end(): void {
    this.#isDone = true;
    this.#stopWatching();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.sender?.stop();
  }

  #seen(notOpened: string | null): Seen {
    const machine = this.#machine;
    machine?.end();
    return {
      notOpened,
      events: this.#events,
      load: this.#load?.seen ?? null,
      closedByUs: machine?.closedByUs ?? false,
      clean: machine?.clean ?? false,
      droppedByUs: machine?.droppedByUs ?? false,
      remoteCloseCode: machine?.remoteCloseCode ?? null,
      violations: machine?.violations ?? [],
      notes: this.#notes,
      dishonoured: this.#dishonoured,
      rules: machine?.rules ?? [],
      durationMs: this.#openMs === 0 ? 0 : performance.now() - this.#openMs,
      wire: () => this.wire.records(),
    };
  }
}
