// What reaches the log: one line an event, without control characters, and never more of a kind than anybody reads.
import { messageOf } from '../lib/errors.ts';
import type { Clock } from './clock.ts';
import type { LogEntry } from './options.ts';

const windowMs = 1000;
const maxLength = 256;
/** Kinds that are told apart within a window; more of them count as one. */
const maxKinds = 64;

/** Passes on at most `maxLines` entries of a kind (level and message) a second, and then how many it left out. */
export function sampledLog(
  log: (entry: LogEntry) => void,
  maxLines: number,
  clock: Clock,
): (entry: LogEntry) => void {
  const seen = new Map<string, { entry: LogEntry; count: number }>();
  let stopTimer: (() => void) | undefined;
  let windowEndsMs = Number.NEGATIVE_INFINITY;
  const endWindow = (): void => {
    stopTimer?.();
    stopTimer = undefined;
    for (const { entry, count } of seen.values()) {
      const left = count - maxLines;
      if (left > 0)
        log({ level: entry.level, message: oneLine(`${entry.message} (${left} more within 1 s)`) });
    }
    seen.clear();
  };
  return (entry) => {
    const nowMs = clock.nowMs();
    if (nowMs >= windowEndsMs) {
      endWindow();
      windowEndsMs = nowMs + windowMs;
    }
    const own = `${entry.level} ${entry.message}`;
    const kind = seen.has(own) || seen.size < maxKinds ? own : `${entry.level} of another kind`;
    const known = seen.get(kind) ?? { entry, count: 0 };
    known.count += 1;
    seen.set(kind, known);
    if (known.count <= maxLines) {
      const reason = entry.error === undefined ? '' : `: ${messageOf(entry.error)}`;
      log({ ...entry, message: oneLine(entry.message + reason) });
    } else {
      stopTimer ??= clock.schedule(windowEndsMs - nowMs, endWindow);
    }
  };
}

/** At most 256 characters, and none that moves a cursor, ends a line or turns the direction of writing. */
function oneLine(text: string): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
  return cut.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\u{${code}}`;
  });
}
