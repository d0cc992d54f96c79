// Ready-made stages of load, by name. Pure.
import type { ScenarioStage } from './stages.ts';

/** The shapes that there are, the default first. */
export const shapeNames = ['constant', 'ramp', 'soak', 'spike', 'step', 'break'] as const;
export type Shape = (typeof shapeNames)[number];

/** The load over time: `at` is a multiple of what was asked for, `for` a share of the measure phase. */
type Outline = readonly { for: number; at: number }[];

const steps = [0.2, 0.4, 0.6, 0.8, 1];

const outlines: Record<Shape, Outline> = {
  constant: [],
  /** From nothing to all of it. */
  ramp: [
    { for: 0, at: 0 },
    { for: 1, at: 1 },
  ],
  /** There within a tenth of the time, and then for long. */
  soak: [
    { for: 0, at: 0 },
    { for: 0.1, at: 1 },
    { for: 0.9, at: 1 },
  ],
  /** Five times as much for a tenth of the time, in the middle. */
  spike: [
    { for: 0.45, at: 1 },
    { for: 0, at: 5 },
    { for: 0.1, at: 5 },
    { for: 0, at: 1 },
    { for: 0.45, at: 1 },
  ],
  /** Up in five equal steps of equal length. */
  step: steps.flatMap((at) => [
    { for: 0, at },
    { for: 1 / steps.length, at },
  ]),
  /** Up to ten times as much, or until a threshold fails. */
  break: [
    { for: 0, at: 0 },
    { for: 1, at: 10 },
  ],
};

/** What a shape is made of; the duration in ms. */
export interface ShapeOf {
  model: 'open' | 'closed';
  connections: number;
  rate: number;
  duration: number;
}

/**
 * The stages of a shape. In the open model the rate takes the shape and the connections stay; the closed model has no rate,
 * so the connections do.
 */
export function shapeStages(shape: Shape, { model, connections, rate, duration }: ShapeOf): ScenarioStage[] {
  return outlines[shape].map(({ for: share, at }) => ({
    duration: share * duration,
    ...(model === 'open' ? { rate: at * rate } : { connections: Math.round(at * connections) }),
  }));
}
