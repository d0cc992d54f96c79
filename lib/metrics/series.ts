// The shape of the per-second series in a result. Who fills it is the load engine's business.

/**
 * One second of the schedule: what became of the messages that were *due* in it.
 * `second` counts from the start of the measure phase. Times in ms; null as in {@link TimeStats}.
 */
export interface DueSecond {
  second: number;
  matched: number;
  rejected: number;
  lost: number;
  unsent: number;
  p50: number | null;
  p99: number | null;
  max: number | null;
  /** HdrHistogram V2 payload of this second's round trips, in µs; absent when there were none. */
  hdr?: string;
}

/** One second of the wall clock since the measure phase began: what happened *in* it. */
export interface WallSecond {
  second: number;
  sent: number;
  received: number;
  /** Connections open at the end of the second. */
  open: number;
}

/** Both series of a stress run. */
export interface Series {
  due: DueSecond[];
  wall: WallSecond[];
  /** How many seconds a row stands for, where it is more than one: runs of more than 12 hours. `second` is its first. */
  secondsPerRow?: number;
}
