// The shape of a result as a schema, for reading saved files. result.ts is the shape that the compiler sees; a test keeps
// the two in step.
import { z } from 'zod';
import { counterMetrics, derivedMetrics, timeMetrics } from '../metrics/names.ts';
import { schemaVersion } from './result.ts';

const figure = z.number().nullable();
const amount = z.int().min(0);
const text = z.string();

/** An object with exactly these names, all of one shape. Names that a later version adds are not looked at. */
function record<Name extends string, Shape extends z.ZodType>(names: readonly Name[], shape: Shape) {
  return z.object(Object.fromEntries(names.map((name) => [name, shape])) as Record<Name, Shape>);
}

const timeStats = z.object({
  count: amount,
  censored: amount,
  min: figure,
  mean: figure,
  p50: figure,
  p90: figure,
  p95: figure,
  p99: figure,
  p999: figure,
  max: figure,
  unit: z.literal('ms'),
  reason: z.enum(['lost', 'no samples']).exactOptional(),
  hdr: text.exactOptional(),
});

const base = {
  schemaVersion: z.literal(schemaVersion),
  run: z.object({
    id: text,
    wsbench: text,
    startedAt: text,
    durationMs: z.number().min(0),
    seed: z.number(),
    complete: z.boolean(),
    reproduce: text.exactOptional(),
    mergedFrom: z.array(text).exactOptional(),
  }),
  plan: z.object({ hash: text, name: text, options: z.record(text, z.unknown()) }),
  target: z.object({
    url: text,
    embedded: z.boolean(),
    description: text,
    series: z.unknown().exactOptional(),
  }),
  host: z.object({
    node: text,
    platform: text,
    arch: text,
    cpuModel: text,
    cpus: z.number(),
    memoryBytes: z.number(),
  }),
  outcome: z.enum(['passed', 'failed', 'inconclusive', 'interrupted']),
  reasons: z.array(
    z.object({
      code: z.enum([
        'bug',
        'target-description',
        'generator-limited',
        'generator-resources',
        'lost-worker',
        'sigint',
        'sigterm',
        'aborted',
        'unreachable',
        'threshold',
        'check',
        'verdict',
      ]),
      message: text,
    }),
  ),
  warnings: z.array(z.object({ code: text, message: text })),
};

const quick = z.object({
  ...base,
  kind: z.literal('quick'),
  checks: z.array(
    z.object({
      id: text,
      title: text,
      status: z.enum(['passed', 'failed', 'skipped']),
      durationMs: z.number().min(0),
      detail: text,
      expected: text.exactOptional(),
      got: text.exactOptional(),
      reproduce: text.exactOptional(),
    }),
  ),
});

const threshold = z.object({
  expression: text,
  metric: text,
  stat: text.nullable(),
  op: z.enum(['<', '<=', '>', '>=', '==', '!=']),
  limit: z.number(),
  unit: z.enum(['ms', '/s', '%', '']),
  actual: figure,
  ok: z.boolean(),
  source: z.enum(['default', 'scenario', 'option']),
  reason: z.enum(['lost', 'no samples']).exactOptional(),
});

const delay = z.object({ mean: z.number(), p50: z.number(), p99: z.number(), max: z.number() });

const gc = z.object({ count: amount, totalMs: z.number(), maxMs: z.number() });

const workerHealth = z.object({
  worker: amount,
  loopDelay: delay,
  cpu: z.number(),
  gc,
  sendLagP99: figure,
  heapBytes: z.number(),
});

const generator = z.object({
  limited: z.boolean(),
  reasons: z.array(text),
  advice: z.array(text),
  throughputIsLowerBound: z.boolean(),
  workers: amount,
  perWorker: z.array(workerHealth).exactOptional(),
  loopDelay: delay,
  cpu: z.number(),
  gc,
  waitedLong: z.number(),
  throttled: z.object({ ms: z.number(), periods: amount }).exactOptional(),
});

const series = z.object({
  due: z.array(
    z.object({
      second: amount,
      matched: amount,
      rejected: amount,
      lost: amount,
      unsent: amount,
      p50: figure,
      p99: figure,
      max: figure,
      hdr: text.exactOptional(),
    }),
  ),
  wall: z.array(z.object({ second: amount, sent: amount, received: amount, open: amount })),
  secondsPerRow: amount.exactOptional(),
});

const stress = z.object({
  ...base,
  kind: z.literal('stress'),
  model: z.enum(['open', 'closed']),
  metrics: record(timeMetrics, timeStats),
  counters: record(counterMetrics, amount),
  derived: record(derivedMetrics, figure),
  openAtEnd: amount,
  phases: z.object({
    connectMs: z.number(),
    settleMs: z.number(),
    warmupMs: z.number(),
    measureMs: z.number(),
    drainMs: z.number(),
  }),
  closes: z.array(
    z.object({ code: amount, by: z.enum(['us', 'peer', 'none']), clean: z.boolean(), count: amount }),
  ),
  failures: z.array(z.object({ kind: text, detail: text, count: amount, hint: text.exactOptional() })),
  violations: z.array(z.object({ detail: text, count: amount })).exactOptional(),
  unsent: z.array(z.object({ reason: text, count: amount })),
  rejections: z.array(z.object({ code: text, count: amount })),
  series,
  thresholds: z.array(threshold),
  generator,
  warmup: z
    .object({
      sent: z.number(),
      unsent: z.number(),
      matched: z.number(),
      rejected: z.number(),
      lost: z.number(),
    })
    .exactOptional(),
  slowConsumers: z
    .object({
      connections: z.number(),
      sent: z.number(),
      unsent: z.number(),
      matched: z.number(),
      rejected: z.number(),
      lost: z.number(),
    })
    .exactOptional(),
});

const behavior = z.enum(['OK', 'NON-STRICT', 'INFORMATIONAL', 'UNIMPLEMENTED', 'FAILED']);
const closeBehavior = z.enum(['OK', 'UNCLEAN', 'WRONG CODE', 'FAILED BY CLIENT', 'FAILED', 'INFORMATIONAL']);

const verdict = z.object({
  caseId: text,
  title: text,
  spec: text,
  behavior,
  behaviorClose: closeBehavior,
  remoteCloseCode: figure,
  durationMs: z.number().min(0),
  repeated: z.boolean().exactOptional(),
  flaky: z.array(z.object({ behavior, behaviorClose: closeBehavior, count: amount })).exactOptional(),
  rule: text.exactOptional(),
  expected: text.exactOptional(),
  got: text.exactOptional(),
  reproduce: text.exactOptional(),
  wire: z
    .array(
      z.object({
        atUs: z.number(),
        direction: z.enum(['out', 'in', 'none']),
        text,
        hex: text.exactOptional(),
      }),
    )
    .exactOptional(),
  against: z.enum(['as-expected', 'worse', 'better']).exactOptional(),
});

const conform = z.object({
  ...base,
  kind: z.literal('conform'),
  strictness: z.enum(['autobahn', 'rfc']),
  failOn: z.enum(['failed', 'unclean', 'non-strict']),
  messages: amount,
  agents: z.array(
    z.object({
      name: text,
      url: text,
      verdicts: z.array(verdict),
      notRun: z.object({ reason: text, caseIds: z.array(text) }).exactOptional(),
    }),
  ),
});

/** Schema of a result, version 1. Fields that it does not know are allowed: within a version, fields are only added. */
export const resultSchema = z.discriminatedUnion('kind', [quick, stress, conform]);
