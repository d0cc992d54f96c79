// Servers with one fault each: the cases that are about it fail, and no others.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lengthOf } from '../../lib/conform/bytes.ts';
import type { Case } from '../../lib/conform/case.ts';
import { allCases } from '../../lib/conform/cases.ts';
import type { Strictness } from '../../lib/conform/plan.ts';
import { failsRun } from '../../lib/result/verdicts.ts';
import type { Fault } from '../fixtures/server-faulty.ts';
import { startFaultyServer } from '../fixtures/server-process.ts';
import { idsOf, runCases, verdictsOf } from './run-cases.ts';

type Which = (testCase: Case) => boolean;

/** Those that are only told never fail. */
const isJudged: Which = ({ rules = [] }) => !rules.includes('informational');
const every: Which = () => true;
const none: Which = () => false;
const named = (...patterns: string[]): Which => {
  const ids = new Set(idsOf(...patterns));
  return ({ id }) => ids.has(id);
};
const isScript: Which = ({ load }) => !load;
const isDeflate: Which = ({ load }) => load?.kind === 'deflate';
const wantsMessage: Which = ({ expect }) => expect.OK.some(({ event }) => event === 'message');
const wantsPong: Which = ({ expect }) => expect.OK.some(({ event }) => event === 'pong');
const mayStaySilent: Which = ({ expect }) => expect['NON-STRICT']?.length === 0;
const weClose: Which = ({ close }) => close.by === 'us';
const isClean: Which = ({ close }) => close.clean;
const isBadText: Which = ({ close }) => close.by === 'peer' && close.codes.includes(1007);
/** Whether a message that must come back is of a length. */
const wantsLength =
  (fits: (length: number) => boolean): Which =>
  ({ expect, load }) =>
    expect.OK.some((event) => event.event === 'message' && fits(lengthOf(event.payload))) ||
    (load !== undefined && fits(load.kind === 'deflate' ? load.size : lengthOf(load.payload)));
const all =
  (...parts: Which[]): Which =>
  (testCase) =>
    parts.every((part) => part(testCase));
const any =
  (...parts: Which[]): Which =>
  (testCase) =>
    parts.some((part) => part(testCase));
const not =
  (part: Which): Which =>
  (testCase) =>
    !part(testCase);

/** Some of each kind; all of sections 1 to 7 and 10 in the long tests. */
const isLong = process.env.WSBENCH_TEST_LONG !== undefined;
const few = named(
  ...['1.1.1', '1.1.2', '1.1.7', '1.2.2', '1.2.7', '2', '3', '4.1.1', '4.1.3', '4.2.2', '4.2.5', '5'],
  ...['6.1.2', '6.2.3', '6.3.1', '6.4.1', '6.4.3', '6.5.1', '6.6.1', '6.6.2', '6.12.1', '6.14.7', '6.23.1'],
  ...['7.1', '7.3', '7.5', '7.7.1', '7.7.5', '7.9.1', '7.9.5', '7.13', '10'],
);
const scripts = isLong ? named('1', '2', '3', '4', '5', '6', '7', '10') : few;
const someLoads = named('9.1.1', '9.1.2', '9.3.4', '9.3.9', '9.4.6', '9.7.2', '9.8.5');
const someDeflate = named(
  ...['12.1', '13.1', '13.2', '13.3', '13.4', '13.5', '13.6', '13.7'].flatMap((group) => [
    `${group}.3`,
    `${group}.10`,
    `${group}.12`,
  ]),
);
const some = any(scripts, someLoads, someDeflate);

