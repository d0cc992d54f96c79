// What every driver must do, as a function over a driver: each driver's test file calls it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nowUs } from '../../lib/load/clock.ts';
import type { ClosedBy, Connection, ConnectSpec, ConnectSplit, Driver, Sink } from '../../lib/load/index.ts';
import { renderMessage } from '../../lib/load/message.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { startLoadServer, startTcpServer } from '../fixtures/server-process.ts';
import { echoTarget } from '../fixtures/stress-plan.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';

/** A sink that writes down what it is told, and lets a test wait for it. */
export class Notes implements Sink {
  readonly calls: string[] = [];
  readonly messages: { text: Buffer; opcode: number; atUs: number }[] = [];
  readonly pongs: [number, number][] = [];
  readonly numbers: number[] = [];
  split: ConnectSplit | undefined;
  close: { code: number; by: ClosedBy; clean: boolean } | undefined;
  reason: string | undefined;
  failure: { kind: string; detail: string } | undefined;
  #waiting: (() => void)[] = [];

  opened(split: ConnectSplit): void {
    this.split = split;
    this.#note('opened');
  }

  message(buf: Buffer, start: number, end: number, opcode: 1 | 2, atUs: number): void {
    this.messages.push({ text: Buffer.from(buf.subarray(start, end)), opcode, atUs });
    this.#note('message');
  }

  pong(sentUs: number, atUs: number): void {
    this.pongs.push([sentUs, atUs]);
    this.#note('pong');
  }

  pongOf(seq: number): void {
    this.numbers.push(seq);
    this.#note('pongOf');
  }

  closed(code: number, by: ClosedBy, clean: boolean, reason: string): void {
    this.close = { code, by, clean };
    this.reason = reason;
    this.#note('closed');
  }

  failed(kind: string, detail: string): void {
    this.failure = { kind, detail };
    this.#note('failed');
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #note(call: string): void {
    this.calls.push(call);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

const timeout = 20_000;

/** Runs the contract on a driver; `make` makes a fresh one. */
export function testDriverContract(make: () => Driver): void {
  const spec = (url: string, changes: Partial<ConnectSpec> = {}): ConnectSpec => ({
    url,
    headers: [],
    subprotocols: [],
    timeoutMs: 3000,
    insecure: false,
    ...changes,
  });
  const open = (url: string, changes: Partial<ConnectSpec> = {}): { sink: Notes; connection: Connection } => {
    const sink = new Notes();
    const connection = make().open(spec(url, changes), sink);
    assert.deepEqual(sink.calls, [], 'no callback from within open');
    return { sink, connection };
  };
  const message = (binary = false) =>
    renderMessage({ target: echoTarget, sizeBytes: 40, binary }, 'tag').template;

  test('opens, and says how long each part took', { timeout }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo', upgradeDelayMs: 100 });
    const beforeUs = nowUs();
    const { sink, connection } = open(server.url);
    await sink.until(() => sink.split !== undefined);
    const { split } = sink;
    assert.ok(split);
    assert.equal(split.dnsUs, null);
    assert.equal(split.tlsUs, null);
    assert.ok(split.tcpUs >= 0 && split.upgradeUs >= 95_000);
    assert.ok(Math.abs(split.totalUs - split.tcpUs - split.upgradeUs) < 1);
    assert.ok(split.totalUs <= nowUs() - beforeUs);
    assert.equal(split.subprotocol, '');
    connection.abort();
    await sink.until(() => sink.close !== undefined);
    assert.deepEqual(sink.close, { code: 1006, by: 'us', clean: false });
    assert.deepEqual(sink.calls, ['opened', 'closed']);
  });

  test('queues messages and writes them with a flush, numbers patched in place', { timeout }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    for (const binary of [false, true]) {
      const { sink, connection } = open(server.url);
      const template = message(binary);
      assert.equal(connection.queue(template, 0, 0), false, 'not open yet');
      await sink.until(() => sink.split !== undefined);
      for (let seq = 0; seq < 100; seq++) assert.equal(connection.queue(template, seq, 0), true);
      assert.ok(connection.bufferedBytes >= 100 * 40, 'nothing is written before the flush');
      const flushedUs = nowUs();
      connection.flush();
      await sink.until(() => sink.messages.length === 100);
      for (const [seq, { text, opcode, atUs }] of sink.messages.entries()) {
        template.stamp(seq);
        assert.deepEqual(text, template.bytes);
        assert.equal(opcode, binary ? 2 : 1);
        assert.ok(atUs >= flushedUs && atUs <= nowUs());
      }
      assert.equal(connection.bufferedBytes, 0);
      connection.close(1000, '');
      await sink.until(() => sink.close !== undefined);
      assert.deepEqual(sink.close, { code: 1000, by: 'us', clean: true });
      assert.equal(connection.queue(template, 0, 0), false, 'not open any more');
      connection.flush();
      connection.abort();
      connection.close(1000, '');
      assert.equal(sink.calls.filter((call) => call === 'closed').length, 1);
    }
  });

