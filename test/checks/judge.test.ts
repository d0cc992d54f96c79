// Judges on recorded evidence: no server, no time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allChecks } from '../../lib/checks/index.ts';

const ack = (type: string, context: object): object => ({ type: 'ACK', payload: { for: type, ...context } });
const exchange = (type: string, ...answers: object[]): object => ({ type, id: 'x', answers });
const error = (code: string): object => ({ type: 'ERROR', id: 'x', payload: { code, message: 'no' } });
const pong = { type: 'PONG', id: 'x', payload: { serverTime: 1 } };

const limits = { name: 'test', perMs: 0.02, burst: 20, penaltyMs: 1000 };
const burst = { sent: 25, accepted: 20, tookMs: 3 };
const messages = {
  limits,
  burst,
  notices: [{ atMs: 3, retryAfterMs: 1000 }],
  probes: [{ sentMs: 300, acceptedMs: null }],
  after: true,
  closeCode: null,
};
const reconnect = { limits, accepted: 20, tookMs: 10, refused: true, thirdAcceptedMs: null };
const refusal = {
  name: 'no token',
  strict: true,
  status: 401,
  closeCode: null,
  joinRefused: false,
  got: 'HTTP 401',
  json: true,
};
/** The same where any clear refusal will do. */
const lax = { ...refusal, strict: false, json: false };
const asked = { replies: 1, refusal: null, altered: null };
const requests = {
  how: 'in order',
  repeats: false,
  requests: [asked, asked, asked],
  atOnce: 2,
  looseRefusal: null,
  disorder: null,
  surplus: 0,
  strays: 0,
  stray: null,
  closed: null,
};
const beats = { sent: 3, answered: 3, refusal: null, closed: null };
const allowed = { perSecond: 10, sent: 30, accepted: 10, refused: 20, code: 'SLOW_DOWN', closed: null };
const offered = {
  offered: ['wsbench.v1'],
  refused: null,
  selected: 'wsbench.v1',
  subjects: { token: 's', welcome: 's' },
};
const refreshed = { lifetimeMs: 3000, announced: true, refused: null, foreign: null, closed: null };
const large = { maxBytes: 9, largestServed: true, refusal: null, closeCode: 1009 };
const held = { pings: 3, heldMs: 2500, closeCode: null };
const heartbeats = {
  intervalMs: 1000,
  timeoutMs: 1000,
  answering: held,
  silent: { pings: 1, closeCode: 4408 },
};
const opened = {
  ...{ failure: null, closed: null, handshakeMs: 3, subprotocol: '', greeted: null, first: null },
  preset: null,
};
const invalid = {
  rounds: [
    { name: 'an unknown type', code: 'UNKNOWN_TYPE', hint: null, id: 'x', answer: error('UNKNOWN_TYPE') },
  ],
  after: [pong],
  closeCode: null,
};
const command = {
  agentId: 'a',
  agentConnect: exchange('AGENT_CONNECT', ack('AGENT_CONNECT', {})),
  dashboardConnect: exchange('DASHBOARD_CONNECT', ack('DASHBOARD_CONNECT', { agents: [{ agentId: 'a' }] })),
  command: exchange('COMMAND', ack('COMMAND', { commandId: 'c' })),
  repeated: exchange('COMMAND', ack('COMMAND', { commandId: 'c', duplicate: true })),
  delivered: [{ type: 'COMMAND', payload: { commandId: 'c', command: 'restart' } }],
  result: exchange('COMMAND_RESULT', ack('COMMAND_RESULT', {})),
  pushed: { type: 'COMMAND_RESULT', payload: { commandId: 'c', status: 'ok' } },
  toStranger: exchange('COMMAND', error('NOT_DELIVERED')),
  offline: true,
  afterwards: exchange('COMMAND', error('NOT_DELIVERED')),
};
const published = (offset: number): object =>
  exchange('PUBLISH', ack('PUBLISH', { epoch: 'e', offset, receivers: 1 }));
