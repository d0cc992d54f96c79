// The conversation on one connection: what a target wants to hear before, and beside, the load.
import { formatDuration } from '../duration.ts';
import { redactText } from '../result/redact.ts';
import { type ConnectionValues, connectionMessage, Opening } from '../target/opening.ts';
import type { ClosedBy, ConnectSplit, FailureKind, Sink } from './drivers/driver.ts';
import type { Lane } from './lane.ts';
import type { MessageView } from './message-view.ts';
import { Renewal } from './renewal.ts';
import type { SessionPlan } from './session-plan.ts';

const shownCharacters = 200;
// More than is shown: a secret that is cut short is not recognised.
const keptCharacters = 16_384;

/** What a session needs of the fleet that its lane belongs to. */
export interface SessionOwner {
  /** Where each message is looked at. */
  readonly view: MessageView;
  onError: ((error: unknown) => void) | undefined;
  laneMessage(lane: Lane, atUs: number): void;
  /** The message in the {@link view} is none of the load's, but still the target's. */
  lanePush(lane: Lane, atUs: number): void;
  /** True when the message in the {@link view} answers a message of the load. */
  isReply(): boolean;
}

/** What is said of a connection, and to whom a fresh token matters. */
export interface SessionValues extends ConnectionValues {
  onToken?: (token: string) => void;
}

/**
 * Stands between the driver and a lane. A connection that opened is passed on when it is ready; one that does not get
 * there is a connection that failed. After that, messages go through unless they belong to the conversation.
 */
export class Session implements Sink {
  readonly #lane: Lane;
  readonly #owner: SessionOwner;
  readonly #plan: SessionPlan;
  readonly #opening: Opening;
  readonly #renewal: Renewal | undefined;
  readonly #values: ConnectionValues;
  #state: 'connecting' | 'opening' | 'ready' | 'over' = 'connecting';
  #split: ConnectSplit | undefined;
  #limitMs = 0;
  /** The limit of the opening, then the wait for the next heartbeat. */
  #timer: NodeJS.Timeout | undefined;
  /** The last message that no step of the opening waited for. */
  #passedOver: string | undefined;
  #violation: string | undefined;

  constructor(lane: Lane, owner: SessionOwner, plan: SessionPlan, { onToken, ...values }: SessionValues) {
    this.#lane = lane;
    this.#owner = owner;
    this.#plan = plan;
    this.#values = values;
    this.#opening = new Opening(plan.opening, values);
    this.#renewal =
      plan.renewal &&
      new Renewal(plan.renewal, {
        values,
        send: (text) => lane.sendText(text),
        isReply: () => owner.isReply(),
        onToken: (token) => onToken?.(token),
        onError: (error) => owner.onError?.(error),
      });
  }

