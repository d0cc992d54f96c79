// The library's client: what it tells, and what it tells no more.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WebSocket } from 'ws';
import { type ClientEvent, connect } from '../lib/connect.ts';
import { startTalkServer } from './fixtures/talk-server.ts';
import { targetFile } from './fixtures/target-file.ts';

const room = `
name: room
join:
  - { send: join, expect: { equals: joined }, refuse: { equals: denied } }
heartbeat:
  reply:
    - { when: { starts: beat }, send: alive }
    - { when: { equals: beat 2 }, send: twice }
request: "say {{ id }}"
match: { by: marker }
`;

/** Frames of short texts, as bytes of one write. */
function frames(...texts: string[]): Buffer {
  return Buffer.concat(texts.flatMap((text) => [Buffer.from([0x81, text.length]), Buffer.from(text)]));
}
const badFrame = Buffer.from([0x83, 0x00]);
const closeFrame = Buffer.from([0x88, 0x02, 0x0f, 0xa1]);

function writeRaw(socket: WebSocket, bytes: Buffer): void {
  (socket as unknown as { _socket: { write(data: Buffer): void } })._socket.write(bytes);
}

describe('connect', { concurrency: 4 }, () => {
  // biome-ignore format: a table
  const refused: [string, Buffer][] = [
    ['a welcome', frames('denied', 'joined', 'news')],
    ['a heartbeat', frames('denied', 'beat 1')],
    ['rubbish', Buffer.concat([frames('denied'), badFrame])],
    ['a close', Buffer.concat([frames('denied'), closeFrame])],
  ];
  for (const [name, bytes] of refused) {
    test(`refused, and ${name} right behind: only the end is told`, { timeout: 20_000 }, async (t) => {
      const heard: string[] = [];
      const url = await startTalkServer(t, (socket, _request, onText) =>
        onText((text) => {
          heard.push(text);
          writeRaw(socket, bytes);
        }),
      );
      const events = await eventsOf(url, targetFile(t, room));
      const told = events.map(({ type }) => type);
      assert.deepEqual(told, ['open', 'sent', 'message', 'failed', 'closed']);
      assert.deepEqual(heard, ['join']);
    });
  }

  test('a heartbeat is answered once, with the first reply that fits', { timeout: 20_000 }, async (t) => {
    const heard: string[] = [];
    const url = await startTalkServer(t, (socket, _request, onText) =>
      onText((text) => {
        heard.push(text);
        if (text === 'join') writeRaw(socket, frames('beat 1', 'joined', 'beat 2'));
        if (heard.length === 3) socket.close(1000);
      }),
    );
    const events = await eventsOf(url, targetFile(t, room));
    assert.deepEqual(heard, ['join', 'alive', 'alive']);
    assert.deepEqual(
      events.filter(({ type }) => type !== 'sent' && type !== 'message').map(({ type }) => type),
      ['open', 'ready', 'closed'],
    );
  });
});

/** Everything that is told of a connection, to its end and a little longer. */
function eventsOf(url: string, file: string): Promise<ClientEvent[]> {
  const events: ClientEvent[] = [];
  return new Promise((resolve) => {
    connect(url, { targetFile: file }, (event) => {
      events.push(event);
      if (event.type === 'closed') setTimeout(() => resolve(events), 100);
    });
  });
}
