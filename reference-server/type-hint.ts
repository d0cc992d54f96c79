// Which known type somebody meant.

/** Types of other protocols that mean one of ours. */
const aliases: Readonly<Record<string, string>> = {
  HEARTBEAT: 'PING',
  HEARTBEATPING: 'PING',
  HEARTBEATPONG: 'PONG',
  AUTHENTICATE: 'AUTH',
  LOGIN: 'AUTH',
  MESSAGE: 'PUBLISH',
};

/** The known type nearest to `type`: an alias, another spelling, or at most two letters off. Undefined when none is near. */
export function typeHint(type: string, known: readonly string[]): string | undefined {
  if (type.length > 64) return undefined;
  const bare = normal(type);
  if (bare === '') return undefined;
  if (Object.hasOwn(aliases, bare)) return aliases[bare];
  let best: string | undefined;
  let bestDistance = 3;
  for (const candidate of known) {
    const target = normal(candidate);
    const distance = editDistance(bare, target);
    // Two letters off a word of four is another word.
    if (distance < bestDistance && distance <= target.length / 3) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function normal(type: string): string {
  return type.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
}

/** Levenshtein's distance, row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
