// What results of every kind have, as a schema. What is said of each field is published with it: it is the documentation.
import { z } from 'zod';
import { schemaVersion } from './result.ts';

/** A figure that there may be none of. */
export const figure = z.number().nullable();
/** A count. */
export const amount = z.int().min(0);
export const text = z.string();

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
