// How many messages a second one worker sends when they are due: steps upwards until it falls behind, then in between.
import type { StressResult } from '../result/result.ts';

/** The most that was sent in time and answered. */
export interface RateFloor {
  /** Messages a second; 0: not even the first step was. */
  perSecond: number;
  lagP99Ms: number;
  cpuUs: number;
  /** What held back the next step; `time`: none did as long as there was time to try. */
  endedBy: 'generator' | 'server' | 'time';
  steps: RateStep[];
}

/** One rate that was tried. */
export interface RateStep {
  perSecond: number;
  lagP99Ms: number | null;
  cpuUs: number;
  /** What it failed by. */
  failedBy: 'generator' | 'server' | null;
}

const firstSteps = [1_000, 5_000, 20_000, 50_000, 100_000, 200_000, 400_000, 800_000];
const bisections = 2;
const mostLagMs = 5;
const leastAnswered = 0.97;

/**
 * Searches. A step that failed is tried once more: a hiccup of the machine is not its limit.
 *
 * @param tryRate runs one step
 * @param searchMs no step begins later than this
 */
export async function searchRate(
  tryRate: (perSecond: number) => Promise<StressResult>,
  searchMs: number,
  signal: AbortSignal,
  now: () => number = () => performance.now(),
): Promise<RateFloor> {
  const endMs = now() + searchMs;
  const steps: RateStep[] = [];
  const isOver = (): boolean => signal.aborted || now() >= endMs;
  let best: RateStep | undefined;
  let failed: RateStep | undefined;
  const attempt = async (perSecond: number): Promise<boolean> => {
    for (let time = 0; time < 2 && !(time > 0 && isOver()); time++) {
      const step = judgeStep(perSecond, await tryRate(perSecond));
      steps.push(step);
      if (step.failedBy === null) {
        best = step;
        return true;
      }
      failed = step;
    }
    return false;
  };
  for (const perSecond of firstSteps) {
    if (isOver() || !(await attempt(perSecond))) break;
    failed = undefined;
  }
  for (let time = 0; time < bisections && failed && best && !isOver(); time++) {
    await attempt(rounded(Math.sqrt(best.perSecond * failed.perSecond)));
  }
  return {
    perSecond: best?.perSecond ?? 0,
    lagP99Ms: best?.lagP99Ms ?? steps.at(-1)?.lagP99Ms ?? 0,
    cpuUs: best?.cpuUs ?? 0,
    endedBy: failed?.failedBy ?? 'time',
    steps,
  };
}

/** Whether a step went well, and if not, by whom. Pure. */
export function judgeStep(perSecond: number, result: StressResult): RateStep {
  const { metrics, generator, derived, counters } = result;
  const lag = metrics.send_lag.p99;
  const isLate = generator.limited || (lag !== null && lag > mostLagMs);
  const isAnswered =
    (derived.throughput ?? 0) >= leastAnswered * perSecond &&
    counters['messages.lost'] + counters['messages.unsent'] === 0;
  return {
    perSecond,
    lagP99Ms: lag,
    cpuUs: cpuUsPerMessage(result),
    failedBy: isLate ? 'generator' : isAnswered ? null : 'server',
  };
}

/** CPU of this process per answered message, in µs. */
export function cpuUsPerMessage({ generator, phases, counters }: StressResult): number {
  const messages = counters['messages.matched'];
  const usedUs = generator.cpu * phases.measureMs * 1000;
  return messages === 0 ? 0 : Math.round((usedUs / messages) * 100) / 100;
}

/** To two significant digits. */
function rounded(perSecond: number): number {
  return Number(perSecond.toPrecision(2));
}
