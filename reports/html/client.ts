// What runs in the page: draws the plots and offers the JSON. These functions are written into the page as they are compiled
// here (`script.ts`), so they use nothing but one another, the figures of `figures.ts` and the browser.
import { count, figure, ms } from '../figures.ts';
import type { Drawn, Page, PageElement, PageWindow, Plotter } from './browser.ts';
import type { PlotLine, PlotSpec } from './plot-spec.ts';

declare const document: Page;
declare const window: PageWindow;
declare const uPlot: Plotter;
declare const Blob: new (parts: string[], options: { type: string }) => object;
declare const URL: { createObjectURL(blob: object): string };
declare const ResizeObserver: new (seen: () => void) => { observe(element: PageElement): void };

/** Draws everything, and draws it again in other colours when those change. */
export function start(): void {
  const drawn: { plot: Drawn; place: PageElement }[] = [];
  for (const element of document.querySelectorAll('figure.plot')) {
    const place = element.querySelector('.canvas');
    const data = element.querySelector('.plot-data');
    if (place && data) drawn.push({ plot: drawPlot(JSON.parse(data.textContent ?? '{}'), place), place });
  }
  let isPaper = false;
  const resize = (): void => {
    if (isPaper) return;
    for (const { plot, place } of drawn) plot.setSize(sizeOf(place.clientWidth));
  };
  const observer = new ResizeObserver(resize);
  for (const { place } of drawn) observer.observe(place);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', resize);
  // Paper is white, and narrower than most screens.
  window.addEventListener('beforeprint', () => {
    isPaper = true;
    document.documentElement.classList.add('paper');
    for (const { plot } of drawn) plot.setSize(sizeOf(660));
  });
  window.addEventListener('afterprint', () => {
    isPaper = false;
    document.documentElement.classList.remove('paper');
    resize();
  });
  for (const link of document.querySelectorAll('a.download')) offerDownload(link);
}

/** Makes a link that saves a block of JSON as a file. */
export function offerDownload(link: PageElement): void {
  const block = document.getElementById(link.dataset.block ?? '');
  if (!block) return;
  link.hidden = false;
  link.addEventListener('click', () => {
    link.href = URL.createObjectURL(new Blob([block.textContent ?? ''], { type: 'application/json' }));
  });
}

/** The size of a plot in a place of some width. */
export function sizeOf(width: number): { width: number; height: number } {
  return { width: Math.max(220, width), height: width < 480 ? 220 : 280 };
}

