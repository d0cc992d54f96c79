// The conversation on one connection: what a target wants to hear before, and beside, the load.
import { formatDuration } from '../duration.ts';
import { redactText } from '../result/redact.ts';
import { type ConnectionValues, Opening } from '../target/opening.ts';
import type { ClosedBy, ConnectSplit, FailureKind, Sink } from './drivers/driver.ts';
import type { Lane } from './lane.ts';
import type { MessageView } from './message-view.ts';
import type { SessionPlan } from './session-plan.ts';

const shownCharacters = 120;
// More than is shown: a secret that is cut short is not recognised.
const keptCharacters = 16_384;

/** What a session needs of the fleet that its lane belongs to. */
export interface SessionOwner {
  /** Where each message is looked at. */
  readonly view: MessageView;
  onError: ((error: unknown) => void) | undefined;
  laneMessage(lane: Lane, atUs: number): void;
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
  #state: 'connecting' | 'opening' | 'ready' | 'over' = 'connecting';
  #split: ConnectSplit | undefined;
  #limitMs = 0;
  #timer: NodeJS.Timeout | undefined;
  /** The last message that no step of the opening waited for. */
  #passedOver: string | undefined;
  #violation: string | undefined;

  constructor(lane: Lane, owner: SessionOwner, plan: SessionPlan, values: ConnectionValues) {
    this.#lane = lane;
    this.#owner = owner;
    this.#plan = plan;
    this.#opening = new Opening(plan.opening, values);
  }

  opened(split: ConnectSplit): void {
    // Given up while it connected; its end is still to come.
    if (this.#lane.state !== 'connecting') return;
    this.#state = 'opening';
    this.#split = split;
    this.#limitMs = Math.max(1, this.#plan.connectTimeoutMs - split.totalUs / 1000);
    this.#timer = setTimeout(() => this.#timedOut(), this.#limitMs);
    this.#guarded(() => this.#send(this.#opening.start()));
  }

  message(buf: Buffer, start: number, end: number, _opcode: 1 | 2, atUs: number): void {
    const { view } = this.#owner;
    view.hold(buf, start, end);
    if (this.#state === 'ready') this.#owner.laneMessage(this.#lane, atUs);
    else if (this.#state === 'opening') this.#guarded(() => this.#receive(view));
  }

  pong(sentUs: number, atUs: number): void {
    this.#lane.pong(sentUs, atUs);
  }

  closed(code: number, by: ClosedBy, clean: boolean, reason: string): void {
    const state = this.#state;
    this.#over();
    if (state === 'ready') this.#lane.closed(code, by, clean);
    else if (state === 'opening' && this.#lane.state === 'connecting') {
      const said = this.#violation ?? closeText(code, reason);
      this.#lane.failed('join', `${said}, ${this.#whereItStood()}`);
    }
  }

  failed(kind: FailureKind, detail: string): void {
    if (this.#state === 'opening') this.#violation = detail;
    else this.#lane.failed(kind, detail);
  }

  #receive(view: MessageView): void {
    this.#send(this.#opening.receive(view));
    if (this.#state === 'opening') this.#passedOver = view.text.slice(0, keptCharacters);
  }

  #send(texts: readonly string[]): void {
    for (const text of texts) this.#lane.sendText(text);
    if (this.#opening.state === 'refused') {
      this.#fail(`refused: ${quoted(this.#owner.view.text)}, waiting for ${this.#opening.waitsFor}`);
    } else if (this.#opening.state === 'ready' && this.#split) {
      clearTimeout(this.#timer);
      this.#state = 'ready';
      this.#lane.opened(this.#split);
    }
  }

  #timedOut(): void {
    const came =
      this.#passedOver === undefined ? 'nothing came' : `what came was ${quoted(this.#passedOver)}`;
    const limit = formatDuration(Number(this.#limitMs.toPrecision(2)));
    this.#fail(`no ${this.#opening.waitsFor} within ${limit} after the upgrade; ${came}`);
  }

  #whereItStood(): string {
    const came = this.#passedOver === undefined ? '' : `; before that it sent ${quoted(this.#passedOver)}`;
    return `waiting for ${this.#opening.waitsFor}${came}`;
  }

  #fail(detail: string): void {
    this.#over();
    this.#lane.abort();
    this.#lane.failed('join', detail);
  }

  #over(): void {
    this.#state = 'over';
    clearTimeout(this.#timer);
  }

  /** Thrown into a socket's event an error would end the process; it is a bug of ours, and the result says so. */
  #guarded(work: () => void): void {
    try {
      work();
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
