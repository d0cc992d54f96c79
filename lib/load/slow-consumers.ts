// Connections that read slowly, so that what the target sends them piles up there.

/** Whether the connection with a number in the run is one of the share that reads slowly: spread evenly, and never the first. Pure. */
export function isSlow(number: number, share: number): boolean {
  return slowAmong(number + 1, share) > slowAmong(number, share);
}

/** How many of the first `connections` read slowly. */
export function slowAmong(connections: number, share: number): number {
  // Rounding must not make 28 of 29 % of 100.
  return Math.floor(connections * share + 1e-9);
}