  opened(split: ConnectSplit): void {
    if (!this.#isWanted) return;
    this.#state = 'opening';
    this.#split = split;
    this.#limitMs = Math.max(1, this.#plan.connectTimeoutMs - split.totalUs / 1000);
    this.#timer = setTimeout(() => this.#timedOut(), this.#limitMs);
    this.#guarded(() => this.#send(this.#opening.start()));
  }

  message(buf: Buffer, start: number, end: number, _opcode: 1 | 2, atUs: number): void {
    const { view } = this.#owner;
    view.hold(buf, start, end);
    if (this.#state === 'ready' || this.#state === 'opening') this.#guarded(this.#receive, atUs);
  }

  pong(sentUs: number, atUs: number): void {
    this.#lane.pong(sentUs, atUs);
  }

  pongOf(seq: number, atUs: number): void {
    this.#lane.pongOf(seq, atUs);
  }

  closed(code: number, by: ClosedBy, clean: boolean, reason: string): void {
    const state = this.#state;
    this.#over();
    if (state === 'ready') this.#lane.closed(code, by, clean);
    else if (state === 'opening' && this.#isWanted) {
      const said = this.#violation ?? closeText(code, reason);
      this.#lane.failed('join', `${said}, ${this.#whereItStood()}`);
    }
  }

  failed(kind: FailureKind, detail: string, retryAfterMs?: number): void {
    if (this.#state === 'opening') this.#violation = detail;
    // What follows the message that ended the opening, in the same bytes, changes nothing: that connection failed already.
    else if (this.#state !== 'over') this.#lane.failed(kind, detail, retryAfterMs);
  }

  readonly #receive = (atUs: number): void => {
    const { view } = this.#owner;
    const drain = this.#plan.drain?.(view);
    if (drain) this.#lane.drain = { toldUs: atUs, ...drain };
    const answer = this.#plan.answer?.(view, this.#values);
    if (answer !== undefined) this.#lane.sendText(answer);
    if (this.#state === 'ready') this.#receiveReady(view, atUs, answer !== undefined);
    else this.#receiveOpening(view, atUs, answer !== undefined);
  };

  /** A heartbeat may be what a step waits for. */
  #receiveOpening(view: MessageView, atUs: number, isHeartbeat: boolean): void {
    if (isHeartbeat) this.#owner.lanePush(this.#lane, atUs);
    this.#send(this.#opening.receive(view));
    if (this.#state === 'opening' && !isHeartbeat) this.#passedOver = view.text.slice(0, keptCharacters);
  }

  #receiveReady(view: MessageView, atUs: number, isHeartbeat: boolean): void {
    const what = this.#renewal?.receive(view);
    if (what === 'answer') return;
    // Targets may put what they want on a reply: it is one all the same.
    if ((isHeartbeat || what === 'wish') && !this.#owner.isReply()) this.#owner.lanePush(this.#lane, atUs);
    else this.#owner.laneMessage(this.#lane, atUs);
  }

  /** Begins what goes on from now to the end. */
  #ready(split: ConnectSplit): void {
    clearTimeout(this.#timer);
    this.#state = 'ready';
    this.#renewal?.start();
    const { beat, connections } = this.#plan;
    if (beat) {
      const send = (): boolean => this.#lane.sendText(connectionMessage(beat.send, this.#values, undefined));
      // Spread over the first interval, so that the connections of a fleet do not all speak at once.
      const firstMs = (beat.everyMs * (this.#lane.number + 1)) / connections;
      this.#timer = setTimeout(() => {
        send();
        this.#timer = setInterval(send, beat.everyMs);
      }, firstMs);
    }
    this.#lane.opened(split);
  }

  #send(texts: readonly string[]): void {
    for (const text of texts) this.#lane.sendText(text);
    if (this.#opening.state === 'refused') {
      this.#fail(`refused: ${quoted(this.#owner.view.text)}, waiting for ${this.#opening.waitsFor}`);
    } else if (this.#opening.state === 'ready' && this.#split && this.#isWanted) this.#ready(this.#split);
  }

  /** False once the attempt was given up by us: its end is still to come, and it counts nowhere. */
  get #isWanted(): boolean {
    return this.#lane.state === 'connecting';
  }

  #timedOut(): void {
    const came =
      this.#passedOver === undefined ? 'nothing came' : `what came was ${quoted(this.#passedOver)}`;
    const limit = formatDuration(Number(this.#limitMs.toPrecision(2)));
    this.#fail(`still waiting for ${this.#opening.waitsFor} ${limit} after the upgrade; ${came}`);
  }

  #whereItStood(): string {
    const came = this.#passedOver === undefined ? '' : `; before that it sent ${quoted(this.#passedOver)}`;
    return `waiting for ${this.#opening.waitsFor}${came}`;
  }

  #fail(detail: string): void {
    this.#over();
    if (!this.#isWanted) return;
    this.#lane.abort();
    this.#lane.failed('join', detail);
  }

  #over(): void {
    this.#state = 'over';
    clearTimeout(this.#timer);
    this.#renewal?.stop();
  }

  /** Thrown into a socket's event an error would end the process; it is a bug of ours, and the result says so. */
  #guarded(work: (atUs: number) => void, atUs = 0): void {
    try {
      work(atUs);
    } catch (error) {
      this.#owner.onError?.(error);
    }
  }
}

function closeText(code: number, reason: string): string {
  if (code === 1006) return 'it hung up without a close frame';
  const said = reason === '' ? '' : ` ${quoted(reason)}`;
  return code === 1005 ? 'it closed without a code' : `it closed with ${code}${said}`;
}

/** What a peer sent, in one short line without its secrets. */
function quoted(text: string): string {
  const safe = redactText(text);
  return JSON.stringify(safe.length > shownCharacters ? `${safe.slice(0, shownCharacters)}…` : safe);
}
