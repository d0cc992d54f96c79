// Connections that are open and say nothing.
import { never } from './clock.ts';
import type { Lane } from './lane.ts';

/** Connections that were open and asked, and did not answer. */
export interface Silence {
  /** Connections that were open, and pinged at least once a while ago. */
  asked: number;
  /** Those without any pong. */
  withoutPong: number;
  /** Those that said nothing at all any more: neither message nor pong. */
  mute: number;
  /** How long those have been silent at least, in ms; infinite: there are none. */
  muteMs: number;
}

/** Nobody was asked. */
export const noSilence: Silence = {
  asked: 0,
  withoutPong: 0,
  mute: 0,
  muteMs: Number.POSITIVE_INFINITY,
};

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
    withoutPong: asked.filter((lane) => lane.pongedUs === never).length,
    mute: mute.length,
    muteMs: mute.reduce(
      (least, lane) => Math.min(least, (atUs - lastUs(lane)) / 1000),
      Number.POSITIVE_INFINITY,
    ),
  };
}