  test('sends texts beside the load, behind what is queued', { timeout }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const { sink, connection } = open(server.url);
    assert.equal(connection.sendText('early'), false, 'not open yet');
    await sink.until(() => sink.split !== undefined);
    assert.equal(connection.sendText('héllo'), true);
    await sink.until(() => sink.messages.length === 1);
    const template = message();
    connection.queue(template, 7, 0);
    assert.equal(connection.sendText('behind'), true);
    connection.flush();
    await sink.until(() => sink.messages.length === 3);
    template.stamp(7);
    assert.deepEqual(
      sink.messages.map(({ text, opcode }) => [String(text), opcode]),
      [
        ['héllo', 1],
        [String(template.bytes), 1],
        ['behind', 1],
      ],
    );
    connection.abort();
    await sink.until(() => sink.close !== undefined);
    assert.equal(connection.sendText('late'), false, 'not open any more');
  });

  test('pings are answered once, and only one is under way', { timeout }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const { sink, connection } = open(server.url);
    connection.ping();
    await sink.until(() => sink.split !== undefined);
    const beforeUs = nowUs();
    connection.ping();
    connection.ping();
    await sink.until(() => sink.pongs.length === 1);
    connection.ping();
    await sink.until(() => sink.pongs.length === 2);
    for (const [sentUs, atUs] of sink.pongs)
      assert.ok(beforeUs <= sentUs && sentUs <= atUs && atUs <= nowUs());
    connection.close(1000, '');
    await sink.until(() => sink.close !== undefined);
    assert.equal(sink.pongs.length, 2);
  });

  test('pings that carry numbers go out with the messages, and their pongs say which', {
    timeout,
  }, async (t) => {
    const heard: string[] = [];
    const url = await startTalkServer(t, (socket) => {
      socket.pong('stray');
      socket.on('message', (data) => heard.push(String(data)));
      socket.on('ping', (data) => heard.push(data.toString('hex')));
    });
    const { sink, connection } = open(url);
    assert.equal(connection.queuePing(1), false, 'not open yet');
    await sink.until(() => sink.split !== undefined);
    const template = message();
    const numbers = [0, 7, 2 ** 40 + 3];
    for (const seq of numbers) {
      connection.queue(template, seq, 0);
      assert.equal(connection.queuePing(seq), true);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(heard, [], 'nothing leaves before the flush');
    connection.flush();
    connection.ping();
    await sink.until(() => sink.numbers.length === 3 && sink.pongs.length === 1);
    assert.deepEqual(sink.numbers, numbers);
    const texts = numbers.map((seq) => {
      template.stamp(seq);
      return String(template.bytes);
    });
    const payloads = ['000000000000', '000000000007', '010000000003'];
    assert.deepEqual(
      heard.slice(0, 6),
      texts.flatMap((text, at) => [text, payloads[at]]),
    );
    connection.abort();
    await sink.until(() => sink.close !== undefined);
    assert.equal(connection.queuePing(1), false, 'not open any more');
  });

  test('never so many pings are unanswered that a peer hangs up, and the last is answered', {
    timeout,
  }, async (t) => {
    const url = await startTalkServer(
      t,
      (socket) => {
        const unanswered: Buffer[] = [];
        socket.on('ping', (data) => {
          unanswered.push(data);
          if (unanswered.length > 60) socket.terminate();
          else if (unanswered.length === 1)
            setTimeout(() => unanswered.splice(0).forEach((each) => void socket.pong(each)), 20);
        });
      },
      { autoPong: false },
    );
    const { sink, connection } = open(url);
    await sink.until(() => sink.split !== undefined);
    for (let seq = 0; seq < 1000; seq++) {
      connection.queuePing(seq);
      if (seq % 70 === 0) connection.flush();
    }
    connection.flush();
    await sink.until(() => sink.numbers.at(-1) === 999 || sink.close !== undefined);
    assert.equal(sink.close, undefined);
    assert.deepEqual(sink.numbers.slice(0, 50), [...Array(50).keys()]);
    connection.abort();
  });

  test('pausing stops messages, resuming lets them through', { timeout }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const { sink, connection } = open(server.url);
    await sink.until(() => sink.split !== undefined);
    connection.pause();
    connection.queue(message(), 1, 0);
    connection.flush();
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(sink.messages.length, 0);
    connection.resume();
    await sink.until(() => sink.messages.length === 1);
    connection.pause();
    connection.close(1000, '');
    await sink.until(() => sink.close !== undefined);
    assert.equal(sink.close?.clean, true);
  });

  test('sends headers and subprotocols', { timeout }, async (t) => {
    const server = await startLoadServer(t, { mode: 'headers' });
    const { sink, connection } = open(server.url, {
      headers: [
        ['X-One', '1'],
        ['x-one', '2'],
        ['Authorization', 'Bearer t'],
      ],
      subprotocols: ['first', 'second'],
    });
    await sink.until(() => sink.messages.length === 1);
    const seen = JSON.parse(String(sink.messages[0]?.text)) as Record<string, string>;
    assert.equal(seen['x-one'], '1, 2');
    assert.equal(seen.authorization, 'Bearer t');
    assert.equal(seen['sec-websocket-extensions'], undefined, 'no compression is offered');
    assert.equal(sink.split?.subprotocol, 'first');
    connection.abort();
    await sink.until(() => sink.close !== undefined);
  });

  for (const code of [1000, 1001, 1005, 1011, 4999]) {
    test(`the peer closes with ${code === 1005 ? 'no code' : code}`, { timeout }, async (t) => {
      const server = await startLoadServer(t, {
        mode: 'close',
        n: 1,
        ...(code === 1005 ? {} : { code }),
        noCode: code === 1005,
        reason: 'that is all',
      });
      const { sink, connection } = open(server.url);
      await sink.until(() => sink.split !== undefined);
      connection.queue(message(), 1, 0);
      connection.flush();
      await sink.until(() => sink.close !== undefined);
      assert.deepEqual(sink.close, { code, by: 'peer', clean: true });
      assert.equal(sink.reason, code === 1005 ? '' : 'that is all');
      assert.deepEqual(sink.calls, ['opened', 'closed']);
    });
  }

  test('a peer that vanishes closes nothing', { timeout }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const { sink } = open(server.url);
    await sink.until(() => sink.split !== undefined);
    await server.kill();
    await sink.until(() => sink.close !== undefined);
    assert.deepEqual(sink.close, { code: 1006, by: 'none', clean: false });
  });

  test('a bad frame is a protocol failure, then the connection closes', { timeout }, async (t) => {
    const server = await startLoadServer(t, { mode: 'bad-frame', n: 1 });
    const { sink, connection } = open(server.url);
    await sink.until(() => sink.split !== undefined);
    connection.queue(message(), 1, 0);
    connection.flush();
    await sink.until(() => sink.close !== undefined);
    assert.equal(sink.failure?.kind, 'protocol');
    assert.deepEqual(sink.close, { code: 1002, by: 'us', clean: false });
    assert.deepEqual(sink.calls, ['opened', 'failed', 'closed']);
  });

  test('a connect that fails says why, once', { timeout }, async (t) => {
    const dead = await startLoadServer(t, { mode: 'echo' });
    await dead.kill();
    const refused = await startLoadServer(t, {
      mode: 'status',
      status: 429,
      headers: { 'Retry-After': '3' },
      body: 'no\u0007t now',
    });
    const silent = await startTcpServer(t);
    const secure = await startLoadServer(t, { mode: 'echo', tls: selfSigned() });
    const cases: [string, string, RegExp][] = [
      [dead.url, 'refused', /ECONNREFUSED/],
      ['ws://no-such.invalid', 'dns', /no-such\.invalid/],
      [refused.url, 'http', /^HTTP 429 Refused; Retry-After: 3; body: no t now$/],
      [silent.url, 'timeout', /within 300 ms/],
      [secure.url.replace('ws:', 'wss:'), 'tls', /SELF_SIGNED/],
    ];
    for (const [url, kind, detail] of cases) {
      const { sink } = open(url, url === silent.url ? { timeoutMs: 300 } : {});
      await sink.until(() => sink.failure !== undefined);
      assert.equal(sink.failure?.kind, kind);
      assert.match(sink.failure?.detail ?? '', detail);
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.deepEqual(sink.calls, ['failed']);
    }
  });

  test('an attempt that is given up reports nothing', { timeout }, async (t) => {
    const server = await startTcpServer(t);
    for (const waitMs of [0, 50]) {
      const { sink, connection } = open(`ws://${server.host}`, { timeoutMs: 200 });
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      connection.abort();
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.deepEqual(sink.calls, []);
    }
  });
}
