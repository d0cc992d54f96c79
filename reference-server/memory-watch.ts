// Whether the process has so little memory left that it must shed load.
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** What the process may have: the limit of its control group, or else the memory of the machine. */
function limitBytes(): number {
  const constrained = process.constrainedMemory();
  // Without a limit this is 0 or a number that no machine has.
  return constrained !== undefined && constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** Compares what is in use with a share of what there is. */
export class MemoryWatch {
  readonly #maxBytes: number;
  readonly #maxHeapBytes: number;
  /** What Node itself takes beside its heap and the buffers. */
  readonly #baseBytes: number;

  constructor(maxShare: number) {
    this.#maxBytes = limitBytes() * maxShare;
    this.#maxHeapBytes = getHeapStatistics().heap_size_limit * maxShare;
    const { rss, heapTotal, external } = process.memoryUsage();
    this.#baseBytes = Math.max(0, rss - heapTotal - external);
  }

  /**
   * Resident memory would not do: what was freed may stay resident, and a server that shed its load once would refuse for ever.
   */
  isShort(): boolean {
    const { heapTotal, heapUsed, external } = process.memoryUsage();
    return this.#baseBytes + heapTotal + external > this.#maxBytes || heapUsed > this.#maxHeapBytes;
  }
}
