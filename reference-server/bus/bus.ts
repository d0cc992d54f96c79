// What server instances share: channels, agents, commands, answers that were given, revocations.
// Everything is async, so that a bus may live in another process. What that process does not answer in time rejects with
// BusUnavailable; what only gives something back (unsubscribe, disconnect, close) never rejects.

/** A place in a channel's log. A new epoch means a new log: offsets of the old one mean nothing in it. */
export interface Position {
  epoch: string;
  offset: number;
}

export interface BusMessage extends Position {
  channel: string;
  data: unknown;
}

export interface Published extends Position {
  /** How many subscribers it was handed to: information, not a promise. */
  receivers: number;
}

export interface Subscription extends Position {
  /** Whether everything since `since` could be found. */
  recovered: boolean;
  /** Messages after `since`, oldest first. */
  missed: BusMessage[];
  /** After it resolves, nothing more arrives. */
  unsubscribe(): Promise<void>;
}

export type AgentState = 'online' | 'idle' | 'busy' | 'offline';

export interface AgentPresence {
  agentId: string;
  status: AgentState;
  detail?: string;
}

export interface Command {
  commandId: string;
  agentId: string;
  command: string;
  args?: unknown;
}

export interface CommandOutcome {
  commandId: string;
  agentId: string;
  status: 'ok' | 'error' | 'timeout';
  result?: unknown;
}

/** The instance that holds an agent's socket. */
export interface AgentLink {
  /** Writes a command to the socket. False: it was not written. */
  deliver(command: Command): boolean;
  /** Another connection has taken the agent's id over. */
  replaced(): void;
}

export interface AgentHandle {
  setStatus(status: AgentState, detail?: string): Promise<void>;
  /** Answers a command. False: nobody waits for it (unknown, answered before, too late, or another agent's). */
  answer(outcome: Omit<CommandOutcome, 'agentId'>): Promise<boolean>;
  disconnect(): Promise<void>;
}

/** A command on its way. */
export interface Dispatched {
  /** Whether the agent's instance wrote it to the agent's socket. */
  delivered: boolean;
  /** Stops waiting for the outcome, without a word. */
  cancel(): void;
}

/** An answer, and whether it was given before. */
export interface Once<T> {
  answer: T;
  duplicate: boolean;
}

/** One instance's view of what is shared. Tenants never see one another. */
export interface Bus {
  /** `alone`: nothing outside is needed. Else whether what is shared can be reached now. */
  readonly state: 'alone' | 'up' | 'down';

  /**
   * Appends to the channel's log and hands the message to every subscriber of every instance, in the order of offsets. With an
   * `effectId` that was appended before, nothing happens again: its place is returned.
   */
  publish(tenant: string, channel: string, data: unknown, effectId?: string): Promise<Published>;
  /**
   * Messages may be handed over before the promise resolves; they are then newer than `offset`. `onGap` is called when messages
   * were lost that this subscriber should have got; what comes next is newer than its position.
   */
  subscribe(
    tenant: string,
    channel: string,
    onMessage: (message: BusMessage) => void,
    since?: Position,
    onGap?: (position: Position) => void,
  ): Promise<Subscription>;

  /** Brings an agent online; whoever had the id before is told that it was replaced. */
  connectAgent(tenant: string, agentId: string, link: AgentLink): Promise<AgentHandle>;
  /** Agents that are online. */
  agents(tenant: string): Promise<AgentPresence[]>;
  /** Reports every change of an agent's state until the returned function is called. */
  watchAgents(tenant: string, onChange: (agent: AgentPresence) => void): Promise<() => void>;

  /** Hands a command to its agent. `onOutcome` is called once: the agent's answer, or `timeout` after `timeoutMs`. */
  command(
    tenant: string,
    command: Command,
    timeoutMs: number,
    onOutcome: (outcome: CommandOutcome) => void,
  ): Promise<Dispatched>;

  /**
   * Runs `effect` unless it ran for this key in the last 5 minutes; then its answer is returned again. A second call
   * while the first is running waits for it. An effect that throws is not remembered. `effectId` is the same when an effect is
   * tried again because nobody knows how far the first try came: whoever acts on it need not act twice.
   */
  once<T>(key: string, effect: (effectId: string) => Promise<T>): Promise<Once<T>>;

  /** Refuses every token of this subject that was issued until now. */
  revoke(sub: string): Promise<void>;
  /** When the subject's tokens were last revoked, in ms since the epoch. */
  revokedAtMs(sub: string): Promise<number | undefined>;
  watchRevocations(onRevoked: (sub: string) => void): Promise<() => void>;

  /** Ends this instance's part: its agents go offline, its subscriptions end, nothing is called any more. */
  close(): Promise<void>;
}
