// Limits of a change: by how much a figure may differ from before. Parsed before a run, judged after it.
//
//   limit  = metric [ "." stat ] op change
//   op     = ">" | ">=" | "<" | "<="
//   change = ( "+" | "-" ) number unit  |  "0"
//   unit   = "%" (of the figure before), or that of the metric: "us" | "ms" | "s" | "m" (times), "/s" (rates), "pp"
//            (percentage points, of ratios), none (counts)
import { parseDurationMs, parseRatePerSecond } from '../duration.ts';
import { WsbenchError } from '../errors.ts';
import { counterMetrics, derivedMetrics, recoveryFigures, recoveryTimes } from '../metrics/names.ts';
import { meant } from '../nearest.ts';
import type { Result } from '../result/result.ts';
import { figureNamed, type Threshold, unitOf } from '../result/thresholds.ts';

/** A limit that has been understood: the change that fails a comparison. */
export interface ChangeLimit {
  expression: string;
  /** `rtt.p99`, `messages.lost`; as in the rows of a comparison. */
  metric: string;
  /** The figure among those of a load; null: it has to be among the rows. */
  figure: Pick<Threshold, 'metric' | 'stat'> | null;
  op: '>' | '>=' | '<' | '<=';
  /** Signed; a ratio of the figure before when {@link isRelative}, else in the unit of the figure. */
  change: number;
  isRelative: boolean;
}

const rowsOf: Record<Result['kind'], readonly string[]> = {
  quick: ['pass_rate', 'checks.passed', 'checks.failed', 'checks.skipped'],
  stress: ['pass_rate'],
  conform: [
    'pass_rate',
    'cases.ok',
    'cases.non_strict',
    'cases.unimplemented',
    'cases.failed',
    'cases.bad_close',
  ],
};
const timeNames = ['rtt', 'service', 'connect', 'ping', ...recoveryTimes].flatMap((name) =>
  ['mean', 'p50', 'p90', 'p95', 'p99', 'max'].map((stat) => `${name}.${stat}`),
);

/**
 * Parses a limit such as `rtt.p99>+10%`, `throughput<-5%`, `rtt.p99>+2ms` or `error_rate>+0.5pp`.
 *
 * @param kind of the results that are compared
 * @throws WsbenchError `USAGE` that names the part that is wrong, and what may have been meant
 */
export function parseChangeLimit(expression: string, kind: Result['kind']): ChangeLimit {
  const fail = (why: string): never => {
    throw new WsbenchError('USAGE', `limit "${expression}": ${why}`);
  };
  const like = kind === 'stress' ? 'rtt.p99>+10%' : 'pass_rate<-1pp';
  const match = /^\s*([a-z][\w.]*)\s*(>=|<=|>|<)\s*([+\-−]?)\s*(\S.*?)\s*$/i.exec(expression);
  if (!match) return fail(`expected metric, operator and signed change; write it like ${like}`);
  const [, name = '', op = '', sign = '', amount = ''] = match;
  const figure = kind === 'stress' ? loadFigure(name) : null;
  const known = [
    ...rowsOf[kind],
    ...(kind === 'stress' ? [...timeNames, ...counterMetrics, ...derivedMetrics, ...recoveryFigures] : []),
  ];
  if (figure === null && !rowsOf[kind].includes(name)) {
    const whose = kind === 'stress' ? '' : ` of ${kind} runs`;
    return fail(`unknown metric "${name}"${whose}${meant(name, known)}`);
  }
  if (typeof figure === 'string') return fail(figure);
  if (sign === '' && !/^0(\.0+)?\s*\D*$/.test(amount)) {
    return fail(`a change has a sign; write ${name}${op}+${amount} or ${name}${op}-${amount}`);
  }
  const factor = sign === '-' || sign === '−' ? -1 : 1;
  const unit = figure ? unitOf(figure.metric, figure.stat) : name === 'pass_rate' ? '%' : '';
  const base = {
    expression: expression.trim(),
    metric: figure ? nameOf(figure) : name,
    figure,
    op: op as ChangeLimit['op'],
  };
  if (amount.endsWith('%')) {
    const percent = Number(amount.slice(0, -1).trim() || 'none');
    if (!Number.isFinite(percent)) return fail(`"${amount}" is not a percentage`);
    return { ...base, change: (factor * percent) / 100, isRelative: true };
  }
  return { ...base, change: factor * absolute(amount, unit, expression, fail), isRelative: false };
}

function absolute(
  amount: string,
  unit: Threshold['unit'],
  expression: string,
  fail: (why: string) => never,
): number {
  if (/^0(\.0+)?$/.test(amount)) return 0;
  if (unit === 'ms') return parseDurationMs(amount, `limit "${expression}"`);
  if (unit === '/s') return parseRatePerSecond(amount, `limit "${expression}"`, true);
  if (unit === '%') {
    const points = /^(\d+(?:\.\d+)?|\.\d+)\s*pp$/i.exec(amount);
    return points
      ? Number(points[1])
      : fail(`"${amount}" is neither % of what it was nor percentage points (pp)`);
  }
  const number = Number(amount);
  return Number.isFinite(number) ? number : fail(`"${amount}" is not a number`);
}

/** The figure of a load; in words, what is missing to it; null: there is no such metric. */
function loadFigure(name: string): ChangeLimit['figure'] | string {
  const named = figureNamed(name);
  if (typeof named !== 'string') return named;
  return named.startsWith('unknown metric') ? null : named;
}

function nameOf({ metric, stat }: Pick<Threshold, 'metric' | 'stat'>): string {
  return stat === null ? metric : `${metric}.${stat === 'p999' ? 'p99.9' : stat}`;
}
