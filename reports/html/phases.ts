// The phases of a run: as a strip, and as stretches behind its plots.
import { formatDuration, formatRate } from '../../lib/duration.ts';
import type { Phases, StressResult } from '../../lib/result/result.ts';
import { count } from '../figures.ts';
import { type StageRecord, stagesOf } from '../load-course.ts';
import { phaseWords } from '../stress-facts.ts';
import { type Markup, markup } from './markup.ts';
import type { PlotBand } from './plot-spec.ts';

const order: readonly [keyof Phases, string][] = [
  ['connectMs', 'connect'],
  ['settleMs', 'settle'],
  ['warmupMs', 'warm-up'],
  ['measureMs', 'measure'],
  ['drainMs', 'drain'],
];

/** How long each phase took, drawn to scale and in words. */
export function phaseStrip(result: StressResult): Markup {
  const { phases } = result;
  const total = order.reduce((sum, [key]) => sum + phases[key], 0);
  if (total === 0) return markup``;
  let at = 0;
  const rects = order.map(([key, name]) => {
    const [x, width] = [at, (100 * phases[key]) / total];
    at += width;
    return markup`<rect x="${x.toFixed(2)}" y="0" width="${width.toFixed(2)}" height="10"${key === 'measureMs' && markup` class="measure"`}><title>${name} ${formatDuration(Math.round(phases[key]))}</title></rect>`;
  });
  return markup`<svg class="phases" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">${rects}</svg>
<p class="note">Phases: ${phaseWords(result)}.</p>
`;
}

/** The stages of a load that changes, or its measure phase as one, and what came after it. */
export function phaseBands(result: StressResult, end: number): PlotBand[] {
  const measured = result.phases.measureMs / 1000;
  const bands: PlotBand[] = [];
  let from = 0;
  for (const stage of stagesOf(result)) {
    const to = Math.min(measured, from + stage.durationMs / 1000);
    if (to > from) bands.push({ from, to, label: stageWords(stage), tinted: bands.length % 2 === 1 });
    from = to;
  }
  if (measured > from) {
    bands.push({ from, to: measured, label: bands.length === 0 ? 'measure' : '', tinted: false });
  }
  if (end > measured) bands.push({ from: measured, to: end, label: 'drain', tinted: true });
  return bands;
}

function stageWords({ connections, ratePerSecond }: StageRecord): string {
  const parts = [
    ...(typeof ratePerSecond === 'number' ? [formatRate(ratePerSecond)] : []),
    ...(typeof connections === 'number' ? [`${count(connections)} connections`] : []),
  ];
  return parts.length === 0 ? '' : `→ ${parts.join(', ')}`;
}
