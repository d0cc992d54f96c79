// Connections that read slowly, so that what the target sends them piles up there.
import type { Lane } from './lane.ts';

/** What a slow consumer takes in a second in the long run. It reads all that has arrived, up to 64 KiB, and pauses as long as that is worth. */
export const slowBytesPerSecond = 16 * 1024;

/** Whether the connection with a number in the run is one of the share that reads slowly: spread evenly, and never the first. Pure. */
export function isSlow(number: number, share: number): boolean {
  return slowAmong(number + 1, share) > slowAmong(number, share);
}

/** How many of the first `connections` read slowly. */
export function slowAmong(connections: number, share: number): number {
  // Rounding must not make 28 of 29 % of 100.
  return Math.floor(connections * share + 1e-9);
}

/** Pauses connections that have read, and lets them go on later. */
export class SlowReading {
  readonly #paused = new Map<Lane, number>();

  /** A connection has read so many bytes. */
  read(lane: Lane, bytes: number, atUs: number): void {
    const resumeUs = this.#paused.get(lane);
    if (resumeUs === undefined) lane.pause();
    // The rest of what it had read at once comes although it is paused.
    this.#paused.set(lane, (resumeUs ?? atUs) + (bytes * 1e6) / slowBytesPerSecond);
  }

  /** Lets those read again whose pause is over. */
  tick(atUs: number): void {
    for (const [lane, resumeUs] of this.#paused) {
      if (resumeUs > atUs) continue;
      this.#paused.delete(lane);
      lane.resume();
    }
  }

  /** A connection is over. */
  forget(lane: Lane): void {
    this.#paused.delete(lane);
  }
}
