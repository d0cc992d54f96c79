// What our parser calls the breach of a rule, in the words that runs say it in, whichever driver carries them.
import { describeViolation, violationOf } from '../../cause/violation.ts';
import type { RuleId, Violation } from '../../protocol/rules.ts';

// The words of a run go by the errors of the ws package, which it is told of by the other driver.
const errors: Partial<Record<RuleId, string>> = {
  'mask-from-server': 'WS_ERR_UNEXPECTED_MASK',
  'control-fragmented': 'WS_ERR_EXPECTED_FIN',
  'control-too-long': 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
  'close-utf8': 'WS_ERR_INVALID_UTF8',
  utf8: 'WS_ERR_INVALID_UTF8',
  'length-top-bit': 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
  'too-large': 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  'too-many-fragments': 'WS_ERR_TOO_MANY_BUFFERED_PARTS',
};

/** A violation in words, and the close code that answers it. */
export function violationWords(broken: Violation, deflates: boolean): { detail: string; closeCode: number } {
  const { rule, reason, section } = broken;
  const seen = /\(([^)]*)\)$/.exec(reason)?.[1] ?? '';
  const known = violationOf(errorOf(rule, seen, broken.saidCode, deflates));
  const violation = known ?? { what: `${reason} (${section})`, closeCode: broken.closeCode };
  return { detail: describeViolation(violation), closeCode: violation.closeCode };
}

/** The error that ws makes of it; undefined: it makes none, or says something else. */
function errorOf(
  rule: RuleId,
  seen: string,
  saidCode: number | undefined,
  deflates: boolean,
): { code: string; message: string } | undefined {
  switch (rule) {
    case 'opcode':
      return { code: 'WS_ERR_INVALID_OPCODE', message: `${Number(seen)}` };
    case 'continuation-without-start':
      return { code: 'WS_ERR_INVALID_OPCODE', message: '0' };
    case 'message-within-message':
      return { code: 'WS_ERR_INVALID_OPCODE', message: '1' };
    case 'close-length':
      return { code: 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', message: 'payload length 1' };
    case 'close-code':
      return { code: 'WS_ERR_INVALID_CLOSE_CODE', message: `${saidCode ?? ''}` };
    case 'rsv': {
      if (deflates) return undefined;
      const first = seen === 'RSV1';
      return { code: first ? 'WS_ERR_UNEXPECTED_RSV_1' : 'WS_ERR_UNEXPECTED_RSV_2_3', message: '' };
    }
    default: {
      const code = errors[rule];
      return code === undefined ? undefined : { code, message: '' };
    }
  }
}
