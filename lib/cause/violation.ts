// What a target did that RFC 6455 forbids, from the error that the ws package makes of it.

/** A protocol violation of the target. */
export interface Violation {
  /** In words, with the section of the RFC: `masked frame from the server (RFC 6455 §5.1)`. */
  what: string;
  /** The close code that it was answered with. RFC 6455 §7.4.1 */
  closeCode: number;
}

/** A target that pings faster than its pings can be answered. RFC 6455 allows it, and that one defends oneself. */
export const pingFlood =
  'flood of pings: more came than pongs could be sent (RFC 6455 §10.4), answered by dropping the connection';

type Words = (message: string) => [what: string, section: string];

const known: Record<string, { closeCode: number; words: Words }> = {
  WS_ERR_UNEXPECTED_MASK: { closeCode: 1002, words: () => ['masked frame from the server', '5.1'] },
  WS_ERR_UNEXPECTED_RSV_1: {
    closeCode: 1002,
    words: () => ['frame with RSV1 set, though no extension was negotiated', '5.2'],
  },
  WS_ERR_UNEXPECTED_RSV_2_3: {
    closeCode: 1002,
    words: () => ['frame with RSV2 or RSV3 set, though no extension was negotiated', '5.2'],
  },
  WS_ERR_INVALID_OPCODE: { closeCode: 1002, words: opcodeWords },
  WS_ERR_EXPECTED_FIN: { closeCode: 1002, words: () => ['fragmented control frame', '5.5'] },
  WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH: {
    closeCode: 1002,
    words: (message) =>
      / 1$/.test(message)
        ? ['close frame with a payload of 1 byte', '5.5.1']
        : ['control frame with a payload of more than 125 bytes', '5.5'],
  },
  WS_ERR_INVALID_CLOSE_CODE: {
    closeCode: 1002,
    words: (message) => [
      `close frame with the code ${/\d+$/.exec(message)?.[0] ?? '(any)'}, which may not be sent`,
      '7.4',
    ],
  },
  WS_ERR_INVALID_UTF8: {
    closeCode: 1007,
    words: () => ['invalid UTF-8 in a text message or close reason', '8.1'],
  },
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: {
    closeCode: 1009,
    words: () => ['frame with a length of 2^53 bytes or more', '5.2'],
  },
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: {
    closeCode: 1009,
    words: () => ['message longer than wsbench takes', '10.4'],
  },
  WS_ERR_TOO_MANY_BUFFERED_PARTS: {
    closeCode: 1008,
    words: () => ['message in more fragments than wsbench takes', '10.4'],
  },
};

/** The errors that are violations, by their codes. */
export const knownErrors: readonly string[] = Object.keys(known);

/** The violation that an error of an open WebSocket stands for; undefined: it is no violation, but a broken connection. */
export function violationOf(error: unknown): Violation | undefined {
  const { code, message = '' } = (error ?? {}) as { code?: unknown; message?: string };
  if (typeof code !== 'string' || !code.startsWith('WS_ERR_')) return undefined;
  const { closeCode, words } = known[code] ?? { closeCode: 1002, words: () => [message, '7.1.7'] };
  const [what, section] = words(message);
  return { what: `${what} (RFC 6455 §${section})`, closeCode };
}

/** A violation, and how it was answered: `masked frame from the server (RFC 6455 §5.1), answered with close code 1002`. */
export function describeViolation({ what, closeCode }: Violation): string {
  return `${what}, answered with close code ${closeCode}`;
}

function opcodeWords(message: string): [string, string] {
  const opcode = Number(/\d+$/.exec(message)?.[0] ?? Number.NaN);
  if (opcode === 0) return ['continuation frame without a message to continue', '5.4'];
  if (opcode === 1 || opcode === 2) return ['new message before the last fragment of another', '5.4'];
  if (Number.isNaN(opcode)) return ['frame with a reserved opcode', '5.2'];
  return [`frame with the reserved opcode 0x${opcode.toString(16)}`, '5.2'];
}
