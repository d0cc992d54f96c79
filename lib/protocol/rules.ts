// Every rule that a receiver can catch its peer breaking, with the close code that answers it.

/** A rule of RFC 6455 or RFC 7692 that can be broken by bytes. */
export interface Rule {
  /** Where it stands. */
  section: string;
  /** The close code for a peer that breaks it. RFC 6455 §7.4.1 */
  closeCode: number;
  /** What the peer did, in words. */
  reason: string;
}

/** All rules, by stable id. */
export const rules = {
  rsv: {
    section: 'RFC 6455 §5.2',
    closeCode: 1002,
    reason: 'a reserved bit that no extension gave a meaning',
  },
  opcode: { section: 'RFC 6455 §5.2', closeCode: 1002, reason: 'a reserved opcode' },
  'mask-from-server': { section: 'RFC 6455 §5.1', closeCode: 1002, reason: 'a masked frame from the server' },
  'no-mask-from-client': {
    section: 'RFC 6455 §5.1',
    closeCode: 1002,
    reason: 'a frame without a mask from the client',
  },
  'length-not-minimal': {
    section: 'RFC 6455 §5.2',
    closeCode: 1002,
    reason: 'a length that was not written in the fewest bytes',
  },
  'length-top-bit': {
    section: 'RFC 6455 §5.2',
    closeCode: 1002,
    reason: 'a 64-bit length with its top bit set',
  },
  'control-fragmented': { section: 'RFC 6455 §5.5', closeCode: 1002, reason: 'a fragmented control frame' },
  'control-too-long': {
    section: 'RFC 6455 §5.5',
    closeCode: 1002,
    reason: 'a control frame of more than 125 bytes',
  },
  'continuation-without-start': {
    section: 'RFC 6455 §5.4',
    closeCode: 1002,
    reason: 'a continuation frame without a message to continue',
  },
  'message-within-message': {
    section: 'RFC 6455 §5.4',
    closeCode: 1002,
    reason: 'a new message before the last one was finished',
  },
  utf8: { section: 'RFC 6455 §8.1', closeCode: 1007, reason: 'text that is not UTF-8' },
  'close-length': {
    section: 'RFC 6455 §5.5.1',
    closeCode: 1002,
    reason: 'a close frame with a body of one byte',
  },
  'close-code': { section: 'RFC 6455 §7.4', closeCode: 1002, reason: 'a close code that must not be sent' },
  'close-utf8': { section: 'RFC 6455 §5.5.1', closeCode: 1007, reason: 'a close reason that is not UTF-8' },
  'too-large': {
    section: 'RFC 6455 §7.4.1',
    closeCode: 1009,
    reason: 'a message that is larger than allowed',
  },
  'too-many-fragments': {
    section: 'RFC 6455 §10.4',
    closeCode: 1008,
    reason: 'a message of more fragments than allowed',
  },
  'rsv1-continuation': {
    section: 'RFC 7692 §6.1',
    closeCode: 1002,
    reason: 'the compression bit on a frame other than the first of a message',
  },
  inflate: {
    section: 'RFC 7692 §7.2.2',
    closeCode: 1007,
    reason: 'a compressed message that cannot be inflated',
  },
} as const satisfies Record<string, Rule>;

export type RuleId = keyof typeof rules;

/** A peer's breach of a rule: what a parser yields instead of throwing. */
export interface Violation extends Rule {
  rule: RuleId;
  /** The code that the peer's close frame said, where that is what was wrong. */
  saidCode?: number;
}

/** The breach of a rule, with what was seen if that says more. */
export function violation(rule: RuleId, seen?: string): Violation {
  const { section, closeCode, reason } = rules[rule];
  return { rule, section, closeCode, reason: seen === undefined ? reason : `${reason} (${seen})` };
}
