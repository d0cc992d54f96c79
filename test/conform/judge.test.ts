// The judge, with lists of what was seen: no socket, no time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allCases } from '../../lib/conform/cases.ts';
import { judge } from '../../lib/conform/judge.ts';
import type { Strictness } from '../../lib/conform/plan.ts';
import type { Seen, SeenEvent, SeenLoad } from '../../lib/conform/seen.ts';
import { wordOf } from './run-cases.ts';

const message = (payload: string | Buffer, binary = false): SeenEvent => ({
  event: 'message',
  payload: Buffer.from(payload as string),
  binary,
});
const pong = (payload: string): SeenEvent => ({ event: 'pong', payload: Buffer.from(payload) });
const open = (tag: string): SeenEvent => ({ event: 'timeout', tag });
const load = (seen: Partial<SeenLoad>): Partial<Seen> => ({
  load: { right: 0, wanted: 1, wrong: null, otherContent: null, declined: false, ...seen },
});

/** What is seen of a server that does nothing wrong in a case that we close. */
const good: Seen = {
  notOpened: null,
  events: [],
  load: null,
  closedByUs: true,
  clean: true,
  droppedByUs: false,
  remoteCloseCode: 1000,
  violations: [],
  notes: [],
  dishonoured: null,
  rules: [],
  durationMs: 1,
  wire: () => [],
};
/** The peer failed the connection. */
const byPeer = (code: number | null): Partial<Seen> => ({
  closedByUs: false,
  clean: code !== null,
  remoteCloseCode: code,
});
/** TCP ended without any close frame. */
const dropped = byPeer(null);
const hello = 'Hello, world!';
const stars = Buffer.alloc(125, '*');

