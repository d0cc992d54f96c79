// What is said on a new connection before it counts as open: the token by message, then the steps of `join`. Pure.

import { type TokenPlace, tokenForm } from './credential.ts';
import { compileMatcher, describeMatcher, pathOf, type Received, valueAt } from './matcher.ts';
import type { Step, Target } from './target.ts';
import { type MessageSource, messageText, substitute } from './template.ts';

interface CompiledStep {
  send: MessageSource | undefined;
  expect: ((message: Received) => boolean) | undefined;
  refuse: ((message: Received) => boolean) | undefined;
  /** What is waited for, in words. */
  waits: string;
}

/** Values that messages of one connection may hold. */
export interface ConnectionValues {
  token?: string | undefined;
  /** Number of the connection, from 0. */
  connection: number;
}

/** The steps of a target, compiled once for all its connections. */
export class OpeningPlan {
  readonly steps: readonly CompiledStep[];

  /** @param withToken whether the connections have tokens */
  constructor(target: Target | null, place: TokenPlace, withToken: boolean) {
    const own = place.in === 'message' && withToken ? authStep(target, place) : [];
    // A token that goes elsewhere by --token-in is not said as well.
    const saysToken = withToken && (place.in === 'message' || target?.auth?.in !== 'message');
    this.steps = [...own, ...(target?.join ?? [])]
      .filter((step) => isWanted(step, target, saysToken))
      .map((step) => ({
        send: step.send,
        expect: step.expect && compileMatcher(step.expect),
        refuse: step.refuse && compileMatcher(step.refuse),
        waits: step.expect ? describeMatcher(step.expect) : '',
      }));
  }

  /** True when a connection is ready as soon as it is open. */
  get isEmpty(): boolean {
    return this.steps.length === 0;
  }
}

/** `--token-in message:TEMPLATE` wins over the target's own message; `auth.value` is a short form of one without an answer. */
function authStep(target: Target | null, place: TokenPlace): Step[] {
  const own = target?.auth?.message;
  if (place.value !== undefined && (own === undefined || place.value !== target?.auth?.value)) {
    return [{ send: place.value }];
  }
  return own ? [own] : [];
}

function isWanted(step: Step, target: Target | null, withToken: boolean): boolean {
  const has = (name: string): boolean => {
    if (name === 'token') return withToken;
    const value = target?.vars[name];
    return value !== undefined && value !== null && value !== '' && value !== false;
  };
  return (step.if === undefined || has(step.if)) && (step.unless === undefined || !has(step.unless));
}

/** What a placeholder stands for that is the same in all messages of a connection; undefined for others. */
export function connectionValue(name: string, { token = '', connection }: ConnectionValues): unknown {
  return name === 'connection' ? connection : tokenForm(name, token);
}

/** The text of a message for one connection; `{{ /pointer }}` stands for a value of the message that came last. */
export function connectionMessage(
  source: MessageSource,
  values: ConnectionValues,
  last: Received | undefined,
): string {
  return messageText(
    substitute(source, (name) => {
      if (!name.startsWith('/')) return connectionValue(name, values);
      const value = valueAt(last?.body, pathOf(name));
      // Nothing there is sent as nothing; null is a value.
      return value === undefined ? '' : value;
    }),
  );
}

/** The opening of one connection: what to send, and when it is done. */
export class Opening {
  state: 'waiting' | 'ready' | 'refused' = 'waiting';
  readonly #plan: OpeningPlan;
  readonly #values: ConnectionValues;
  #at = 0;

  constructor(plan: OpeningPlan, values: ConnectionValues) {
    this.#plan = plan;
    this.#values = values;
  }

  /** What is waited for, in words. */
  get waitsFor(): string {
    return this.#plan.steps[this.#at]?.waits ?? '';
  }

  /** Begins, once the connection is open: the texts to send now. */
  start(): string[] {
    return this.#advance(undefined);
  }

  /** Takes a message that came: the texts to send now. What no step waits for is passed over. */
  receive(message: Received): string[] {
    const step = this.#plan.steps[this.#at];
    if (this.state !== 'waiting' || !step) return [];
    if (step.refuse?.(message)) {
      this.state = 'refused';
      return [];
    }
    if (!step.expect?.(message)) return [];
    this.#at++;
    return this.#advance(message);
  }

  /** Sends step by step up to the next one that waits. */
  #advance(last: Received | undefined): string[] {
    const texts: string[] = [];
    for (; ; this.#at++) {
      const step = this.#plan.steps[this.#at];
      if (!step) {
        this.state = 'ready';
        return texts;
      }
      if (step.send !== undefined) texts.push(connectionMessage(step.send, this.#values, last));
      if (step.expect) return texts;
    }
  }
}
