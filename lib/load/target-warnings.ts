// What is to be said of a target that no threshold says: violations, silence, replies that are too many or misplaced, closes.
import { failureRecords } from '../result/failure-groups.ts';
import type { Warning } from '../result/result.ts';
import type { Share } from './share.ts';

/**
 * Warnings about what the target did, for the end of a run.
 *
 * @param echoes whether its replies should come in the order of the requests
 */
export function targetWarnings(share: Share, echoes: boolean): Warning[] {
  const warnings: Warning[] = [];
  const { counters, crossed, unansweredCloses } = share;
  const { asked, withoutPong, mute, muteMs } = share.silence;
  const violations = failureRecords(share.violations);
  for (const { detail, count } of violations.slice(0, 3)) {
    warnings.push({
      code: 'protocol',
      message: `protocol violation by the target, ${count} times: ${detail}`,
    });
  }
  if (mute > 0) {
    const message =
      `${mute} of ${asked} connections are open and silent: no message and no pong for ${(muteMs / 1000).toFixed(1)} s or more. ` +
      'Half-open: the target hangs, or a proxy or firewall drops what is sent';
    warnings.push({ code: 'half-open', message });
  } else if (withoutPong > 0) {
    const message =
      `${withoutPong} of ${asked} connections got no pong to our pings, which must be answered with the same payload ` +
      '(RFC 6455 §5.5.2, §5.5.3)';
    warnings.push({ code: 'no-pong', message });
  }
  const { 'messages.duplicate': duplicate, 'messages.reordered': reordered } = counters;
  if (duplicate > 0) {
    const message = `${counted(duplicate, 'reply', 'replies')} came to messages that were answered already`;
    warnings.push({ code: 'duplicate', message });
  }
  // Who answers by id may answer in any order; an echo that overtakes another is a fault.
  if (echoes && reordered > 0) {
    const message = `${counted(reordered, 'echo', 'echoes')} came back in another order than sent`;
    warnings.push({ code: 'reordered', message });
  }
  if (crossed > 0) {
    const message =
      `${crossed} messages answered requests of other connections: does the target mix connections up, ` +
      'or send everything to everyone?';
    warnings.push({ code: 'crossed', message });
  }
  // Who is silent does not answer this either, and that is said already.
  const unanswered = unansweredCloses - mute;
  if (unanswered > 0) {
    const message =
      `${counted(unanswered, 'connection', 'connections')} got no close frame back at the end of the run (RFC 6455 §5.5.1): ` +
      'the target dropped TCP instead, or took longer than 2 s';
    warnings.push({ code: 'unanswered-close', message });
  }
  return warnings;
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;
