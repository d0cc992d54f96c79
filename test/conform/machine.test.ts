// The client that judges: what it makes of bytes, and when it closes or drops. No socket.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import type { Strictness } from '../../lib/conform/plan.ts';
import { Machine, type MachineSink } from '../../lib/conform/session/machine.ts';
import type { DeflateAgreement } from '../../lib/protocol/deflate-negotiation.ts';
import { encodeFrame, type FrameSpec } from '../../lib/protocol/frame.ts';

/** A peer's frames, and what came of them. */
function play(
  frames: readonly (FrameSpec | Buffer | 'we close' | 'a second')[],
  {
    strictness = 'autobahn',
    deflate = null,
  }: { strictness?: Strictness; deflate?: DeflateAgreement | null } = {},
): { said: string[]; machine: Machine } {
  const said: string[] = [];
  const timers: (() => void)[] = [];
  const sink: MachineSink = {
    send: (opcode, payload) =>
      said.push(
        `we send ${opcode}${payload.length >= 2 && opcode === 8 ? ` ${Buffer.from(payload).readUInt16BE(0)}` : ''}`,
      ),
    drop: () => said.push('we drop'),
    message: (payload, binary) => said.push(`${binary ? 'binary' : 'text'} ${payload.toString('latin1')}`),
    pong: (payload) => said.push(`pong ${payload.toString()}`),
    frame: () => {},
    note: () => {},
    after: (_ms, callback) => timers.push(callback),
  };
  const machine = new Machine(sink, strictness, deflate);
  for (const frame of frames) {
    if (frame === 'we close') machine.close(Buffer.from([0x03, 0xe8]));
    else if (frame === 'a second') for (const callback of timers.splice(0)) callback();
    else {
      const bytes = Buffer.isBuffer(frame) ? frame : encodeFrame(frame);
      machine.push(bytes, 0, bytes.length);
    }
  }
  return { said, machine };
}

const bytes = (digits: string): Buffer => Buffer.from(digits, 'hex');
const text = (payload: string | Buffer, more: Partial<FrameSpec> = {}): FrameSpec => ({
  opcode: 1,
  payload: Buffer.from(payload as string),
  ...more,
});
const close = (code: number): FrameSpec => ({
  opcode: 8,
  payload: bytes(code.toString(16).padStart(4, '0')),
});
const mask = Buffer.from([1, 2, 3, 4]);

interface Row {
  frames: Parameters<typeof play>[0];
  said: string[];
  byUs?: boolean;
  clean?: boolean;
  dropped?: boolean;
  code?: number | null;
  strictness?: Strictness;
}

const rows: Record<string, Row> = {
  'a message, a ping, a pong': {
    frames: [text('a'), { opcode: 9, payload: bytes('62') }, { opcode: 10, payload: bytes('63') }],
    said: ['text a', 'we send 10', 'pong c'],
  },
  'fragments with a ping between them': {
    frames: [text('a', { fin: false }), { opcode: 9 }, { opcode: 0, payload: bytes('62') }],
    said: ['we send 10', 'text ab'],
  },
  'our close, answered; then a late message counts': {
    frames: ['we close', text('late'), close(1000)],
    said: ['we send 8 1000', 'text late'],
    byUs: true,
    clean: true,
    code: 1000,
  },
  'TCP stays open after the answer to our close': {
    frames: ['we close', close(1000), 'a second'],
    said: ['we send 8 1000', 'we drop'],
    byUs: true,
    clean: false,
    dropped: true,
    code: 1000,
  },
  'our close is not answered': {
    frames: ['we close', 'a second'],
    said: ['we send 8 1000', 'we drop'],
    byUs: true,
    dropped: true,
  },
  "the peer's close is answered by 1000, whatever its code": {
    frames: [close(1001)],
    said: ['we send 8 1000'],
    clean: true,
    code: 1001,
  },
  'invalid UTF-8 counts twice': {
    frames: [text(bytes('80'))],
    said: ['we send 8 1007', 'we drop'],
    byUs: true,
    dropped: true,
  },
  'a text that ends within a code point counts once': {
    frames: [text(bytes('ce')), close(1007)],
    said: ['we send 8 1007'],
    byUs: true,
    clean: true,
    code: 1007,
  },
  'once failed, messages count no more, and pongs do': {
    frames: [{ opcode: 3 }, text('a', { fin: false }), { opcode: 10, payload: bytes('62') }],
    said: ['we send 8 1002', 'pong b'],
    byUs: true,
  },
  'a masked pong': {
    frames: [{ opcode: 10, payload: bytes('62'), mask }],
    said: ['we send 8 1002', 'pong b'],
    byUs: true,
  },
  'a masked answer to our close': {
    frames: ['we close', { ...close(1000), mask }],
    said: ['we send 8 1000', 'we drop'],
    byUs: true,
    dropped: true,
    code: null,
  },
  'two faults in one header': {
    frames: [{ opcode: 11, rsv: 1 }],
    said: ['we send 8 1002', 'we drop'],
    byUs: true,
    dropped: true,
  },
  'a length in too many bits': {
    frames: [text('a', { lengthForm: 16 })],
    said: ['we send 8 1002'],
    byUs: true,
  },
  'a code that must not be sent, to an open connection': {
    frames: [close(1005)],
    said: ['we send 8 1002'],
    byUs: true,
    clean: true,
    code: 1005,
  },
  'a code that must not be sent, in answer to our close': {
    frames: ['we close', close(1005)],
    said: ['we send 8 1000', 'we drop'],
    byUs: true,
    dropped: true,
    code: 1005,
  },
  '1013, which is younger than Autobahn': {
    frames: [close(1013)],
    said: ['we send 8 1002'],
    byUs: true,
    clean: true,
    code: 1013,
  },
  '1013, by the registry of today': {
    frames: [close(1013)],
    said: ['we send 8 1000'],
    clean: true,
    code: 1013,
    strictness: 'rfc',
  },
  'a close frame of one byte': {
    frames: [{ opcode: 8, payload: bytes('61') }],
    said: ['we send 8 1002'],
    byUs: true,
    clean: true,
  },
};

