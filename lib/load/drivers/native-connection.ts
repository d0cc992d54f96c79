// One connection of the native driver.
import type { Cause, Stage } from '../../cause/cause.ts';
import { pingFlood } from '../../cause/violation.ts';
import { messageOf } from '../../errors.ts';
import { type CloseBody, closeBody, noCode, noFrame } from '../../protocol/close.ts';
import { MessageDeflater, MessageInflater } from '../../protocol/deflate.ts';
import { opcodes } from '../../protocol/frame.ts';
import { MessageReceiver, type ReceiverOptions, receiverDefaults } from '../../protocol/message.ts';
import type { Violation } from '../../protocol/rules.ts';
import type { ConnectTimes, TransportSink, Connection as Wire } from '../../transport/connection.ts';
import type { Handshake } from '../../transport/upgrade.ts';
import { never, nowUs } from '../clock.ts';
import type { ClosedBy, Connection, MessageTemplate, Sink } from './driver.ts';
import { Incoming, type IncomingOwner } from './native-incoming.ts';
import { none, type Outgoing, type SendList, type SendQueue } from './native-queue.ts';
import { type FrameRoom, messageBytes, viewOf } from './native-room.ts';
import { violationWords } from './native-violation.ts';
import { PingNumbers } from './ping-numbers.ts';

/** What the connections of a driver have in common. */
export interface NativeShared {
  readonly queue: SendQueue;
  readonly room: FrameRoom;
  /** Payload bytes of a frame; 0: messages are one frame. */
  readonly fragmentBytes: number;
  /** The words of a template, which are the same each time. */
  readonly view: (bytes: Uint8Array) => DataView;
  /** What a failed connect was really about. */
  readonly explain: (cause: Cause, stage: Stage, url: string) => Promise<Cause>;
}

const maxPayloadBytes = 16 * 1024 * 1024;
const closeTimeoutMs = 2000;
const numberBytes = 6;
const countBytes = 4;
// As many pings as the ws package takes before it hangs up: a peer that sends more before they can be answered floods.
const mostUnansweredPings = 60;
// zlib takes 16 µs for a small message so, and twice that with its defaults; a connection keeps 4 KiB.
const sentWindowBits = 12;
const sentMemLevel = 5;

const plainReceiver: ReceiverOptions = {
  ...receiverDefaults,
  strict: false,
  maxMessageBytes: maxPayloadBytes,
};
const deflateReceiver: ReceiverOptions = { ...plainReceiver, deflate: true };

const number = Buffer.alloc(numberBytes);
const numberView = viewOf(number);
const count = Buffer.alloc(countBytes);
const countView = viewOf(count);

/** How a connection is ending. */
interface Ending {
  code: number;
  by: ClosedBy;
  clean: boolean;
  reason: string;
  timer: NodeJS.Timeout | undefined;
}

/** Sends masked frames, one write a flush, and gives on what comes. */
export class NativeConnection implements Connection, TransportSink, IncomingOwner, SendList {
  /** The list of what is queued. */
  head = none;
  tail = none;

  readonly #shared: NativeShared;
  readonly #sink: Sink;
  readonly #url: string;
  #wire: Wire | undefined;
  #incoming: Incoming | undefined;
  #receiver: MessageReceiver | undefined;
  #deflater: MessageDeflater | undefined;
  #state: 'connecting' | 'open' | 'ending' | 'over' = 'connecting';
  #ending: Ending | undefined;
  #queuedBytes = 0;
  /** Pings of the peer since the last read that were not known to be answered. */
  #unanswered = 0;
  #numbers: PingNumbers | undefined;
  #pings = 0;
  #pingSentUs = never;

