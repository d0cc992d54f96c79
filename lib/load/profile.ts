// The load of a plan over its measure phase: rate, connections, and how long it lasts. Pure.
import { type Course, courseOf, type Leg, peakOf, stepsOf } from './course.ts';
import { constantPacer, type Pacer, pacerOf } from './pacer.ts';
import type { Part } from './part.ts';
import type { StressPlan } from './plan.ts';
import { Schedule } from './schedule.ts';

/** What a plan says of its load. */
export type LoadPlan = Pick<
  StressPlan,
  | 'stages'
  | 'connections'
  | 'ratePerSecond'
  | 'durationMs'
  | 'warmupMs'
  | 'model'
  | 'arrival'
  | 'seed'
  | 'messages'
>;

/** The rate over the measure phase, in messages a second. Its first value holds in the warm-up, too. */
export function rateCourse({ stages, ratePerSecond, durationMs }: LoadPlan): Course {
  return courseWithin(
    ratePerSecond,
    stages.map((stage) => ({ durationMs: stage.durationMs, to: stage.ratePerSecond })),
    durationMs,
  );
}

/** The connections that are asked for over the measure phase. Its first value is what is opened before it. */
export function connectionCourse({ stages, connections, durationMs }: LoadPlan): Course {
  return courseWithin(
    connections,
    stages.map((stage) => ({ durationMs: stage.durationMs, to: stage.connections })),
    durationMs,
  );
}

/** The most messages a second that one connection is ever asked to carry (open model). */
export function mostPerConnection(plan: LoadPlan): number {
  const connections = connectionCourse(plan);
  // Both are straight between the ends of stages, and so is none of their quotient's peaks.
  return rateCourse(plan).reduce((most, { from, to }, index) => {
    const { from: first = 1, to: last = 1 } = connections[index] ?? {};
    return Math.max(most, from / Math.max(1, first), to / Math.max(1, last));
  }, 0);
}

/** How long opening the first connections takes as asked for; 0: as fast as it goes. */
export function connectMs(
  plan: Pick<StressPlan, 'connections' | 'rampUpMs' | 'connectRatePerSecond'>,
): number {
  const { connections, rampUpMs, connectRatePerSecond: rate } = plan;
  return rate > 0 ? (connections * 1000) / rate : rampUpMs;
}

/** When the first connections are to be opened, in µs after the start; undefined: as fast as it goes. */
export function connectPacer(plan: StressPlan): Pacer | undefined {
  const { rampUpMs, connectRatePerSecond, arrival, seed } = plan;
  const first = Math.max(1, firstConnections(plan));
  const flat = (rate: number): Course => [
    { startUs: 0, endUs: Number.POSITIVE_INFINITY, from: rate, to: rate },
  ];
  if (connectRatePerSecond > 0) return pacerOf(flat(connectRatePerSecond), { arrival, seed }, 'connect');
  return rampUpMs > 0 ? constantPacer((first * 1000) / rampUpMs) : undefined;
}

/** The connections that are asked for when the load begins. */
export function firstConnections(plan: LoadPlan): number {
  return Math.round(connectionCourse(plan)[0]?.from ?? 0);
}

/** The most connections that are ever asked for at the same time. */
export function mostConnections(plan: LoadPlan): number {
  return Math.round(peakOf(connectionCourse(plan)));
}

/**
 * How long the measure phase is, in µs: its stages, or until the last of the asked number of messages was due and the next
 * one would be. In the closed model the replies decide, and this is the most.
 */
export function measureUs(plan: LoadPlan): number {
  const mostUs = plan.durationMs * 1000;
  if (plan.messages === 0 || plan.model === 'closed') return mostUs;
  return Math.min(mostUs, pacerOf(rateCourse(plan), plan, 'measure')(plan.messages));
}

/**
 * The messages of a part of the warm-up, from and to so many µs after its start: rate and connections are those that the measure
 * phase begins with.
 */
export function warmupSchedule(plan: LoadPlan, part: Part, fromUs: number, toUs: number): Schedule {
  const flat = (course: Course): Course => {
    const from = course[0]?.from ?? 0;
    return [{ startUs: 0, endUs: Number.POSITIVE_INFINITY, from, to: from }];
  };
  return new Schedule({
    pacer: pacerOf(flat(rateCourse(plan)), plan, 'warmup'),
    steps: stepsOf(flat(connectionCourse(plan))),
    fromUs,
    lengthUs: toUs,
    messages: Number.POSITIVE_INFINITY,
    part,
  });
}

/** The messages of the measure phase. */
export function measureSchedule(plan: LoadPlan, part: Part): Schedule {
  return new Schedule({
    pacer: pacerOf(rateCourse(plan), plan, 'measure'),
    steps: stepsOf(connectionCourse(plan)),
    lengthUs: measureUs(plan),
    messages: plan.messages || Number.POSITIVE_INFINITY,
    part,
  });
}

function courseWithin(start: number, legs: readonly Leg[], durationMs: number): Course {
  return courseOf(start, legs.length > 0 ? legs : [{ durationMs }]);
}
