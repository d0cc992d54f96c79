// Whatever comes twice, late, not at all or from strangers: a subscriber hears each message once, in order, or is told of a gap.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BusMessage, Position } from '../../reference-server/bus/bus.ts';
import { Feed, FeedSubscriber, type LogPart } from '../../reference-server/bus/redis-feed.ts';

type Step =
  | { do: 'publish'; arrives: 'once' | 'twice' | 'never' }
  | { do: 'forge'; offset: number; strange: boolean }
  | { do: 'reconnect' }
  | { do: 'lose' }
  | { do: 'read'; during: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      arrives: fc.constantFrom('once', 'twice', 'never'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('forge' as const), offset: fc.nat(60), strange: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'reconnect' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'lose' as const }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), during: fc.nat(3) }) },
);

/** A log as Redis keeps it, 8 messages long. */
class Log {
  lives = 0;
  offset = 0;
  messages: BusMessage[] = [];

  get epoch(): string {
    return `log ${this.lives}`;
  }

  append(): BusMessage {
    this.offset += 1;
    const message = {
      channel: 'c',
      epoch: this.epoch,
      offset: this.offset,
      data: `true ${this.lives}.${this.offset}`,
    };
    this.messages = [...this.messages, message].slice(-8);
    return message;
  }

  lose(): void {
    this.lives += 1;
    this.offset = 0;
    this.messages = [];
  }

  after(since: Position | undefined): LogPart {
    const { epoch, offset, messages } = this;
    const oldest = offset - messages.length;
    const recovered = since?.epoch === epoch && since.offset <= offset && since.offset >= oldest;
    return {
      epoch,
      offset,
      recovered,
      messages: recovered ? messages.slice(since.offset - oldest) : messages,
    };
  }
}

test('a feed hands over each message once and in order, or tells of a gap', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const log = new Log();
      const feed = new Feed('t', 'c');
      const seen: (BusMessage | { gap: Position })[] = [];
      const subscriber = new FeedSubscriber(
        (message) => seen.push(message),
        (gap) => seen.push({ gap }),
      );
      feed.subscribers.add(subscriber);
      const read = (during = 0): void => {
        const held = feed.startReading();
        const part = log.after(feed.position);
        // What is published while the answer is on its way arrives before it does.
        for (let each = 0; each < during; each++) feed.receive(log.append());
        feed.catchUp(part, held);
      };
      read();
      const start = { epoch: log.epoch, offset: log.offset };
      subscriber.begin(start);
      for (const each of steps) {
        if (each.do === 'publish') {
          const message = log.append();
          if (each.arrives !== 'never') feed.receive(message);
          if (each.arrives === 'twice') feed.receive(message);
        } else if (each.do === 'forge') {
          // Out of line: what is in line and knows the epoch cannot be told from the truth.
          const epoch = each.strange ? 'stranger' : log.epoch;
          if (each.strange || each.offset > log.offset + 1) {
            feed.receive({ channel: 'c', epoch, offset: each.offset, data: 'forged' });
          }
        } else if (each.do === 'reconnect') feed.doubt();
        else if (each.do === 'lose') {
          log.lose();
          feed.doubt();
        } else if (feed.isBehind) read(each.during);
      }
      feed.doubt();
      while (feed.isBehind) read();
      assert.ok(!seen.some((each) => 'data' in each && each.data === 'forged'));
      let at: Position = start;
      for (const each of seen) {
        if ('gap' in each) {
          at = each.gap;
          continue;
        }
        assert.deepEqual([each.epoch, each.offset], [at.epoch, at.offset + 1]);
        assert.equal(each.data, `true ${each.epoch.slice(4)}.${each.offset}`);
        at = each;
      }
      assert.deepEqual([at.epoch, at.offset], [log.epoch, log.offset], 'up to date at the end');
    }),
    { numRuns: 2000 },
  );
});
