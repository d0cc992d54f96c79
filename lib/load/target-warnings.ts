// What is to be said of a target that no counter says: violations, silence, replies on the wrong connection.
import type { Warning } from '../result/result.ts';
import type { Lane } from './lane.ts';
import type { Rig } from './rig.ts';

/** Connections that were open and asked, and did not answer. */
export interface Silence {
  /** Connections that were open, and pinged at least once a while ago. */
  asked: number;
  /** Those without any pong. */
  withoutPong: number;
  /** Those that said nothing at all any more: neither message nor pong. */
  mute: number;
  /** How long those have been silent at least, in ms. */
  muteMs: number;
}

// A pong that is under way says nothing yet.
const patienceUs = 250_000;

/** Looks at the connections that are open at the end of a run. */
export function silenceOf(lanes: readonly Lane[], atUs: number): Silence {
  const asked = lanes.filter(
    (lane) => lane.isOpen && atUs - lane.pingedUs >= patienceUs && lane.pingedUs > 0,
  );
  const lastUs = (lane: Lane): number => Math.max(lane.receivedUs, lane.pongedUs, lane.openedUs);
  // Silent since before the last thing that was sent to it.
  const mute = asked.filter((lane) => lastUs(lane) < Math.min(lane.flushedUs, lane.pingedUs));
  return {
    asked: asked.length,
    withoutPong: asked.filter((lane) => lane.pongedUs === 0).length,
    mute: mute.length,
    muteMs: mute.reduce(
      (least, lane) => Math.min(least, (atUs - lastUs(lane)) / 1000),
      Number.POSITIVE_INFINITY,
    ),
  };
}

/** Warnings about what the target did, for the end of a run. */
export function targetWarnings({ fleet, traffic }: Rig, silence: Silence): Warning[] {
  const warnings: Warning[] = [];
  const { asked, withoutPong, mute, muteMs } = silence;
  const violations = fleet.violations.records;
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
  if (traffic.crossed > 0) {
    const message =
      `${traffic.crossed} messages answered requests of other connections: does the target mix connections up, ` +
      'or send everything to everyone?';
    warnings.push({ code: 'crossed', message });
  }
  return warnings;
}
