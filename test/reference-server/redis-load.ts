// Messages over several buses, what was said of them, and what subscribers saw: do they agree?
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BusMessage, Position, Published } from '../../reference-server/bus/bus.ts';
import type { RedisBus } from '../../reference-server/bus/redis.ts';
import { BusUnavailable } from '../../reference-server/bus/unavailable.ts';

/** What one subscriber saw, in the order in which it saw it. */
export class Stream {
  readonly seen: (BusMessage | { gap: Position })[] = [];
  readonly message = (message: BusMessage): void => void this.seen.push(message);
  readonly gap = (gap: Position): void => void this.seen.push({ gap });

  get messages(): BusMessage[] {
    return this.seen.filter((each) => 'offset' in each);
  }

  get gaps(): Position[] {
    return this.seen.flatMap((each) => ('gap' in each ? [each.gap] : []));
  }

  /** Nothing twice, nothing out of order, nothing missing but where a gap was told. */
  check(start: Position): void {
    let at = start;
    for (const each of this.seen) {
      if ('gap' in each) {
        at = each.gap;
        continue;
      }
      assert.deepEqual([each.epoch, each.offset], [at.epoch, at.offset + 1], JSON.stringify(at));
      at = each;
    }
  }
}

export interface Load {
  /** Publishes that were acknowledged, and when. */
  acknowledged: { n: number; published: Published; atMs: number }[];
  refused: { n: number; tookMs: number; atMs: number }[];
  stop(): Promise<void>;
}

/** Publishes every 5 ms, by turns on each bus, without waiting for the one before. */
export function publishAll(buses: readonly RedisBus[], channel: string): Load {
  const load: Load = {
    acknowledged: [],
    refused: [],
    stop: async () => {
      running = false;
      await loop;
      await Promise.all(pending);
    },
  };
  const pending = new Set<Promise<void>>();
  let running = true;
  const one = async (n: number): Promise<void> => {
    const startedMs = performance.now();
    try {
      const published = await (buses[n % buses.length] as RedisBus).publish('t', channel, n);
      load.acknowledged.push({ n, published, atMs: performance.now() });
    } catch (error) {
      assert.ok(error instanceof BusUnavailable, String(error));
      const atMs = performance.now();
      load.refused.push({ n, tookMs: atMs - startedMs, atMs });
    }
  };
  const loop = (async () => {
    for (let n = 0; running; n++) {
      const each = one(n).finally(() => pending.delete(each));
      pending.add(each);
      await sleep(5);
    }
  })();
  return load;
}

/** Every publish that was acknowledged is in the stream, or a gap was told between its epoch and the one that came after. */
export function checkAcknowledged(load: Load, stream: Stream, lastEpoch: string): void {
  const seen = new Map(stream.messages.map((each) => [`${each.epoch} ${each.offset}`, each.data]));
  for (const { n, published } of load.acknowledged) {
    const data = seen.get(`${published.epoch} ${published.offset}`);
    if (data !== undefined) assert.equal(data, n);
    else assert.notEqual(published.epoch, lastEpoch, `acknowledged, but lost without a gap: ${n}`);
  }
}
