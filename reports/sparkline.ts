// Figures drawn in one line of characters. Pure.

const unicodeLevels = '▁▂▃▄▅▆▇█';
const asciiLevels = '_.:-=+*#';

/**
 * The last `cells` values as a line of characters, the largest of them full, nothing the lowest: a stall is a gap.
 */
export function sparkline(values: readonly number[], cells: number, unicode: boolean): string {
  const levels = unicode ? unicodeLevels : asciiLevels;
  const shown = values.slice(-cells);
  const most = Math.max(0, ...shown);
  return shown
    .map((value) => {
      const level = value > 0 ? 1 + Math.min(6, Math.floor((7 * value) / most)) : 0;
      return levels[level];
    })
    .join('');
}

/** How much of something there is, as a bar. Only what is whole fills it. */
export function bar(share: number, cells: number, unicode: boolean): string {
  const filled = Math.max(0, share >= 1 ? cells : Math.min(cells - 1, Math.floor(share * cells)));
  return (unicode ? '█' : '#').repeat(filled) + (unicode ? '░' : '.').repeat(cells - filled);
}
