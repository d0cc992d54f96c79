// Effects that happen once a key, whichever instances are asked: the first claims it, the others wait for its answer.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { rememberMs } from './answers.ts';
import type { Once } from './bus.ts';
import type { RedisContext } from './redis-context.ts';
import { claimScript, releaseScript, storeScript } from './redis-scripts.ts';
import { callMs, type RedisSession } from './redis-session.ts';
import { BusUnavailable } from './unavailable.ts';

/** How long a claim holds without an answer: longer than an effect takes, short for those who wait after a crash. */
const leaseMs = 4 * callMs;

const pollMs = 20;

export class RedisOnce {
  readonly #context: RedisContext;
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(context: RedisContext) {
    this.#context = context;
  }

  async once<T>(key: string, effect: (effectId: string) => Promise<T>): Promise<Once<T>> {
    const running = this.#running.get(key);
    if (running) return { answer: (await running) as T, duplicate: true };
    const run = this.#claim(key, effect);
    const answer = run.then((once) => once.answer);
    answer.catch(() => {});
    this.#running.set(key, answer);
    try {
      return await run;
    } finally {
      this.#running.delete(key);
    }
  }

  async #claim<T>(key: string, effect: (effectId: string) => Promise<T>): Promise<Once<T>> {
    const { link, names } = this.#context;
    const keys = [names.hashed('once', key), names.hashed('effect', key)];
    const token = randomUUID();
    const untilMs = performance.now() + callMs;
    for (;;) {
      const { session } = link;
      const [stored, effectId] = (await session.run(claimScript, keys, [
        ...[token, leaseMs, randomUUID(), rememberMs],
      ])) as [string, string];
      if (stored.startsWith('A')) return { answer: answerOf<T>(stored.slice(1)), duplicate: true };
      if (stored === '')
        return { answer: await this.#act(session, keys, token, effectId, effect), duplicate: false };
      if (performance.now() + pollMs >= untilMs) {
        throw new BusUnavailable('deadline', 'another try of the same message is under way');
      }
      await sleep(pollMs);
    }
  }

  async #act<T>(
    session: RedisSession,
    keys: string[],
    token: string,
    effectId: string,
    effect: (effectId: string) => Promise<T>,
  ): Promise<T> {
    let answer: T;
    try {
      answer = await effect(effectId);
    } catch (error) {
      // Where this does not arrive, the claim ends by itself.
      if (this.#context.link.isUp) {
        await session.run(releaseScript, keys.slice(0, 1), [token]).catch(() => {});
      }
      throw error;
    }
    // It has happened, whether or not Redis hears of it; a try after the claim's end finds the same effect id.
    await session.run(storeScript, keys, [token, JSON.stringify({ answer }), rememberMs]).catch(() => {});
    return answer;
  }
}

function answerOf<T>(text: string): T {
  return (JSON.parse(text) as { answer: T }).answer;
}
