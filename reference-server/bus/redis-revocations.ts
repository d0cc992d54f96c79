// Revocations: remembered in Redis, told to every instance, and known here for the time in which Redis is not there.
import type { RedisContext, RedisPart } from './redis-context.ts';
import { revokedScript, revokedSinceScript, revokeScript } from './redis-scripts.ts';
import type { RedisSession } from './redis-session.ts';
import { readWire, revocationWire, wireText } from './redis-wire.ts';
import { BusUnavailable } from './unavailable.ts';

/** Subjects told to Redis at a time. */
const atATime = 1000;

/** Clocks of instances may differ by this much. */
const slackMs = 60_000;

export class RedisRevocations implements RedisPart {
  readonly #context: RedisContext;
  /** Whether to answer from what is known here while Redis is not there. */
  readonly #answersAlone: boolean;
  readonly #watchers = new Set<(sub: string) => void>();
  readonly #known = new Map<string, number>();
  /** Until when, by our clock, everything was heard of. */
  #heardMs: number;

  constructor(context: RedisContext, answersAlone: boolean) {
    this.#context = context;
    this.#answersAlone = answersAlone;
    this.#heardMs = context.clock.epochMs();
  }

  /** Counts here at once; rejects when the other instances are yet to hear of it, which they do once Redis is back. */
  async revoke(sub: string): Promise<void> {
    const { link, clock, names } = this.#context;
    const atMs = clock.epochMs();
    this.#learn(sub, atMs);
    await this.#tell(link.session, [[sub, atMs]], wireText(names.prefix, { sub, atMs }));
  }

  async revokedAtMs(sub: string): Promise<number | undefined> {
    const { link, names } = this.#context;
    const known = this.#known.get(sub);
    try {
      const score = (await link.session.run(revokedScript, [names.revoked], [sub])) as string | null;
      return score === null ? known : Math.max(known ?? 0, Number(score));
    } catch (error) {
      if (this.#answersAlone && error instanceof BusUnavailable) return known;
      throw error;
    }
  }

  watch(onRevoked: (sub: string) => void): () => void {
    const watcher = (sub: string): void => onRevoked(sub);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  names(): string[] {
    return [this.#context.names.revocations];
  }

  message(name: string, text: string): boolean {
    const { names, dropped } = this.#context;
    if (name !== names.revocations) return false;
    const read = readWire(revocationWire, text, names.prefix);
    if (read.ok) this.#learn(read.body.sub, read.body.atMs);
    else dropped(read.why);
    return true;
  }

  /** Redis may have lost what we know, and we what it heard meanwhile. */
  async resume(session: RedisSession, isNew: boolean): Promise<void> {
    if (!isNew) return;
    const { clock, names } = this.#context;
    const known = [...this.#known];
    for (let from = 0; from < known.length; from += atATime) {
      await this.#tell(session, known.slice(from, from + atATime), '');
    }
    const startedMs = clock.epochMs();
    const since = [Math.max(0, this.#heardMs - slackMs)];
    const pairs = (await session.run(revokedSinceScript, [names.revoked], since)) as string[];
    for (let index = 0; index < pairs.length; index += 2) {
      this.#learn(pairs[index] ?? '', Number(pairs[index + 1]));
    }
    this.#heardMs = startedMs;
  }

  async beat(): Promise<void> {
    this.#heardMs = this.#context.clock.epochMs();
  }

  clear(): void {
    this.#watchers.clear();
  }

  #learn(sub: string, atMs: number): void {
    const before = this.#known.get(sub);
    if (before !== undefined && before >= atMs) return;
    this.#known.delete(sub);
    this.#known.set(sub, atMs);
    const { bounds } = this.#context;
    for (const [oldest, oldMs] of this.#known) {
      const isOld = oldMs <= atMs - bounds.rememberRevocationMs;
      if (this.#known.size <= bounds.maxRevocations && !isOld) break;
      this.#known.delete(oldest);
    }
    for (const watcher of this.#watchers) watcher(sub);
  }

  async #tell(session: RedisSession, pairs: readonly [string, number][], text: string): Promise<void> {
    const { names, bounds } = this.#context;
    await session.run(
      revokeScript,
      [names.revoked],
      [
        ...[bounds.rememberRevocationMs, bounds.maxRevocations, names.revocations, text],
        ...pairs.flatMap(([sub, atMs]) => [atMs, sub]),
      ],
    );
  }
}
