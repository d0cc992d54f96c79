// What results of every kind have, as a schema. What is said of each field is published with it: it is the documentation.
import { z } from 'zod';
import { schemaVersion } from './result.ts';

/** A figure that there may be none of. */
export const figure = z.number().nullable();
/** A count. */
export const amount = z.int().min(0);
export const text = z.string();

const percentile = (of: string) =>
  figure.describe(`${of}, in ms, ranked over count + censored; null: see reason.`);

/** Distribution of a time, in ms. */
export const timeStats = z
  .object({
    count: amount.describe('Samples.'),
    censored: amount.describe('Messages without a sample: lost or never sent. They rank above every sample.'),
    min: figure.describe('The shortest, in ms.'),
    mean: figure.describe('Mean, in ms; null where messages are without a sample: see reason.'),
    p50: percentile('Median'),
    p90: percentile('90th percentile'),
    p95: percentile('95th percentile'),
    p99: percentile('99th percentile'),
    p999: percentile('99.9th percentile'),
    max: percentile('The longest'),
    unit: z.literal('ms').describe('Unit of the figures above.'),
    reason: z
      .enum(['lost', 'no samples'])
      .exactOptional()
      .describe('Why figures are null: they fall among messages without a sample, or there is none at all.'),
    hdr: text
      .exactOptional()
      .describe(
        'All samples in µs: an HdrHistogram V2 payload, deflated, in base64. Only where there are some.',
      ),
  })
  .meta({ id: 'timeStats', description: 'A distribution of times.' });

/** How connections ended: which did so, and what their count counts. */
export const closeCounts = (which: string, count: string) =>
  z
    .array(
      z.object({
        code: amount.describe('Close code; 1006: no close frame, 1005: one without a code.'),
        by: z.enum(['us', 'peer', 'none']).describe('Who began the close.'),
        clean: z.boolean().describe('Whether both close frames came.'),
        count: amount.describe(count),
      }),
    )
    .describe(`How connections ${which}.`);

export const base = {
  schemaVersion: z
    .literal(schemaVersion)
    .describe('Version of this shape. Within a version fields are only added.'),
  run: z
    .object({
      id: text.describe(
        'Name of the run, such as 2026-11-23T02-26-01Z-stress: sorts by age, fits a file name.',
      ),
      wsbench: text.describe('Version of wsbench that made the run.'),
      startedAt: text.describe('When it began: ISO 8601, UTC.'),
      durationMs: z.number().min(0).describe('How long all of it took, in ms.'),
      seed: z.number().describe('Seed of everything that was left to chance.'),
      complete: z.boolean().describe('False: it was stopped before its schedule ended.'),
      reproduce: text.exactOptional().describe('The command that repeats it, secrets masked.'),
      mergedFrom: z
        .array(text)
        .exactOptional()
        .describe('Ids of the runs that this result was merged from: shards of one load.'),
    })
    .describe('When and by what the run was made.'),
  plan: z
    .object({
      hash: text.describe('Equal for equal plans.'),
      name: text.describe('Name of the scenario.'),
      options: z
        .record(text, z.unknown())
        .describe('Everything that was asked for, by name; the unit is in the name. Secrets are masked.'),
    })
    .describe('What was asked for.'),
  target: z
    .object({
      url: text.describe('Its address, secrets masked.'),
      embedded: z.boolean().describe("True: wsbench's own server, on the same machine."),
      description: text.describe(
        'Target description in use: name of a preset or file; any: nothing was known.',
      ),
      series: z.unknown().exactOptional().describe("Reserved for the server's own figures."),
    })
    .describe('The server under test.'),
  host: z
    .object({
      node: text.describe('Version of Node.'),
      platform: text.describe('Operating system and its release.'),
      arch: text.describe('Architecture, such as x64.'),
      cpuModel: text.describe('Name of the processor.'),
      cpus: z.number().describe('Processors that could be used.'),
      memoryBytes: z.number().describe('Memory of the machine, in bytes.'),
    })
    .describe('The machine that measured.'),
  outcome: z
    .enum(['passed', 'failed', 'inconclusive', 'interrupted'])
    .describe('How the run ended. Inconclusive: the generator, not the target, was the bottleneck or broke.'),
  reasons: z
    .array(
      z.object({
        code: z
          .enum([
            'bug',
            'target-description',
            'generator-limited',
            'generator-resources',
            'lost-worker',
            'sigint',
            'sigterm',
            'aborted',
            'killed',
            'unreachable',
            'threshold',
            'check',
            'verdict',
          ])
          .describe('The kind of reason; each has one exit code.'),
        message: text.describe('The reason in one line.'),
      }),
    )
    .describe('Why it did not simply pass; empty when it did.'),
  warnings: z
    .array(
      z.object({
        code: text.describe('The kind of warning, such as backlog.'),
        message: text.describe('The warning in one line.'),
      }),
    )
    .describe('What is worth knowing and changes no outcome.'),
};
