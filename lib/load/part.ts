// Which part of a run's connections, and so of its messages, one worker has.

/** Worker `worker` (0, 1, …) of `workers`. Connections have a number in the run, and an index within their worker. */
export interface Part {
  worker: number;
  workers: number;
}

/** All of a run. */
export const whole: Part = { worker: 0, workers: 1 };

/** How many of `connections` belong to the part: those whose number is `worker` modulo `workers`. */
export function connectionsOf({ worker, workers }: Part, connections: number): number {
  return Math.max(0, Math.ceil((connections - worker) / workers));
}

/** The number in the run of the part's connection `index`. */
export function numberOf({ worker, workers }: Part, index: number): number {
  return worker + index * workers;
}
