// What a plot is to show: plain data, made here, read by the script of the page.

/** One line of a plot. */
export interface PlotLine {
  label: string;
  /** As many as there are places on the x axis; null: nothing to show there. */
  values: (number | null)[];
  unit: 'ms' | '/s' | '';
  /** Which of the colours and dashes of the page it has, from 1. */
  style: number;
  /** `steps`: holds since the place before, with the room below it filled. */
  shape?: 'steps';
}

/** A stretch of the x axis that is marked and named. */
export interface PlotBand {
  from: number;
  to: number;
  label: string;
  /** Set off by a ground of its own. */
  tinted: boolean;
}

/** A plot. */
export interface PlotSpec {
  /** `nines`: x is −log10(1 − quantile). `seconds`: since the measure phase began. */
  axis: 'nines' | 'seconds';
  x: number[];
  lines: PlotLine[];
  /** What the y axis is in. */
  title: string;
  /** The y axis is logarithmic. */
  log: boolean;
  bands: PlotBand[];
  /** Ends of the x axis. */
  range: [from: number, to: number];
  /** Plots with the same name point at the same place. */
  group?: string;
}