const arrived = (offset: number): object => ({
  type: 'MESSAGE',
  payload: { epoch: 'e', offset, data: { n: offset } },
});
const channel = {
  subscribed: exchange('SUBSCRIBE', ack('SUBSCRIBE', { epoch: 'e', offset: 0, recovered: false })),
  published: [published(1), published(2), published(3)],
  live: [arrived(1), arrived(2), arrived(3)],
  resumed: exchange('SUBSCRIBE', ack('SUBSCRIBE', { recovered: true })),
  publishedMeanwhile: [published(4), published(5)],
  repeated: exchange('PUBLISH', ack('PUBLISH', { offset: 5, duplicate: true })),
  last: published(6),
  recovered: [arrived(4), arrived(5), arrived(6)],
  lost: exchange('SUBSCRIBE', ack('SUBSCRIBE', { recovered: false })),
  gap: true,
};
const typed = { exchanges: [exchange('PING', pong)], toPong: [], stray: [] };

/** A check, what it saw, and what must be said: `passed`, or how the expectation and what came instead begin. */
type Row = [id: string, evidence: object, verdict: 'passed' | RegExp];

const rows: readonly Row[] = [
  ['connect', opened, 'passed'],
  ['connect', { ...opened, greeted: true, first: 'WELCOME' }, 'passed'],
  ['connect', { ...opened, greeted: false, first: null }, /WELCOME with limits.* \| no message/],
  ['connect', { ...opened, greeted: false, first: 'HELLO' }, /WELCOME with limits.* \| HELLO/],
  ['connect', { ...opened, closed: 'close code 4406', preset: 'graphql-ws' }, /4406.*--preset graphql-ws/],
  ['connect', { ...opened, closed: 'close code 1011' }, /stays open \| an end at once: close code 1011/],
  [
    'connect',
    { ...opened, failure: { kind: 'join', reached: true, message: 'the join waits' } },
    /a join that succeeds \| the join waits/,
  ],
  [
    'connect',
    { ...opened, failure: { kind: 'http', reached: true, message: 'HTTP 404', status: 404 } },
    /HTTP 101.* \| HTTP 404/,
  ],
  ['ping-frame', { rounds: [{ sent: 'a', got: 'a' }], closed: null }, 'passed'],
  ['ping-frame', { rounds: [{ sent: 'a', got: null }], closed: null }, /payload of 1 bytes \| no pong/],
  [
    'ping-frame',
    { rounds: [{ sent: 'a', got: null }], closed: 'close code 1002' },
    /no pong, but close code 1002/,
  ],
  ['ping-frame', { rounds: [{ sent: 'a', got: 'b' }], closed: null }, /another payload/],
  ['echo', { rounds: [{ name: 'text', ok: true, got: '' }] }, 'passed'],
  [
    'echo',
    { rounds: [{ name: 'text', ok: false, got: 'nothing' }] },
    /^text back unchanged, once \| nothing/,
  ],
  ['request', requests, 'passed'],
  ['request', { ...requests, requests: [{ ...asked, refusal: '-32601' }] }, /request 1 of 1 refused: -32601/],
  ['request', { ...requests, looseRefusal: 'PARSE' }, /a refusal that names no request: PARSE/],
  ['request', { ...requests, disorder: 'reply 1 belongs to request 2' }, /\| wrong order: reply 1 belongs/],
  [
    'request',
    { ...requests, requests: [asked, { ...asked, altered: '"x"' }] },
    /byte by byte \| request 2 of 2 as "x"/,
  ],
  ['request', { ...requests, requests: [{ ...asked, replies: 0 }] }, /one reply.*in order \| no reply$/],
  [
    'request',
    {
      ...requests,
      requests: [asked, { ...asked, replies: 0 }],
      strays: 2,
      stray: '"a"',
      closed: 'close code 4000',
    },
    /no reply to 1 of 2.*; 2 that answer none, the first: "a"; close code 4000/,
  ],
  ['request', { ...requests, requests: [asked, { ...asked, replies: 2 }] }, /2 replies to request 2 of 2/],
  ['request', { ...requests, repeats: true, requests: [asked, { ...asked, replies: 2 }] }, 'passed'],
  ['request', { ...requests, surplus: 2 }, /5 replies to 3 requests/],
  ['request', { ...requests, closed: 'close code 1011' }, /stay open \| close code 1011/],
  ['heartbeat', beats, 'passed'],
  ['heartbeat', { ...beats, answered: 0 }, 'passed'],
  ['heartbeat', { ...beats, refusal: '"no"' }, /understood \| a refusal: "no"/],
  [
    'heartbeat',
    { ...beats, sent: 1, closed: 'close code 1008' },
    /live on.* \| close code 1008 after 1 of 3/,
  ],
  ['heartbeat', { exchanges: [exchange('PING', pong)] }, 'passed'],
  ['heartbeat', { exchanges: [exchange('PING')] }, /\| no answer/],
  ['heartbeat', { exchanges: [exchange('PING', ack('PING', {}))] }, /\| ACK for PING/],
  ['heartbeat', { exchanges: [exchange('PING', { type: 'PONG', payload: {} })] }, /serverTime undefined/],
  ['simultaneous', { asked: 9, failures: [], served: 9, openAtEnd: 9, by: 'echo' }, 'passed'],
  [
    'simultaneous',
    { asked: 9, failures: ['HTTP 429'], served: 8, openAtEnd: 8, by: 'echo' },
    /1 of 9 did not/,
  ],
  ['simultaneous', { asked: 9, failures: [], served: 1, openAtEnd: 9, by: 'echo' }, /1 of 9 answered/],
  [
    'simultaneous',
    { asked: 9, failures: [], served: 9, openAtEnd: 7, closed: 'close code 4000', by: 'echo' },
    /2 were closed meanwhile: close code 4000/,
  ],
  ['invalid-messages', invalid, 'passed'],
  ['invalid-messages', { ...invalid, after: [] }, /stay usable.* \| no answer/],
  ['invalid-messages', { ...invalid, after: [], closeCode: 1011 }, /\| close code 1011/],
  ['invalid-messages', { ...invalid, rounds: [{ ...invalid.rounds[0], answer: null }] }, /\| no answer/],
  [
    'invalid-messages',
    { ...invalid, rounds: [{ ...invalid.rounds[0], code: 'INVALID_JSON' }] },
    /ERROR INVALID_JSON.*\| ERROR UNKNOWN_TYPE/,
  ],
  ['invalid-messages', { ...invalid, rounds: [{ ...invalid.rounds[0], id: 'y' }] }, /with its id \| id x/],
  ['invalid-messages', { ...invalid, rounds: [{ ...invalid.rounds[0], hint: 'PING' }] }, /hint at PING/],
  ['clean-close', { rounds: [{ sent: 1000, got: 1000, words: 'close code 1000' }] }, 'passed'],
  [
    'clean-close',
    { rounds: [{ sent: 1000, got: 1005, words: 'a close frame without a code (1005)' }] },
    'passed',
  ],
  [
    'clean-close',
    { rounds: [{ sent: 1000, got: 1006, words: 'TCP dropped without a close frame (1006)' }] },
    /without a close frame/,
  ],
  ['clean-close', { rounds: [{ sent: 1000, got: 1001, words: 'close code 1001' }] }, /close code 1001/],
  [
    'clean-close',
    { rounds: [{ sent: 1000, got: null, words: 'a connection that stays open' }] },
    /stays open/,
  ],
  ['bad-frame', { rounds: [{ name: 'RSV2', closeCode: 1002, ended: true }], refused: null }, 'passed'],
  [
    'bad-frame',
    { rounds: [{ name: 'RSV2', closeCode: null, ended: true }], refused: 'connection refused' },
    /goes on after RSV2 \| no further connection opens: connection refused/,
  ],
  ['bad-frame', { rounds: [{ name: 'RSV2', closeCode: null, ended: true }], refused: null }, 'passed'],
  ['bad-frame', { rounds: [{ name: 'RSV2', closeCode: null, ended: false }] }, /stayed open/],
  [
    'bad-frame',
    { rounds: [{ name: 'RSV2', closeCode: 1000, ended: true }] },
    /after RSV2 \| close code 1000/,
  ],
  ['message-too-large', large, 'passed'],
  ['message-too-large', { ...large, largestServed: null }, 'passed'],
  ['message-too-large', { ...large, closeCode: null, refusal: 'TOO_LARGE' }, 'passed'],
  ['message-too-large', { ...large, largestServed: false }, /9 bytes to be answered/],
  ['message-too-large', { ...large, closeCode: null }, /10 bytes \| .*stayed open/],
  ['message-too-large', { ...large, closeCode: 1006 }, /10 bytes \| TCP dropped without a close frame/],
  ['dashboard-connect', { refused: 'HTTP 401', exchange: null }, /to open.* \| HTTP 401/],
  [
    'dashboard-connect',
    {
      refused: null,
      exchange: exchange('DASHBOARD_CONNECT', ack('DASHBOARD_CONNECT', { sessionId: 's', agents: [] })),
    },
    'passed',
  ],
  [
    'dashboard-connect',
    { refused: null, exchange: exchange('DASHBOARD_CONNECT', ack('DASHBOARD_CONNECT', { sessionId: 's' })) },
    /list of agents/,
  ],
  ['agent-command', command, 'passed'],
  ['agent-command', { ...command, delivered: [] }, /COMMAND at the agent.*\| nothing/],
  ['agent-command', { ...command, delivered: [...command.delivered, ...command.delivered] }, /2 COMMANDs/],
  ['agent-command', { ...command, pushed: null }, /pushed to the dashboard \| nothing/],
  ['agent-command', { ...command, toStranger: command.command }, /an unknown agent \| ACK for COMMAND/],
  ['agent-command', { ...command, offline: false }, /AGENT_STATUS offline/],
  ['publish-subscribe', channel, 'passed'],
  ['publish-subscribe', { ...channel, live: [arrived(2), arrived(1), arrived(3)] }, /\| 2@2 1@1 3@3/],
  [
    'publish-subscribe',
    { ...channel, recovered: [arrived(4), arrived(5), arrived(5), arrived(6)] },
    /5@5 5@5/,
  ],
  ['publish-subscribe', { ...channel, repeated: published(6) }, /duplicate: true/],
  ['publish-subscribe', { ...channel, resumed: channel.lost }, /recovered: true/],
  ['publish-subscribe', { ...channel, gap: false }, /no GAP/],
  [
    'publish-subscribe',
    { ...channel, recovered: [{ ...arrived(4), payload: { epoch: 'f', offset: 4, data: { n: 4 } } }] },
    /MESSAGEs of epoch e \| epoch f/,
  ],
  ['typed-answers', typed, 'passed'],
  ['typed-answers', { ...typed, exchanges: [exchange('PING', pong, pong)] }, /\| 2 answers: PONG and PONG/],
  [
    'typed-answers',
    { ...typed, exchanges: [exchange('PING', ack('PING', {}))] },
    /one PONG.* \| ACK for PING/,
  ],
  [
    'typed-answers',
    { ...typed, exchanges: [exchange('UNSUBSCRIBE', { type: 'ACK', payload: {} })] },
    /ACK for UNSUBSCRIBE.* \| a bare ACK/,
  ],
  [
    'typed-answers',
    { ...typed, exchanges: [exchange('COMMAND', ack('COMMAND', { agentId: 'a' }))] },
    /without commandId/,
  ],
  ['typed-answers', { ...typed, toPong: [pong] }, /no answer to a PONG/],
  ['typed-answers', { ...typed, stray: [pong] }, /without a request/],
  ['server-ping', heartbeats, 'passed'],
  ['server-ping', { ...heartbeats, answering: { ...held, pings: 0 } }, /a PING within 1 s \| none/],
  ['server-ping', { ...heartbeats, answering: { ...held, closeCode: 4408 } }, /stay open \| close code 4408/],
  ['server-ping', { ...heartbeats, silent: { pings: 1, closeCode: null } }, /stayed open/],
  ['auth-missing', [refusal], 'passed'],
  ['auth-missing', [{ ...refusal, status: null, got: 'the connection was opened' }], /was opened/],
  ['auth-missing', [{ ...refusal, json: false }], /JSON body/],
  ['auth-expired', [refusal], 'passed'],
  ['auth-expired', [{ ...refusal, status: null, got: 'the connection was opened' }], /was opened/],
  ['auth-signature', [{ ...refusal, status: 403, got: 'HTTP 403' }], /HTTP 401.* \| HTTP 403/],
  ['auth-missing', [lax], 'passed'],
  ['auth-missing', [{ ...lax, status: 403 }], 'passed'],
  ['auth-missing', [{ ...lax, status: 404, got: 'HTTP 404' }], /401 or 403, .* \| HTTP 404/],
  ['auth-missing', [{ ...lax, status: null, joinRefused: true }], 'passed'],
  ...[1008, 3000, 4401, 4999].map(
    (closeCode): Row => ['auth-missing', [{ ...lax, status: null, closeCode }], 'passed'],
  ),
  ...[1000, 1006, 1011, 2999].map(
    (closeCode): Row => [
      'auth-missing',
      [{ ...lax, status: null, closeCode, got: 'it closed' }],
      /\| it closed/,
    ],
  ),
  ['auth-missing', [{ ...lax, status: null, got: 'the connection was opened' }], /was opened/],
  ['auth-subprotocol', offered, 'passed'],
  ['auth-subprotocol', { ...offered, offered: [], selected: '', subjects: null }, 'passed'],
  ['auth-subprotocol', { ...offered, refused: 'HTTP 401' }, /beside wsbench\.v1 to open \| HTTP 401/],
  ['auth-subprotocol', { ...offered, selected: null }, /real subprotocol.* \| the one that carries/],
  ['auth-subprotocol', { ...offered, selected: '' }, /wsbench\.v1 selected \| none/],
  ['auth-subprotocol', { ...offered, subjects: { token: 's', welcome: null } }, /WELCOME for nobody/],
  ['auth-subprotocol', { ...offered, subjects: { token: 's', welcome: 't' } }, /for another subject/],
  ['auth-refresh', refreshed, 'passed'],
  ['auth-refresh', { ...refreshed, announced: null }, 'passed'],
  ['auth-refresh', { ...refreshed, announced: false }, /a word before a token of 3 s ends \| nothing/],
  ['auth-refresh', { ...refreshed, foreign: 'ACK for AUTH' }, /FORBIDDEN.* \| ACK for AUTH/],
  ['auth-refresh', { ...refreshed, refused: 'no answer' }, /to be taken \| no answer/],
  ['auth-refresh', { ...refreshed, closed: 'close code 4401' }, /live on.* \| close code 4401/],
  ['auth-none', [refusal, { ...refusal, status: 500, got: 'HTTP 500' }], /\| HTTP 500/],
  [
    'auth-first-message',
    { good: exchange('AUTH', ack('AUTH', { sub: 's' })), sub: 's', bad: exchange('AUTH'), closeCode: 4401 },
    'passed',
  ],
  [
    'auth-first-message',
    { good: exchange('AUTH', ack('AUTH', { sub: 't' })), sub: 's', bad: exchange('AUTH'), closeCode: 4401 },
    /sub s \| sub t/,
  ],
  [
    'auth-first-message',
    { good: exchange('AUTH', ack('AUTH', { sub: 's' })), sub: 's', bad: exchange('AUTH'), closeCode: null },
    /4401.* \| no answer, the connection stayed open/,
  ],
  [
    'auth-role',
    { handshakes: [{ ...refusal, status: 403 }], requests: [exchange('COMMAND', error('FORBIDDEN'))] },
    'passed',
  ],
  [
    'auth-role',
    { handshakes: [{ ...refusal, status: 403 }], requests: [exchange('COMMAND', error('NOT_DELIVERED'))] },
    /FORBIDDEN for COMMAND.* \| ERROR NOT_DELIVERED/,
  ],
  ['auth-role', { handshakes: [refusal], requests: [] }, /HTTP 403/],
  ['rate-limit-messages', messages, 'passed'],
  ['rate-limit-messages', allowed, 'passed'],
  ['rate-limit-messages', { ...allowed, refused: 0, closed: { code: 1008, reason: 'slow down' } }, 'passed'],
  ['rate-limit-messages', { ...allowed, refused: 0, closed: { code: 1006, reason: '' } }, /\| TCP dropped/],
  ['rate-limit-messages', { ...allowed, refused: 0, closed: { code: 1011, reason: '' } }, /code 1011/],
  ['rate-limit-messages', { ...allowed, refused: 0, accepted: 30 }, /all 30 messages were accepted/],
  ['rate-limit-messages', { ...allowed, refused: 0 }, /10 were answered, 20 were dropped without a word/],
  ['rate-limit-messages', { ...allowed, refused: 0, accepted: null }, /30 messages were taken without/],
  ['rate-limit-messages', { ...messages, burst: { ...burst, accepted: 21 } }, /\| 21 of 25 accepted/],
  ['rate-limit-messages', { ...messages, burst: { ...burst, accepted: 19 } }, /\| 19 of 25 accepted/],
  // Two tokens come back in 100 ms.
  ['rate-limit-messages', { ...messages, burst: { ...burst, accepted: 22, tookMs: 100 } }, 'passed'],
  ['rate-limit-messages', { ...messages, burst: { ...burst, accepted: 23, tookMs: 100 } }, /23 of 25/],
  ['rate-limit-messages', { ...messages, notices: [] }, /RATE_LIMITED \| no ERROR/],
  ['rate-limit-messages', { ...messages, notices: [{ atMs: 3, retryAfterMs: 5 }] }, /about 1000.* \| 5/],
  ['rate-limit-messages', { ...messages, probes: [{ sentMs: 600, acceptedMs: 601 }] }, /after 601 ms/],
  // Answered when the penalty may be over: proves nothing.
  ['rate-limit-messages', { ...messages, probes: [{ sentMs: 990, acceptedMs: 1010 }] }, 'passed'],
  ['rate-limit-messages', { ...messages, after: false }, /accepted again.* \| still refused/],
  [
    'rate-limit-messages',
    { ...messages, notices: [...messages.notices, { atMs: 4, retryAfterMs: 999 }] },
    /at most one ERROR RATE_LIMITED a second/,
  ],
  ['rate-limit-reconnect', reconnect, 'passed'],
  ['rate-limit-reconnect', { ...reconnect, accepted: 40 }, /at most 21 .* \| 40/],
  ['rate-limit-reconnect', { ...reconnect, thirdAcceptedMs: 100 }, /accepted 100 ms after/],
  ['rate-limit-reconnect', { ...reconnect, refused: false, thirdAcceptedMs: 100 }, 'passed'],
  ['rate-limit-flood', { sent: 240, closeCode: 4429 }, 'passed'],
  ['rate-limit-flood', { sent: 240, closeCode: null }, /4429 .* \| the connection stayed open/],
  ['rate-limit-http', { served: 5, refusal: { status: 429, retryAfter: '1' }, afterwards: 200 }, 'passed'],
  ['rate-limit-http', { served: 1500, refusal: null, afterwards: null }, /1500 requests in a row/],
  ['rate-limit-http', { served: 5, refusal: { status: 503, retryAfter: '1' }, afterwards: 200 }, /HTTP 503/],
  ['rate-limit-http', { served: 5, refusal: { status: 429, retryAfter: null }, afterwards: null }, /missing/],
  [
    'rate-limit-http',
    { served: 5, refusal: { status: 429, retryAfter: '1' }, afterwards: 429 },
    /HTTP 200 after/,
  ],
  [
    'rate-limit-upgrade',
    { limits: 'test', attempts: 42, statuses: { 401: 20, 429: 22 }, retryAfter: '1' },
    'passed',
  ],
  [
    'rate-limit-upgrade',
    { limits: 'test', attempts: 42, statuses: { 401: 42 }, retryAfter: null },
    /\| 42 × HTTP 401/,
  ],
  [
    'rate-limit-upgrade',
    { limits: 'test', attempts: 42, statuses: { 401: 20, 429: 22 }, retryAfter: '0.5' },
    /Retry-After 0\.5/,
  ],
];

for (const [index, [id, evidence, verdict]] of rows.entries()) {
  test(`${id}, row ${index + 1}: ${verdict}`, () => {
    const check = allChecks.find((one) => one.id === id);
    assert.ok(check, `no check ${id}`);
    const finding = check.judge(evidence);
    if (verdict === 'passed') {
      assert.equal(finding.status, 'passed', JSON.stringify(finding));
    } else {
      assert.equal(finding.status, 'failed', JSON.stringify(finding));
      if (finding.status === 'failed') assert.match(`${finding.expected} | ${finding.got}`, verdict);
    }
  });
}

test('every check is judged both ways', () => {
  for (const { id } of allChecks) {
    const verdicts = rows.filter(([check]) => check === id).map(([, , verdict]) => verdict);
    assert.ok(
      verdicts.some((verdict) => verdict !== 'passed'),
      `${id} never fails`,
    );
  }
});
