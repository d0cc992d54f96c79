// Messages out and echoes in, without a socket: what counts as altered.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Correlator } from '../../lib/load/correlation.ts';
import type { Connection } from '../../lib/load/drivers/driver.ts';
import { Lane, type LaneOwner } from '../../lib/load/lane.ts';
import { kinds, Ledger } from '../../lib/load/ledger.ts';
import { renderMessage } from '../../lib/load/message.ts';
import { MessageView } from '../../lib/load/message-view.ts';
import { whole } from '../../lib/load/part.ts';
import { Recorder } from '../../lib/load/recorder.ts';
import { Traffic } from '../../lib/load/traffic.ts';
import { echoTarget } from '../fixtures/stress-plan.ts';

const tag = 'a1b2c3d4';

/** One open connection, and what was sent over it. */
function talk(sizeBytes: number) {
  const rendered = renderMessage({ target: echoTarget, sizeBytes, binary: false }, tag);
  const { match } = echoTarget;
  const recorder = new Recorder(1e6);
  recorder.startUs = 0;
  recorder.endUs = 1e6;
  const traffic = new Traffic({
    template: rendered.template,
    correlator: new Correlator({ ...match, ...rendered }),
    ledger: new Ledger({ connections: 1, timeoutUs: 1e6, inOrder: rendered.by === 'order' }),
    recorder,
    rehearsal: new Recorder(1e6),
    echoes: true,
    repeats: false,
    pings: false,
    dueWhenSent: true,
    part: whole,
  });
  const sent: Buffer[] = [];
  const connection = {
    bufferedBytes: 0,
    queue: (template: typeof rendered.template, seq: number) => {
      template.stamp(seq);
      sent.push(Buffer.from(template.bytes));
      return true;
    },
    flush: () => {},
  } as unknown as Connection;
  const lane = new Lane({ index: 0, place: 0, number: 0, isSlow: false }, {} as LaneOwner);
  lane.attach(connection);
  lane.state = 'open';
  traffic.lanes = [lane];
  const view = new MessageView();
  return {
    recorder,
    sent,
    send: () => {
      traffic.offer(lane, 0, kinds.measured);
      traffic.flush(1);
    },
    /** The message somewhere in a read. */
    receive: (message: Buffer) => {
      const read = Buffer.concat([Buffer.from('before'), message, Buffer.from('behind')]);
      view.hold(read, 6, 6 + message.length);
      traffic.received(lane, view, 2);
    },
  };
}

test('an echo is whole or altered, wherever a byte changed, at any size', () => {
  // Around the size up to which bytes are compared in a loop, too.
  const size = fc.oneof(fc.integer({ min: 30, max: 300 }), fc.constantFrom(127, 128, 129, 1024, 5000));
  fc.assert(
    fc.property(size, fc.nat(), fc.integer({ min: 1, max: 255 }), (sizeBytes, place, change) => {
      const { recorder, sent, send, receive } = talk(sizeBytes);
      for (let count = 0; count < 3; count++) send();
      const [first, second, third] = sent as [Buffer, Buffer, Buffer];
      receive(first);
      // Where its number is, another byte makes it another message.
      const marker = second.indexOf(`${tag}-`);
      const end = marker + tag.length + 13;
      const rest = second.length - (end - marker);
      const at = place % rest < marker ? place % rest : (place % rest) + end - marker;
      const altered = Buffer.from(second);
      altered[at] = (altered[at] ?? 0) ^ change;
      receive(altered);
      receive(third);
      const { counters } = recorder;
      assert.deepEqual(
        [counters['messages.matched'], counters['messages.corrupt'], counters['messages.unexpected']],
        [3, 1, 0],
      );
    }),
  );
});

test('an echo that is shorter or longer is altered', () => {
  for (const sizeBytes of [64, 1024]) {
    const { recorder, sent, send, receive } = talk(sizeBytes);
    for (let count = 0; count < 2; count++) send();
    receive((sent[0] as Buffer).subarray(0, sizeBytes - 1));
    receive(Buffer.concat([sent[1] as Buffer, Buffer.from('x')]));
    assert.equal(recorder.counters['messages.corrupt'], 2);
    assert.equal(recorder.counters['messages.matched'], 2);
  }
});