/** A colour of the page as it is now: a canvas knows no variables. */
export function colour(name: string): string {
  return window.getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Draws one plot. */
export function drawPlot(spec: PlotSpec, place: PageElement): Drawn {
  const words = spec.axis === 'nines' ? quantileWords : clockWords;
  const axis = { font: '12px system-ui, sans-serif', stroke: () => colour('--muted') };
  const lines = {
    grid: { stroke: () => colour('--grid'), width: 1 },
    ticks: { stroke: () => colour('--grid'), width: 1, size: 5 },
  };
  const options = {
    ...sizeOf(place.clientWidth),
    padding: [14, 12, 0, 0],
    cursor: {
      ...(spec.group === undefined ? {} : { sync: { key: spec.group, scales: ['x', null] } }),
      drag: { x: false, y: false },
      points: { size: 7 },
    },
    scales: {
      x: { time: false, range: () => spec.range },
      y: spec.log
        ? { distr: 3 }
        : { range: (_: Drawn, _min: number, most: number) => [0, (most || 1) * 1.08] },
    },
    axes: [
      {
        ...axis,
        ...lines,
        ...(spec.axis === 'nines'
          ? { splits: (plot: Drawn) => nines(spec.range[1], plot.width) }
          : { incrs: secondSteps(), space: 64 }),
        size: 32,
        values: (_: Drawn, places: number[]) => places.map(words),
      },
      {
        ...axis,
        ...lines,
        ...(spec.log
          ? { grid: { ...lines.grid, filter: powersOfTen }, ticks: { ...lines.ticks, filter: powersOfTen } }
          : {}),
        size: 62,
        label: spec.title,
        labelFont: axis.font,
        labelSize: 18,
        values: (_: Drawn, places: (number | null)[]) => places.map((at) => (at === null ? '' : tick(at))),
      },
    ],
    series: [
      {
        label: spec.axis === 'nines' ? 'percentile' : 'time',
        value: (_: Drawn, at: number | null) => (at === null ? '–' : words(at)),
      },
      ...spec.lines.map(lineOptions),
    ],
    legend: {
      markers: {
        stroke: (_: Drawn, index: number) => `var(--line${spec.lines[index - 1]?.style})`,
        dash: (_: Drawn, index: number) => dashWord(spec.lines[index - 1]?.style ?? 1),
        fill: () => 'none',
        width: 2,
        show: true,
      },
    },
    hooks: { drawClear: [(plot: Drawn) => drawBands(plot, spec)] },
  };
  const plot = new uPlot(options, [spec.x, ...spec.lines.map(({ values }) => values)], place);
  reachByKeyboard(plot);
  return plot;
}

/** The border of CSS that comes closest to the dashes of a line. */
export function dashWord(style: number): string {
  return style === 1 ? 'solid' : style === 3 ? 'dotted' : style === 5 ? 'double' : 'dashed';
}

/** How a line looks: each its colour and its dashes. */
export function lineOptions(line: PlotLine): object {
  const dashes = [[], [], [7, 4], [2, 3], [10, 3, 2, 3], [14, 5]];
  const stroke = (): string => colour(`--line${line.style}`);
  return {
    label: line.label,
    width: line.style === 1 ? 2 : 1.6,
    stroke,
    dash: dashes[line.style] ?? [],
    ...(line.shape === 'steps'
      ? { paths: uPlot.paths.stepped({ align: -1 }), fill: () => colour('--fill') }
      : {}),
    ...(line.values.length < 40
      ? { points: { show: true, size: 5, stroke, fill: stroke } }
      : { points: { show: false } }),
    value: (_: Drawn, value: number | null) => (value === null ? '–' : valueWords(value, line.unit)),
  };
}

/** A figure with its unit, as the rest of the page writes it. */
export function valueWords(value: number, unit: string): string {
  if (unit === 'ms') return `${ms(value)} ms`;
  return unit === '/s' ? `${figure(value)}/s` : count(value);
}

/** A figure beside the y axis. */
export function tick(value: number): string {
  return value >= 1000 ? count(value) : String(Number(value.toPrecision(4)));
}

/** The ticks of a logarithmic axis that have a line across the plot. */
export function powersOfTen(_: Drawn, places: number[]): (number | null)[] {
  return places.map((at) => (Math.abs(Math.log10(at) - Math.round(Math.log10(at))) < 1e-6 ? at : null));
}

/** Where the ticks of a nines axis are: 0, 50, 90, 99 % and so on. */
export function nines(to: number, width: number): number[] {
  // The median has no room beside the others where every nine is narrow.
  const places = width / to > 110 ? [0, -Math.log10(0.5)] : [0];
  for (let nine = 1; nine <= to; nine++) places.push(nine);
  return places;
}

/** A quantile: `99.9 %`. */
export function quantileWords(nine: number): string {
  const quantile = 100 * (1 - 10 ** -nine);
  const digits = Math.max(0, Math.ceil(nine - 1e-9) - 2) + (Number.isInteger(nine) || nine < 1 ? 0 : 1);
  return `${Number(quantile.toFixed(digits))} %`;
}

/** Time since the measure phase began: `12 s`, `3:05`, `1:00:00`. */
export function clockWords(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toFixed(2))} s`;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const rest = `${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
  return seconds < 3600 ? rest.replace(/^0/, '') : `${Math.floor(seconds / 3600)}:${rest}`;
}

/** Steps that people count time in. */
export function secondSteps(): number[] {
  return [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];
}

/** The stretches behind the lines, with their names. */
export function drawBands(plot: Drawn, { bands, range }: PlotSpec): void {
  const { ctx, bbox } = plot;
  const scale = window.devicePixelRatio || 1;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = `${11 * scale}px system-ui, sans-serif`;
  ctx.textBaseline = 'top';
  ctx.textAlign = 'left';
  for (const { from, to, label, tinted } of bands) {
    const left = plot.valToPos(Math.max(from, range[0]), 'x', true);
    const width = plot.valToPos(Math.min(to, range[1]), 'x', true) - left;
    if (tinted) {
      ctx.fillStyle = colour('--band');
      ctx.fillRect(left, bbox.top, width, bbox.height);
    }
    ctx.fillStyle = colour('--muted');
    if (ctx.measureText(label).width + 8 * scale < width) {
      ctx.fillText(label, left + 4 * scale, bbox.top + 3 * scale);
    }
  }
  ctx.restore();
}

/** Arrow keys move the cursor, Home and End go to the ends, Enter hides and shows the lines of a legend. */
export function reachByKeyboard(plot: Drawn): void {
  const { over, root } = plot;
  over.tabIndex = 0;
  over.setAttribute('role', 'application');
  over.setAttribute('aria-label', 'Plot: arrow keys read its values');
  root.querySelector('.u-legend')?.setAttribute('aria-live', 'polite');
  over.addEventListener('keydown', (event) => {
    const x = plot.data[0] ?? [];
    const last = x.length - 1;
    const now = plot.cursor.idx ?? -1;
    const steps: Record<string, number> = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last };
    const next = steps[event.key ?? ''];
    if (next === undefined) return;
    event.preventDefault();
    const at = x[Math.min(last, Math.max(0, next))] ?? 0;
    plot.setCursor({ left: plot.valToPos(at, 'x'), top: 10 });
  });
  let index = 0;
  for (const head of root.querySelectorAll('.u-legend th')) {
    // The first is the axis, which cannot be hidden.
    if (index++ === 0) continue;
    head.tabIndex = 0;
    head.setAttribute('role', 'button');
    head.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      head.click();
    });
  }
}