for (const [name, row] of Object.entries(rows)) {
  test(name, () => {
    const { said, machine } = play(row.frames, row.strictness ? { strictness: row.strictness } : {});
    assert.deepEqual(said, row.said);
    const { closedByUs, clean, droppedByUs, remoteCloseCode } = machine;
    assert.deepEqual(
      { closedByUs, clean, droppedByUs, remoteCloseCode },
      {
        closedByUs: row.byUs ?? false,
        clean: row.clean ?? false,
        droppedByUs: row.dropped ?? false,
        remoteCloseCode: row.code ?? null,
      },
    );
  });
}

test('any segmentation of good frames gives the same', () => {
  const frames = [
    text('hello'),
    text('x'.repeat(300)),
    { opcode: 2, payload: Buffer.alloc(70_000, 1) },
    { opcode: 9 },
    close(1000),
  ];
  const all = Buffer.concat(frames.map((frame) => encodeFrame(frame)));
  const whole = play([Buffer.from(all)]).said;
  for (const size of [1, 2, 3, 7, 1000]) {
    const pieces = Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
      Buffer.from(all.subarray(index * size, (index + 1) * size)),
    );
    assert.deepEqual(play(pieces).said, whole);
  }
});

describe('compressed messages', () => {
  const deflate = (contextTakeover: boolean): DeflateAgreement => ({
    server: { windowBits: 15, contextTakeover },
    client: { windowBits: 15, contextTakeover: false },
  });
  const flushed = (message: string): Buffer => deflateRawSync(message, { finishFlush: 2 });
  const compressed = (message: string): FrameSpec => ({
    opcode: 1,
    rsv: 4,
    payload: flushed(message).subarray(0, -4),
  });
  const withTail = (message: string): FrameSpec => ({ opcode: 1, rsv: 4, payload: flushed(message) });

  test('are inflated', () => {
    for (const takeover of [true, false]) {
      const { said } = play([compressed('one'), compressed('two')], { deflate: deflate(takeover) });
      assert.deepEqual(said, ['text one', 'text two']);
    }
  });

  test('that keep their last four bytes spoil the next one, where the context is kept', () => {
    const frames = [withTail('one'), withTail('two')];
    assert.deepEqual(play(frames, { deflate: deflate(false) }).said, ['text one', 'text two']);
    const { said, machine } = play(frames, { deflate: deflate(true) });
    assert.deepEqual(said, ['text one', 'we drop']);
    assert.deepEqual([machine.closedByUs, machine.droppedByUs], [false, false]);
  });

  test('with a final block end the stream for Autobahn, and not for the RFC', () => {
    const final: FrameSpec = {
      opcode: 1,
      rsv: 4,
      payload: Buffer.concat([deflateRawSync('one'), Buffer.from([0])]),
    };
    const frames = [final, compressed('two')];
    assert.deepEqual(play(frames, { deflate: deflate(true) }).said, ['text one', 'text ']);
    assert.deepEqual(play(frames, { deflate: deflate(true), strictness: 'rfc' }).said, [
      'text one',
      'text two',
    ]);
  });
});