  /**
   * @param url where it leads
   * @param start opens it
   */
  constructor(url: string, start: (sink: TransportSink) => Wire, sink: Sink, shared: NativeShared) {
    this.#url = url;
    this.#sink = sink;
    this.#shared = shared;
    try {
      this.#wire = start(this);
    } catch (error) {
      // The contract has no callbacks from within open.
      const cause: Cause = { kind: url.startsWith('wss:') ? 'tls' : 'handshake', detail: messageOf(error) };
      process.nextTick(() => this.#fail(cause));
    }
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + (this.#wire?.bufferedBytes ?? 0);
  }

  queue(template: MessageTemplate, seq: number, _dueUs: number): boolean {
    if (this.#state !== 'open') return false;
    let message: Outgoing = template;
    if (this.#deflater) {
      template.stamp(seq);
      message = compressed(this.#deflater.deflate(template.bytes), template.binary);
    }
    this.#add(message, seq);
    return true;
  }

  queuePing(seq: number): boolean {
    if (this.#state !== 'open') return false;
    this.#numbers ??= new PingNumbers();
    if (!this.#numbers.take(seq)) return true;
    this.#shared.queue.add(this, undefined, seq);
    this.#queuedBytes += messageBytes(numberBytes, 0);
    return true;
  }

  flush(): void {
    if (this.head === none) return;
    const { queue, room, fragmentBytes } = this.#shared;
    while (this.head !== none) {
      const message = queue.message(this.head);
      const seq = queue.number(this.head);
      queue.shift(this);
      if (message) {
        if (!message.compressed) message.stamp(seq);
        if (!room.isEmpty && !room.hasPlace(messageBytes(message.bytes.length, fragmentBytes))) this.#write();
        const view = message.compressed ? viewOf(message.bytes) : this.#shared.view(message.bytes);
        const opcode = message.binary ? opcodes.binary : opcodes.text;
        room.add(opcode, message.compressed === true, view, fragmentBytes);
      } else {
        number.writeUIntBE(seq, 0, numberBytes);
        room.add(opcodes.ping, false, numberView, 0);
      }
    }
    this.#queuedBytes = 0;
    this.#write();
  }

  sendText(text: string): boolean {
    if (this.#state !== 'open') return false;
    const isFirst = this.head === none;
    const bytes = Buffer.from(text);
    this.#add(this.#deflater ? compressed(this.#deflater.deflate(bytes), false) : plain(bytes), 0);
    if (isFirst) this.flush();
    return true;
  }

  ping(): void {
    if (this.#pingSentUs !== never || this.#state !== 'open') return;
    this.#pings = (this.#pings + 1) >>> 0;
    count.writeUInt32BE(this.#pings);
    this.#pingSentUs = nowUs();
    this.#writeControl(opcodes.ping, countView);
  }

  pause(): void {
    this.#wire?.pause();
  }

  resume(): void {
    this.#wire?.resume();
  }

  close(code: number, reason: string): void {
    if (this.#state === 'connecting') {
      this.abort();
      return;
    }
    if (this.#state === 'over') return;
    // A paused connection would never see the peer's answer.
    this.#wire?.resume();
    if (this.#state === 'open')
      this.#end(code, reason, { code: noFrame, by: 'us', clean: false, reason: '' });
  }

  abort(): void {
    this.#hangUp(() => this.#wire?.destroy());
  }

  reset(): void {
    this.#hangUp(() => this.#wire?.reset());
  }

  #hangUp(end: () => void): void {
    if (this.#state === 'over') return;
    // What else was read with the message that is being handled is not told any more.
    this.#receiver?.end();
    end();
    if (this.#state === 'connecting') {
      this.#over();
      return;
    }
    if (this.#state === 'open') this.#begin({ code: noFrame, by: 'us', clean: false, reason: '' });
    process.nextTick(() => this.#finish());
  }

  /** @internal */
  opened(times: ConnectTimes, handshake: Handshake | null): void {
    const agreed = handshake?.deflate ?? null;
    const inflater = agreed ? new MessageInflater(agreed.server, maxPayloadBytes) : undefined;
    if (agreed) {
      const { windowBits, contextTakeover } = agreed.client;
      const used = { windowBits: Math.min(sentWindowBits, windowBits), contextTakeover };
      this.#deflater = new MessageDeflater(used, undefined, sentMemLevel);
    }
    this.#incoming = new Incoming(this.#sink, this, inflater);
    this.#receiver = new MessageReceiver(this.#incoming, agreed ? deflateReceiver : plainReceiver);
    this.#state = 'open';
    const { dnsUs, tcpUs, proxyUs, tlsUs, upgradeUs, totalUs } = times;
    this.#sink.opened({
      dnsUs,
      tcpUs: tcpUs + (proxyUs ?? 0),
      tlsUs,
      upgradeUs: upgradeUs ?? 0,
      totalUs,
      subprotocol: handshake?.subprotocol ?? '',
    });
  }

  /** @internal */
  data(buf: Buffer, start: number, end: number, atUs: number): void {
    const incoming = this.#incoming;
    if (!incoming || this.#state === 'over') return;
    incoming.atUs = atUs;
    this.#receiver?.push(buf, start, end);
    this.#sink.readEnd?.();
    if (this.#unanswered > 0) this.#pongsWritten();
  }

  /** @internal */
  ended(): void {
    // The peer's half of a closing handshake: what we still have to say must get out.
    if (this.#ending?.clean) this.#wire?.end();
    else {
      this.#wire?.destroy();
      this.#finish();
    }
  }

  /** @internal */
  drained(): void {}

  /** @internal */
  closed(): void {
    this.#finish();
  }

  /** @internal */
  failed(cause: Cause, stage: Stage): void {
    void this.#shared.explain(cause, stage, this.#url).then((found) => this.#fail(found));
  }

  /** @internal */
  pinged(buf: Buffer, start: number, end: number): void {
    if (this.#state !== 'open') return;
    if (this.#unanswered === 0) this.#wire?.cork();
    if (++this.#unanswered > mostUnansweredPings) {
      this.#sink.failed('protocol', pingFlood);
      this.#break();
      return;
    }
    this.#writeControl(opcodes.pong, viewOf(buf.subarray(start, end)));
  }

  /** @internal */
  ponged(buf: Buffer, start: number, end: number, atUs: number): void {
    if (end - start === numberBytes) {
      const seq = buf.readUIntBE(start, numberBytes);
      const held = this.#state === 'open' ? (this.#numbers?.answered(seq) ?? -1) : -1;
      if (held >= 0) {
        number.writeUIntBE(held, 0, numberBytes);
        this.#writeControl(opcodes.ping, numberView);
      }
      this.#sink.pongOf?.(seq, atUs);
      return;
    }
    // Servers may send pongs that nobody asked for. RFC 6455 §5.5.3
    if (this.#pingSentUs === never || end - start !== countBytes || buf.readUInt32BE(start) !== this.#pings)
      return;
    const sentUs = this.#pingSentUs;
    this.#pingSentUs = never;
    this.#sink.pong(sentUs, atUs);
  }

  /** @internal */
  peerClosed({ code, reason }: CloseBody): void {
    const ending = this.#ending;
    if (ending) {
      ending.code = code;
      ending.clean = true;
      ending.reason = reason;
    } else this.#end(code, reason, { code, by: 'peer', clean: true, reason });
  }

  /** @internal */
  peerBroke(broken: Violation): void {
    const { detail, closeCode } = violationWords(broken, this.#deflater !== undefined);
    this.#receiver?.end();
    this.#sink.failed('protocol', detail);
    if (this.#state === 'open')
      this.#end(closeCode, '', { code: closeCode, by: 'us', clean: false, reason: '' });
    else if (this.#ending) {
      this.#ending.code = closeCode;
      this.#ending.by = 'us';
    }
  }

  #add(message: Outgoing, seq: number): void {
    this.#shared.queue.add(this, message, seq);
    this.#queuedBytes += messageBytes(message.bytes.length, this.#shared.fragmentBytes);
  }

  #writeControl(opcode: number, payload: DataView): void {
    this.#shared.room.add(opcode, false, payload, 0);
    this.#write();
  }

  /** Writes what is in the room. */
  #write(): void {
    const { room } = this.#shared;
    const wire = this.#wire;
    wire?.write(room.take());
    if (wire === undefined || wire.bufferedBytes === 0) room.release();
    else room.keep();
  }

  #pongsWritten(): void {
    this.#wire?.uncork();
    // Those of a peer that does not read them stay unanswered.
    if ((this.#wire?.bufferedBytes ?? 0) === 0) this.#unanswered = 0;
  }

  /** Sends a close frame behind everything queued, and waits a while for the peer to do its part. RFC 6455 §7.1.2 */
  #end(code: number, reason: string, ending: Omit<Ending, 'timer'>): void {
    this.flush();
    this.#begin(ending);
    const body = code === noCode ? Buffer.alloc(0) : closeBody(code, reason);
    this.#writeControl(opcodes.close, viewOf(body));
    if (this.#ending) this.#ending.timer = setTimeout(giveUp, closeTimeoutMs, this);
  }

  #begin(ending: Omit<Ending, 'timer'>): void {
    this.#state = 'ending';
    this.#ending = { ...ending, timer: undefined };
  }

  /** Hangs up. */
  #break(): void {
    this.#begin({ code: noFrame, by: 'us', clean: false, reason: '' });
    this.abort();
  }

  #finish(): void {
    if (this.#state === 'over') return;
    const ending = this.#ending ?? { code: noFrame, by: 'none', clean: false, reason: '' };
    this.#over();
    this.#sink.closed(ending.code, ending.by, ending.clean, ending.reason);
  }

  #fail({ kind, detail, retryAfterMs }: Cause): void {
    if (this.#state !== 'connecting') return;
    this.#over();
    this.#sink.failed(kind, detail, retryAfterMs);
  }

  #over(): void {
    this.#state = 'over';
    clearTimeout(this.#ending?.timer);
    this.#receiver?.end();
    while (this.head !== none) this.#shared.queue.shift(this);
    this.#queuedBytes = 0;
  }
}

function giveUp(connection: NativeConnection): void {
  connection.abort();
}

function plain(bytes: Buffer): Outgoing {
  return { bytes, binary: false, stamp: () => {} };
}

function compressed(bytes: Buffer, binary: boolean): Outgoing {
  return { bytes, binary, stamp: () => {}, compressed: true };
}
