// What to do when the generator was the bottleneck: it depends on what held it up. Pure.

/** What the generator had to work with, and what took time from it. */
export interface GeneratorMeans {
  /** Threads that shared the load. */
  workers: number;
  /** Cores that this process may use: those of the machine, or what a quota allows. */
  cores: number;
  /** More threads than this there cannot be: one connection is not shared. */
  mostWorkers: number;
  /** They waited in a busy loop. */
  spin: boolean;
  /** Time that the quota of a control group took in the measure phase, and in how many of its periods; null: there is none. */
  throttled: { ms: number; periods: number } | null;
}

/** What is known of a generator that fell behind. */
export interface Cause {
  model: 'open' | 'closed';
  /** A worker used all of a core. */
  isFull: boolean;
  /** The longest pause for garbage collection, in ms. */
  longestGcMs: number;
}

/** Longer pauses show in the latencies. */
export const longGcMs = 50;

/** What to do, the likeliest remedy first. */
export function healthAdvice(cause: Cause, means: GeneratorMeans): string[] {
  const { model, isFull, longestGcMs } = cause;
  const { workers, cores, spin, throttled } = means;
  const lines: string[] = [];
  const isThrottled = throttled !== null && throttled.periods > 0;
  if (isThrottled) {
    lines.push(
      `a CPU quota of ${round(cores)} cores stopped it ${throttled.periods} times, ${round(throttled.ms)} ms in all: raise it (cpu.max, --cpus), or ask for less`,
    );
  }
  if (longestGcMs > longGcMs) {
    lines.push(
      `garbage collection paused it for up to ${round(longestGcMs)} ms: give Node more memory (NODE_OPTIONS=--max-old-space-size=4096), or use fewer connections`,
    );
  }
  // One that spins is always full, and says nothing by it.
  if (spin) {
    if (workers >= cores) {
      lines.push(
        `--spin takes a whole core for each of ${workers} workers, and there are ${round(cores)} for all that runs here: leave it out${workers > 1 ? ', or use fewer workers' : ''}`,
      );
    }
  } else if (isFull) lines.push(fullAdvice(model, workers, Math.min(Math.floor(cores), means.mostWorkers)));
  if (lines.length > 0) return lines;
  return [
    'no core of it was full, so something else held up this process or this machine: stop other work on it, or use another one (wsbench doctor)',
  ];
}

function fullAdvice(model: Cause['model'], workers: number, more: number): string {
  const less =
    model === 'open'
      ? 'ask for a lower rate, smaller messages or fewer connections'
      : 'use fewer connections or a smaller depth';
  const what = workers === 1 ? 'one core is full' : `a core of one of its ${workers} workers is full`;
  // A worker on the core that another one fills gains nothing.
  return workers < more
    ? `${what}: share the load among workers (-w ${more}), or ${less}`
    : `${what}: ${less}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
