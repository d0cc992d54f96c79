// What each preset says on a new connection, with a token and without: pure, no server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTokenPlace, tokenPlaceOf } from '../../lib/target/credential.ts';
import { receivedText } from '../../lib/target/matcher.ts';
import { Opening, OpeningPlan } from '../../lib/target/opening.ts';
import { loadPreset, presetFor, presetNames } from '../../lib/target/presets.ts';
import { resolveTarget } from '../../lib/target/resolve.ts';

interface Row {
  name: string;
  preset: string;
  given?: Record<string, string>;
  token?: string;
  /** What `--token-in` says. */
  tokenIn?: string;
  /** What we say and, after `<`, what the target says. */
  talk: string[];
  ends?: 'ready' | 'waiting' | 'refused';
}

const open = '< 0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}';
const init = '{"type":"connection_init","payload":{"Authorization":"Bearer T"}}';
const joined =
  '< {"topic":"room:a","event":"phx_reply","payload":{"status":"ok","response":{}},"ref":"join"}';

// biome-ignore format: a table
const rows: Row[] = [
  { name: 'nothing to say', preset: 'echo', talk: [] },
  { name: 'nothing to say', preset: 'json-rpc', token: 'T', talk: [] },
  { name: 'a token in the header', preset: 'wsbench', token: 'T', talk: [] },
  { name: 'a token by message', preset: 'wsbench', token: 'T', tokenIn: 'message', talk: ['{"type":"AUTH","id":"auth","payload":{"token":"T"}}', '< {"type":"WELCOME","payload":{"protocol":1}}', '< {"type":"ACK","id":"auth","payload":{"for":"AUTH"}}'] },
  { name: 'no token', preset: 'socket.io', talk: [open, '40/,', '< 40{"sid":"b"}'] },
  { name: 'a token', preset: 'socket.io', token: 'T', talk: [open, '40/,{"token":"T"}', '< 40{"sid":"b"}'] },
  { name: 'a namespace and other words', preset: 'socket.io', token: 'T', given: { namespace: '/chat', auth: '{"key":"{{ token }}"}' }, talk: [open, '40/chat,{"key":"T"}', '< 2', '< 40/chat,{"sid":"b"}'] },
  { name: 'a token in the header', preset: 'socket.io', token: 'T', tokenIn: 'header', talk: [open, '40/,', '< 40{"sid":"b"}'] },
  { name: 'refused', preset: 'socket.io', talk: [open, '40/,', '< 44{"message":"no"}'], ends: 'refused' },
  { name: 'no token', preset: 'graphql-ws', talk: ['{"type":"connection_init"}', '< {"type":"ping"}', '< {"type":"connection_ack"}'] },
  { name: 'a token', preset: 'graphql-ws', token: 'T', talk: [init, '< {"type":"connection_ack"}'] },
  { name: 'other words', preset: 'graphql-ws', token: 'T', given: { init: '{"authToken":"{{ token }}"}' }, talk: ['{"type":"connection_init","payload":{"authToken":"T"}}', '< {"type":"connection_ack"}'] },
  { name: 'a token in a cookie', preset: 'graphql-ws', token: 'T', tokenIn: 'cookie', talk: ['{"type":"connection_init"}', '< {"type":"connection_ack"}'] },
  { name: 'no answer yet', preset: 'graphql-ws', talk: ['{"type":"connection_init"}'], ends: 'waiting' },
  { name: 'a join', preset: 'phoenix', given: { topic: 'room:a', config: '{}' }, talk: ['{"topic":"room:a","event":"phx_join","payload":{"config":{}},"ref":"join","join_ref":"join"}', joined] },
  { name: 'a join with a token', preset: 'phoenix', token: 'T', given: { topic: 'room:a', config: '{}' }, talk: ['{"topic":"room:a","event":"phx_join","payload":{"access_token":"T","config":{}},"ref":"join","join_ref":"join"}', '< {"topic":"room:a","event":"presence_state","payload":{},"ref":null}', joined] },
  { name: 'a join that is refused', preset: 'phoenix', given: { topic: 'room:a', config: '{}' }, talk: ['{"topic":"room:a","event":"phx_join","payload":{"config":{}},"ref":"join","join_ref":"join"}', joined.replace('"ok"', '"error"')], ends: 'refused' },
  { name: 'a join with a token', preset: 'phoenix-v2', token: 'T', given: { topic: 'room:a', config: '{}' }, talk: ['["join","join","room:a","phx_join",{"access_token":"T","config":{}}]', '< ["join","join","room:a","phx_reply",{"status":"ok","response":{}}]'] },
];

for (const { name, preset, given = {}, token, tokenIn, talk, ends = 'ready' } of rows) {
  test(`${preset}: ${name}`, () => {
    const target = resolveTarget(loadPreset(preset), { given, env: {} });
    const place = tokenIn === undefined ? tokenPlaceOf(target) : parseTokenPlace(tokenIn);
    const opening = new Opening(new OpeningPlan(target, place, token !== undefined), {
      token,
      connection: 0,
    });
    const said = opening.start();
    const seen = [...said];
    for (const line of talk.filter((text) => text.startsWith('< '))) {
      seen.push(line, ...opening.receive(receivedText(line.slice(2))));
    }
    assert.deepEqual(seen, talk);
    assert.equal(opening.state, ends);
  });
}

test('each connection has a topic of its own, unless it is asked for one', () => {
  for (const preset of ['phoenix', 'phoenix-v2']) {
    const target = resolveTarget(loadPreset(preset), { given: {}, env: {} });
    const opening = new Opening(new OpeningPlan(target, tokenPlaceOf(target), false), { connection: 7 });
    assert.match(opening.start().join(), /"realtime:wsbench-7"/);
  }
});

test('the version in the URL says which serializer is meant', () => {
  const base = 'wss://example.org/socket/websocket';
  assert.equal(presetFor('phoenix', `${base}?vsn=2.0.0`), 'phoenix-v2');
  assert.equal(presetFor('phoenix', `${base}?apikey=a&vsn=1.0.0`), 'phoenix');
  assert.equal(presetFor('phoenix', base), 'phoenix');
  assert.equal(presetFor('phoenix', undefined), 'phoenix');
  assert.equal(presetFor('phoenix', 'no URL'), 'phoenix');
  assert.equal(presetFor('socket.io', `${base}?vsn=2.0.0`), 'socket.io');
});

test('every preset bears its own name', () => {
  for (const name of presetNames) assert.equal(loadPreset(name).name, name);
});
