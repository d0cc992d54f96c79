// A figure on the page: the data of a plot, a place for it, and what it shows in words.
import { jsonBlock, type Markup, markup, type Part } from './markup.ts';
import type { PlotSpec } from './plot-spec.ts';

/**
 * A plot with its caption.
 *
 * @param words the figures of the plot as a sentence
 */
export function plotFigure(title: string, spec: PlotSpec, words: Part): Markup {
  return markup`<figure class="plot">
<div class="canvas" role="group" aria-label="Plot: ${title}"></div>
${jsonBlock(markup`class="plot-data"`, JSON.stringify(spec))}
<figcaption><strong>${title}.</strong> ${words}</figcaption>
</figure>
`;
}

/** A figure for a plot: no more digits than a pixel shows. */
export function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(5));
}

/** Whether times that lie far apart would leave the small ones flat on the axis. */
export function spansDecades(values: readonly (number | null)[]): boolean {
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (const value of values) {
    if (value === null || value <= 0) continue;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return most > 30 * least;
}
