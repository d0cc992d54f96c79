// What a server may hold for its clients, and whether it holds more. Counted, not measured: what is freed stays resident, or on the
// heap until it is collected, and a server that went by that would go on refusing long after an attack.
import { totalmem } from 'node:os';

/** What a connection takes that has nothing waiting, its part of the kernel included. */
const connectionBytes = 24 * 1024;

/** What the process may have: the limit of its control group, or else the memory of the machine. */
function limitBytes(): number {
  const constrained = process.constrainedMemory();
  // Without a limit this is 0 or a number that no machine has.
  return constrained !== undefined && constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** The memory that is left for connections and what they hold, from when it is made. */
export class MemoryBudget {
  readonly #bytes: number;

  /** @param share the part of the process's memory that may be used */
  constructor(share: number) {
    this.#bytes = limitBytes() * share - process.memoryUsage.rss();
  }

  /** By how many bytes so many connections, and what they hold beside themselves, are too much; 0 or less: there is room. */
  excessBytes(connections: number, heldBytes: number): number {
    return connections * connectionBytes + heldBytes - this.#bytes;
  }
}