/** What fails, of what is run. */
const faults: Record<Fault, { fails: Which; of?: Which; strictness?: Strictness }> = {
  none: { fails: none },
  'no-utf8-check': { fails: isBadText },
  'late-utf8': { fails: none },
  'wrong-type': { fails: any(wantsMessage, not(isScript)), of: some },
  'empty-pong': {
    fails: ({ expect }) => expect.OK.some((event) => event.event === 'pong' && lengthOf(event.payload) > 0),
  },
  'no-pong': { fails: wantsPong },
  'late-pong': { fails: all(wantsPong, wantsMessage) },
  'long-pings': { fails: named('2.5', '7.3.6') },
  // The second fragment of a pong is a continuation of nothing, for which it fails the connection.
  'fragmented-pings': { fails: named('5.1') },
  // No fault: Autobahn's client writes its pong into the frame that it is sending.
  'server-ping': { fails: named('6.4.3', '6.4.4') },
  // A close is a close, whatever its reserved bits.
  'rsv-ignored': { fails: all(named('3'), not(named('3.7'))) },
  'reserved-opcode-ignored': { fails: named('4') },
  'masked-replies': { fails: every, of: some },
  'non-minimal-lengths': { fails: wantsLength((length) => length < 126), of: any(scripts, someLoads) },
  'stray-continuation': { fails: named('5.9', '5.10', '5.11', '5.17') },
  'nested-message': { fails: named('5.18') },
  bytewise: { fails: none },
  'wrong-fail-code': { fails: not(isClean) },
  'no-tcp-close': { fails: every, of: some },
  // One byte too many is a broken rule, for which it fails the connection as it should.
  'no-close-reply': { fails: all(weClose, not(named('7.3.6'))) },
  'drop-on-close': { fails: isClean },
  'any-close-code': { fails: named('7.3.2', '7.5.1', '7.9') },
  'close-invalid-code': { fails: isClean },
  'close-1013': { fails: not(isClean) },
  // Elsewhere it depends on what is left of a frame for which it failed the connection.
  'echo-after-close': { fails: named('7.1.3', '7.1.4', '7.1.5'), of: named('1', '2', '7') },
  'bare-drop': { fails: none },
  // Where it should fail the connection it does, and its second close frame is the one that counts.
  'close-at-open': { fails: all(any(weClose, named('6.4')), not(named('7.3.6'))) },
  // Autobahn's loads take what comes twice for two answers, but where each message is another.
  'echo-twice': { fails: any(wantsMessage, isDeflate), of: some },
  'echo-cut': { fails: wantsLength((length) => length > 65_536), of: some },
  mute: {
    fails: any(all(wantsMessage, not(mayStaySilent)), not(isScript)),
    of: any(scripts, named('9.1.1', '9.7.2', '12.1.3')),
  },
  greeting: { fails: every },
  // Of large messages Autobahn looks at type and length alone.
  'other-content': {
    fails: any(
      all(
        wantsMessage,
        wantsLength((length) => length > 0),
      ),
      isDeflate,
    ),
    of: some,
  },
  'fragment-limit': { fails: named('9.3.1', '9.3.2', '9.3.3', '9.3.4'), of: any(scripts, someLoads) },
  'bad-accept': { fails: every, of: some },
  'unasked-extension': { fails: every, of: some },
  'no-deflate': { fails: none, of: someDeflate },
  // zlib sees what is too far back only beyond its output so far: small messages without context pass.
  'deflate-window': { fails: named('13.3', '13.5.10', '13.7.10'), of: someDeflate },
  'deflate-context': { fails: named('13.2', '13.5', '13.6', '13.7'), of: someDeflate },
  'deflate-tail': { fails: named('12', '13.1', '13.3', '13.4'), of: someDeflate },
  'deflate-unasked-parameter': { fails: isDeflate, of: any(few, someDeflate) },
  'deflate-ignores-offer': { fails: none, of: someDeflate },
};

/** The same servers, judged by the RFCs: what then fails. */
const byRfc: Partial<Record<Fault, { fails: Which; of: Which }>> = {
  none: { fails: none, of: some },
  'server-ping': { fails: none, of: few },
  'other-content': {
    fails: any(
      all(
        wantsMessage,
        wantsLength((length) => length > 0),
      ),
      not(isScript),
    ),
    of: any(few, someLoads, someDeflate),
  },
  'deflate-ignores-offer': { fails: named('13.2', '13.3', '13.4', '13.5', '13.6'), of: someDeflate },
};

async function check(
  t: Parameters<typeof startFaultyServer>[0],
  fault: Fault,
  row: { fails: Which; of?: Which },
  strictness: Strictness,
): Promise<void> {
  const { url } = await startFaultyServer(t, fault);
  const cases = allCases.filter(row.of ?? scripts);
  const expected = cases.filter(all(isJudged, row.fails)).map(({ id }) => id);
  // Loads take their time on a busy machine; scripts that mostly wait can be hurried.
  const timeScale = cases.some(({ load }) => load) ? 1 : 0.6;
  const ids = cases.map(({ id }) => id);
  for (let attempt = 1; ; attempt++) {
    const result = await runCases(url, ids, { strictness, messages: 40, timeScale });
    const failed = verdictsOf(result).filter((verdict) => failsRun(verdict, 'unclean'));
    const failedIds = failed.map(({ caseId }) => caseId);
    // A server that the machine holds up for a second fails cases that it does not fail: thrice in a row is its own doing.
    if (attempt < 3 && failedIds.join() !== expected.join()) continue;
    assert.deepEqual(failedIds, expected);
    assert.equal(verdictsOf(result).length, cases.length);
    for (const { expected: wanted, got, wire, reproduce } of failed)
      assert.ok(wanted && got && wire && reproduce);
    return;
  }
}

describe('one fault each', { concurrency: 4 }, () => {
  for (const [fault, row] of Object.entries(faults) as [Fault, (typeof faults)[Fault]][]) {
    test(`${fault}`, { timeout: 280_000 }, (t) => check(t, fault, row, 'autobahn'));
  }
  for (const [fault, row] of Object.entries(byRfc) as [Fault, { fails: Which; of: Which }][]) {
    test(`${fault}, by the RFCs`, { timeout: 280_000 }, (t) => check(t, fault, row, 'rfc'));
  }
});
