// Moving-block bootstrap: how far a figure may be off by chance, from one run alone. H. R. Künsch, "The Jackknife and the
// Bootstrap for General Stationary Observations", Annals of Statistics 17 (1989).
import type { Random } from './random.ts';
import type { Blocks, Statistic } from './statistic.ts';

/**
 * How many neighbouring seconds a block has: 1.3 √n, the rule of E. Lazarus, D. J. Lewis, J. H. Stock and M. W. Watson, "HAR
 * Inference: Recommendations for Practice", Journal of Business & Economic Statistics 36 (2018). It is longer than rules that
 * aim at the most exact variance, and so holds where seconds depend on those before them.
 */
export function blockLength(seconds: number): number {
  return Math.min(seconds, Math.ceil(1.3 * Math.sqrt(seconds)));
}

/**
 * By how much deviations among resamples are too small because blocks are long beside the series. Blocks that are taken from
 * one series lie around its own mean, which makes variances too small by the share that a block has of it (Künsch). And a variance from few
 * blocks is itself uncertain: the ratio of critical values for 95 %, with and without regard to that, of N. M. Kiefer and T. J.
 * Vogelsang, "A New Asymptotic Theory for Heteroskedasticity-Autocorrelation Robust Tests", Econometric Theory 21 (2005), for
 * the Bartlett kernel, which is what blocks amount to. Together they are a little too careful for short runs, on purpose.
 */
export function widening(seconds: number): number {
  const share = Math.min(0.5, blockLength(seconds) / seconds);
  const critical = 1.96 + 2.9694 * share + 0.416 * share ** 2 - 0.5324 * share ** 3;
  return critical / 1.96 / Math.sqrt(1 - share);
}

/**
 * What a figure would have been, had the run had another choice of its seconds: blocks of neighbouring seconds are drawn with
 * replacement until there are as many seconds as the run had. Neighbours stay together because what slows one second down
 * (a collection of garbage, a neighbour on the machine) slows the next down, too.
 *
 * @param resamples how many
 */
export function resample(statistic: Statistic, resamples: number, random: Random): Float64Array {
  const { seconds } = statistic;
  const length = blockLength(seconds);
  const count = Math.ceil(seconds / length);
  const blocks: Blocks = { starts: new Int32Array(count), ends: new Int32Array(count) };
  const figures = new Float64Array(resamples);
  for (let sample = 0; sample < resamples; sample++) {
    for (let block = 0; block < count; block++) {
      const start = random(seconds - length + 1);
      blocks.starts[block] = start;
      // The last one is cut to what is missing.
      blocks.ends[block] = start + Math.min(length, seconds - block * length);
    }
    figures[sample] = statistic.of(blocks);
  }
  return figures;
}
