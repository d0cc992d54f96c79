// What gives a protocol away: messages, close codes, subprotocols, refusals. Pure.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { presetNames } from '../../lib/target/presets.ts';
import {
  phoenixQuestion,
  presetAdvice,
  presetOfClose,
  presetOfMessage,
  presetOfRefusal,
  presetOfSubprotocol,
} from '../../lib/target/recognise.ts';

// biome-ignore format: a table
const messages: [string, string | undefined][] = [
  ['0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":[],"pingInterval":25000}', 'socket.io'],
  ['{"type":"WELCOME","payload":{"protocol":1}}', 'wsbench'],
  ['{"type":"WELCOME","payload":{"protocol":2}}', undefined],
  ['{"type":"WELCOME","payload":null}', undefined],
  ['{"topic":"phoenix","event":"phx_reply","payload":{"status":"ok","response":{}},"ref":"1"}', 'phoenix'],
  ['[null,"1","phoenix","phx_reply",{"status":"ok","response":{}}]', 'phoenix'],
  // What an echo makes of our question.
  ['{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"wsbench"}', undefined],
  ['[null,"wsbench","phoenix","heartbeat",{}]', undefined],
  ['{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}', 'json-rpc'],
  ['{"type":"connection_ack"}', 'graphql-ws'],
  ['hello', undefined],
  ['0', undefined],
  ['null', undefined],
  ['[]', undefined],
];
for (const [text, preset] of messages) {
  test(`${text.slice(0, 50)}: ${preset ?? 'nobody'}`, () => assert.equal(presetOfMessage(text), preset));
}

test('close codes, subprotocols, refusals', () => {
  assert.equal(presetOfClose(4406), 'graphql-ws');
  assert.equal(presetOfClose(1000), undefined);
  assert.equal(presetOfSubprotocol('graphql-transport-ws'), 'graphql-ws');
  assert.equal(presetOfSubprotocol(''), undefined);
  assert.equal(presetOfRefusal('HTTP 400 Bad Request; body: Transport unknown'), 'socket.io');
  assert.equal(presetOfRefusal('HTTP 400 Bad Request; body: no'), undefined);
  assert.equal(presetOfRefusal('HTTP 404 Not Found; body: Transport unknown'), undefined);
});

test('Phoenix is asked in the version of its URL, others are not', () => {
  assert.match(phoenixQuestion('ws://a/socket/websocket') ?? '', /^\{/);
  assert.match(phoenixQuestion('ws://a/socket/websocket?vsn=2.0.0') ?? '', /^\[/);
  assert.equal(phoenixQuestion('ws://a/websockets'), undefined);
  assert.equal(phoenixQuestion('ws://a/'), undefined);
});

test('there is advice for every preset', () => {
  for (const name of presetNames) assert.ok(presetAdvice(name).includes(`--preset ${name}`));
  assert.match(presetAdvice('socket.io', 'ws://a/socket.io/'), /at ws:\/\/a\/socket\.io\/: use that URL/);
});
