// publish-subscribe: messages arrive in order, what was missed is recovered, and a repeated id has no second effect.
import { randomUUID } from 'node:crypto';
import { type Check, failed, passed } from '../check.ts';
import type { CheckConnection } from '../connection.ts';
import { ackOf, describeAnswers, type Envelope, type Exchange } from '../message.ts';

interface Evidence {
  subscribed: Exchange;
  published: Exchange[];
  /** MESSAGEs that the first subscriber got. */
  live: Envelope[];
  /** SUBSCRIBE with `since`, after messages were missed. */
  resumed: Exchange;
  publishedMeanwhile: Exchange[];
  repeated: Exchange;
  last: Exchange;
  /** MESSAGEs that the second subscriber got. */
  recovered: Envelope[];
  /** SUBSCRIBE with a position in a log that does not exist, and whether GAP followed. */
  lost: Exchange;
  gap: boolean;
}

export const publishSubscribe: Check<Evidence> = {
  id: 'publish-subscribe',
  title: 'Publish and subscribe, with recovery',
  tags: ['quick'],
  needs: ['wsbench', 'token'],
  impact: 'none',
  dependsOn: ['connect'],
  async run(context) {
    const channel = `quick-${randomUUID()}`;
    const publisher = await context.connect();
    const publish = (n: number, id?: string): Promise<Exchange> =>
      publisher.request('PUBLISH', { channel, data: { n } }, id);

    const first = await context.connect();
    const subscribed = await first.request('SUBSCRIBE', { channel });
    const published = [await publish(1), await publish(2), await publish(3)];
    const live = await messages(first, 3);
    await first.close();

    const publishedMeanwhile = [await publish(4), await publish(5)];
    const { epoch, offset } = live.at(-1)?.payload ?? {};
    const second = await context.connect();
    const resumed = await second.request('SUBSCRIBE', { channel, since: { epoch, offset } });
    const repeated = await publish(5, publishedMeanwhile[1]?.id);
    // Whatever the repetition did would come before this one.
    const last = await publish(6);
    const recovered = await messages(second, 3);

    const lost = await second.request('SUBSCRIBE', { channel, since: { epoch: 'no-such-log', offset: 1 } });
    const gap = await second.next(({ type }) => type === 'GAP');
    return {
      ...{ subscribed, published, live, resumed, publishedMeanwhile, repeated, last, recovered, lost },
      gap: gap !== undefined,
    };
  },
  judge(evidence) {
    const { subscribed, published, live, resumed, publishedMeanwhile, repeated, last, recovered, lost } =
      evidence;
    const start = ackOf(subscribed)?.payload;
    if (!start || typeof start.epoch !== 'string' || typeof start.offset !== 'number') {
      return failed('ACK for SUBSCRIBE with epoch and offset', describeAnswers(subscribed));
    }
    for (const exchange of [...published, ...publishedMeanwhile, last]) {
      if (typeof ackOf(exchange)?.payload.offset !== 'number') {
        return failed('ACK for PUBLISH with its offset', describeAnswers(exchange));
      }
    }
    const offsets = (from: number, count: number): number[] =>
      Array.from({ length: count }, (_, index) => from + index + 1);
    const wantedLive = describe(offsets(start.offset, 3), [1, 2, 3]);
    if (describeMessages(live) !== wantedLive) {
      return failed(`MESSAGEs ${wantedLive} in order`, describeMessages(live) || 'none');
    }
    const foreign = [...live, ...recovered].find(({ payload }) => payload.epoch !== start.epoch);
    if (foreign) {
      return failed(`MESSAGEs of epoch ${start.epoch}`, `epoch ${String(foreign.payload.epoch)}`);
    }
    const back = ackOf(resumed)?.payload;
    if (back?.recovered !== true) {
      return failed('ACK with recovered: true for SUBSCRIBE since', describeAnswers(resumed));
    }
    const again = ackOf(repeated)?.payload;
    const original = publishedMeanwhile[1] && ackOf(publishedMeanwhile[1])?.payload;
    const wantedBack = describe(offsets(start.offset + 3, 3), [4, 5, 6]);
    if (again?.duplicate !== true || again.offset !== original?.offset) {
      return failed('the stored ACK with duplicate: true for a repeated id', describeAnswers(repeated));
    }
    if (describeMessages(recovered) !== wantedBack) {
      return failed(
        `MESSAGEs ${wantedBack}: the two missed ones, no repetition, then the next`,
        describeMessages(recovered) || 'none',
      );
    }
    if (ackOf(lost)?.payload.recovered !== false || !evidence.gap) {
      return failed(
        'recovered: false and GAP for a position that is not in the log',
        `${describeAnswers(lost)}, ${evidence.gap ? 'GAP' : 'no GAP'}`,
      );
    }
    return passed('3 in order, 2 recovered, a repeated id without effect, GAP for what is lost');
  },
};

/** Waits for this many MESSAGEs, and a moment for one too many. */
async function messages(connection: CheckConnection, count: number): Promise<Envelope[]> {
  const so = (): Envelope[] => connection.envelopes.filter(({ type }) => type === 'MESSAGE');
  await connection.waitFor(() => (so().length >= count ? true : undefined));
  await connection.waitFor(() => (so().length > count ? true : undefined), 50);
  return so();
}

const describe = (offsets: readonly unknown[], values: readonly unknown[]): string =>
  offsets.map((offset, index) => `${String(values[index])}@${String(offset)}`).join(' ');

const describeMessages = (envelopes: readonly Envelope[]): string =>
  describe(
    envelopes.map(({ payload }) => payload.offset),
    envelopes.map(({ payload }) => (payload.data as { n?: unknown } | undefined)?.n),
  );
