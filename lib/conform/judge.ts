// From what was seen to the two verdicts. Pure.
import type { Behavior, CloseBehavior } from '../result/result.ts';
import { bytesOf, lengthOf } from './bytes.ts';
import type { Case, ExpectedEvent, Role } from './case.ts';
import type { Strictness } from './plan.ts';
import type { Seen, SeenEvent, SeenLoad } from './seen.ts';

/** A case's verdict. */
export interface Judgement {
  behavior: Behavior;
  behaviorClose: CloseBehavior;
  /** The rule by which it is otherwise than Autobahn's would be. */
  rule?: string;
}

/**
 * Judges a run of a case.
 *
 * `autobahn` gives what Autobahn|Testsuite gives for the same events. `rfc` takes less: an answer to the handshake that does
 * not keep to what was offered (RFC 7692 §7.1), and large messages that come back with other content.
 *
 * @param role which end was tested: servers alone are expected to end TCP first (RFC 6455 §7.1.1)
 */
export function judge(
  testCase: Pick<Case, 'expect' | 'close' | 'rules' | 'load'>,
  seen: Seen,
  strictness: Strictness = 'autobahn',
  role: Role = 'tests-server',
): Judgement {
  const rules = testCase.rules ?? [];
  if (rules.includes('informational')) {
    return { behavior: 'INFORMATIONAL', behaviorClose: 'INFORMATIONAL', ...ruleOf(seen.rules[0]) };
  }
  if (seen.notOpened !== null) return { behavior: 'FAILED', behaviorClose: 'FAILED' };
  if (strictness === 'rfc' && seen.dishonoured !== null) {
    return { behavior: 'FAILED', behaviorClose: 'FAILED', rule: `RFC 7692 §7.1: ${seen.dishonoured}` };
  }
  const behaviorClose = closeBehavior(testCase.close, seen, role);
  const behavior = testCase.load ? loadBehavior(seen.load) : scriptBehavior(testCase.expect, seen.events);
  const otherContent = strictness === 'rfc' ? (seen.load?.otherContent ?? null) : null;
  if (otherContent !== null) {
    return { behavior: 'FAILED', behaviorClose, rule: `RFC 6455 §5.6: ${otherContent}` };
  }
  const isWrongSide = rules.includes('wrong-side-fails') && closer(seen) !== testCase.close.by;
  const isWrongCode = rules.includes('wrong-code-fails') && behaviorClose === 'WRONG CODE';
  return {
    behavior: isWrongSide || isWrongCode ? 'FAILED' : behavior,
    behaviorClose,
    ...ruleOf(seen.rules[0]),
  };
}

const ruleOf = (rule: string | undefined): Pick<Judgement, 'rule'> => (rule === undefined ? {} : { rule });

const closer = (seen: Seen): 'us' | 'peer' => (seen.closedByUs ? 'us' : 'peer');

function closeBehavior(expected: Case['close'], seen: Seen, role: Role): CloseBehavior {
  if (closer(seen) !== expected.by) return 'FAILED';
  if (expected.clean && !seen.clean) return 'UNCLEAN';
  // A close frame without a code is right, and so is none at all.
  if (seen.remoteCloseCode !== null && !expected.codes.includes(seen.remoteCloseCode)) return 'WRONG CODE';
  if (role === 'tests-server' && seen.droppedByUs) return 'FAILED BY CLIENT';
  return 'OK';
}

function loadBehavior(load: SeenLoad | null): Behavior {
  if (load?.declined) return 'UNIMPLEMENTED';
  return load !== null && load.right >= load.wanted ? 'OK' : 'FAILED';
}

function scriptBehavior(expect: Case['expect'], events: readonly SeenEvent[]): Behavior {
  if (areAsExpected(expect.OK, events)) return 'OK';
  const other = expect['NON-STRICT'];
  return other && areAsExpected(other, events) ? 'NON-STRICT' : 'FAILED';
}

/** Whether events are exactly those that were expected: as many, in the same order, with the same bytes. */
export function areAsExpected(expected: readonly ExpectedEvent[], events: readonly SeenEvent[]): boolean {
  return (
    expected.length === events.length &&
    expected.every((wanted, index) => isAsExpected(wanted, events[index] as SeenEvent))
  );
}

function isAsExpected(wanted: ExpectedEvent, event: SeenEvent): boolean {
  if (wanted.event === 'timeout') return event.event === 'timeout' && event.tag === wanted.tag;
  if (event.event === 'timeout' || event.event !== wanted.event) return false;
  if (wanted.event === 'message' && event.event === 'message' && wanted.binary !== event.binary) return false;
  return event.payload.length === lengthOf(wanted.payload) && bytesOf(wanted.payload).equals(event.payload);
}