const rows: [id: string, what: string, seen: Partial<Seen>, verdict: string, strictness?: Strictness][] = [
  // behaviour: the events, exactly
  ['1.1.2', 'the echo', { events: [message(stars)] }, 'OK/OK'],
  ['1.1.2', 'nothing', {}, 'FAILED/OK'],
  ['1.1.2', 'the echo as binary', { events: [message(stars, true)] }, 'FAILED/OK'],
  ['1.1.2', 'one byte less', { events: [message(stars.subarray(1))] }, 'FAILED/OK'],
  ['1.1.2', 'one other byte', { events: [message(`${'*'.repeat(124)}+`)] }, 'FAILED/OK'],
  ['1.1.2', 'the echo twice', { events: [message(stars), message(stars)] }, 'FAILED/OK'],
  ['1.1.2', 'a pong more', { events: [message(stars), pong('')] }, 'FAILED/OK'],
  ['2.2', 'the pong', { events: [pong(hello)] }, 'OK/OK'],
  ['2.2', 'an empty pong', { events: [pong('')] }, 'FAILED/OK'],
  ['5.6', 'pong and message', { events: [pong('ping payload'), message('fragment1fragment2')] }, 'OK/OK'],
  ['5.6', 'the wrong order', { events: [message('fragment1fragment2'), pong('ping payload')] }, 'FAILED/OK'],
  ['3.2', 'the echo, then failed', { events: [message(hello)], ...byPeer(1002) }, 'OK/OK'],
  ['3.2', 'failed at once', byPeer(1002), 'NON-STRICT/OK'],
  ['6.4.1', 'failed at the first wrong byte', { events: [open('A')], ...byPeer(1007) }, 'OK/OK'],
  ['6.4.1', 'failed at the end', { events: [open('A'), open('B')], ...byPeer(1007) }, 'NON-STRICT/OK'],
  ['6.4.1', 'failed too early', byPeer(1007), 'FAILED/OK'],
  // how it ended: the first of the rules that holds
  ['1.1.2', 'no handshake', { notOpened: 'HTTP 404' }, 'FAILED/FAILED'],
  ['1.1.2', 'closed by the peer', { events: [message(stars)], closedByUs: false }, 'OK/FAILED'],
  [
    '1.1.2',
    'no answer to the close',
    { events: [message(stars)], clean: false, droppedByUs: true, remoteCloseCode: null },
    'OK/UNCLEAN',
  ],
  ['1.1.2', 'a wrong code', { events: [message(stars)], remoteCloseCode: 1001 }, 'OK/WRONG CODE'],
  [
    '1.1.2',
    'unclean goes before a wrong code',
    { events: [message(stars)], clean: false, remoteCloseCode: 1005 },
    'OK/UNCLEAN',
  ],
  [
    '1.1.2',
    'a wrong code goes before our drop',
    { events: [message(stars)], remoteCloseCode: 1001, droppedByUs: true },
    'OK/WRONG CODE',
  ],
  ['1.1.2', 'TCP left open', { events: [message(stars)], droppedByUs: true }, 'OK/FAILED BY CLIENT'],
  ['1.1.2', 'no code', { events: [message(stars)], remoteCloseCode: null }, 'OK/OK'],
  ['2.5', 'failed with the code', byPeer(1002), 'OK/OK'],
  ['2.5', 'TCP dropped', dropped, 'OK/OK'],
  ['2.5', 'failed with another code', byPeer(1003), 'OK/WRONG CODE'],
  ['2.5', 'not failed', { events: [], clean: false, remoteCloseCode: 1001, droppedByUs: false }, 'OK/FAILED'],
  ['2.5', 'failed, TCP left open', { ...byPeer(1002), droppedByUs: true }, 'OK/FAILED BY CLIENT'],
  // what makes a behaviour fail beside its events
  ['6.6.1', 'failed', byPeer(1007), 'OK/OK'],
  ['6.6.1', 'we had to', { clean: false }, 'FAILED/FAILED'],
  ['4.1.1', 'elsewhere the wrong side fails no behaviour', { clean: false }, 'OK/FAILED'],
  [
    '7.9.1',
    'the code comes back',
    { clean: false, droppedByUs: true, remoteCloseCode: 0 },
    'FAILED/WRONG CODE',
  ],
  ['7.9.1', 'answered with 1002', { remoteCloseCode: 1002 }, 'OK/OK'],
  ['7.9.1', 'TCP dropped', { clean: false, remoteCloseCode: null }, 'OK/OK'],
  ['7.7.2', '1000', {}, 'OK/OK'],
  ['7.7.2', 'the same', { remoteCloseCode: 1001 }, 'OK/OK'],
  ['7.7.2', 'another', { remoteCloseCode: 1002 }, 'FAILED/WRONG CODE'],
  ['7.1.3', 'a pong after the close', { events: [pong('')] }, 'FAILED/OK'],
  ['7.1.6', 'anything', { clean: false, droppedByUs: true }, 'INFORMATIONAL/INFORMATIONAL'],
  ['7.13.1', 'even no handshake', { notOpened: 'refused' }, 'INFORMATIONAL/INFORMATIONAL'],
  // loads
  ['9.1.1', 'it came back', load({ right: 1 }), 'OK/OK'],
  ['9.1.1', 'it did not', load({}), 'FAILED/OK'],
  ['9.1.1', 'with other content', load({ right: 1, otherContent: 'other bytes' }), 'OK/OK'],
  ['9.1.1', 'with other content', load({ right: 1, otherContent: 'other bytes' }), 'FAILED/OK', 'rfc'],
  ['9.7.1', 'all but one', load({ right: 999, wanted: 1000 }), 'FAILED/OK'],
  ['12.1.1', 'all', load({ right: 100, wanted: 100 }), 'OK/OK'],
  ['12.1.1', 'no compression', load({ declined: true }), 'UNIMPLEMENTED/OK'],
  ['12.1.1', 'cannot be inflated', { ...load({ right: 3, wanted: 100 }), ...dropped }, 'FAILED/FAILED'],
  [
    '13.2.1',
    'not as offered',
    { ...load({ right: 100, wanted: 100 }), dishonoured: 'with context' },
    'OK/OK',
  ],
  [
    '13.2.1',
    'not as offered',
    { ...load({ right: 100, wanted: 100 }), dishonoured: 'with context' },
    'FAILED/FAILED',
    'rfc',
  ],
];

function caseOf(id: string): (typeof allCases)[number] {
  const found = allCases.find((testCase) => testCase.id === id);
  assert.ok(found, id);
  return found;
}

for (const [id, what, seen, verdict, strictness = 'autobahn'] of rows) {
  test(`${id}, ${strictness}: ${what} is ${verdict}`, () => {
    const judgement = judge(caseOf(id), { ...good, ...seen }, strictness);
    assert.equal(wordOf(judgement), verdict);
  });
}

test('what is judged otherwise than Autobahn does says by which rule', () => {
  const rule = (id: string, seen: Partial<Seen>): string | undefined =>
    judge(caseOf(id), { ...good, ...seen }, 'rfc').rule;
  assert.match(
    rule('13.2.1', { ...load({ right: 1 }), dishonoured: 'with context' }) ?? '',
    /^RFC 7692 §7\.1: with context/,
  );
  assert.match(
    rule('9.1.1', load({ right: 1, otherContent: 'other bytes' })) ?? '',
    /^RFC 6455 §5\.6: other bytes/,
  );
  assert.equal(rule('7.7.1', { rules: ['RFC 6455 §7.4.2: registered'] }), 'RFC 6455 §7.4.2: registered');
  assert.equal(rule('9.1.1', load({ right: 1 })), undefined);
});

test('a client is not expected to end TCP, so that ending it ourselves is not held against it', () => {
  const seen = { ...good, events: [message(stars)], droppedByUs: true };
  assert.equal(judge(caseOf('1.1.2'), seen, 'autobahn', 'tests-client').behaviorClose, 'OK');
});
