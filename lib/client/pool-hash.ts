// Which member a key belongs to. Pure.

/**
 * The member of `members` whose hash with the key is the highest. When a member goes, its keys alone move; when it comes back, they alone
 * come back (rendezvous hashing).
 */
export function homeOf(key: string, members: readonly number[]): number | undefined {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  let home: number | undefined;
  let best = -1;
  for (const member of members) {
    const score = mix(hash ^ Math.imul(member + 1, 0x9e3779b1));
    if (score > best) [home, best] = [member, score];
  }
  return home;
}

/** The finaliser of MurmurHash3: every bit of the input moves every bit of the output. */
function mix(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
