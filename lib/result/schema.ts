// The shape of a result as a schema, for reading saved files, and published as JSON Schema for others. result.ts is the shape that
// the compiler sees; a test keeps the two in step.
import { z } from 'zod';
import { amount, base, figure, text } from './schema-base.ts';
import { stress } from './schema-stress.ts';

const quick = z
  .object({
    ...base,
    kind: z.literal('quick').describe('What made the result.'),
    checks: z
      .array(
        z.object({
          id: text.describe('Stable name of the check.'),
          title: text.describe('The same for people.'),
          status: z.enum(['passed', 'failed', 'skipped']).describe('The verdict.'),
          durationMs: z.number().min(0).describe('How long it took, in ms.'),
          detail: text.describe('What was seen, in one line; of a skipped one, the reason.'),
          expected: text.exactOptional().describe('What was expected; only when it failed.'),
          got: text.exactOptional().describe('What came; only when it failed.'),
          reproduce: text.exactOptional().describe('The command that runs it alone; only when it failed.'),
        }),
      )
      .describe('The checks, in the order in which they ran.'),
  })
  .meta({ id: 'quick', title: 'Result of wsbench quick', description: 'Named checks of a service.' });

const behavior = z
  .enum(['OK', 'NON-STRICT', 'INFORMATIONAL', 'UNIMPLEMENTED', 'FAILED'])
  .describe("What happened, in Autobahn's words.");
const closeBehavior = z
  .enum(['OK', 'UNCLEAN', 'WRONG CODE', 'FAILED BY CLIENT', 'FAILED', 'INFORMATIONAL'])
  .describe("How the connection ended, in Autobahn's words.");

const verdict = z.object({
  caseId: text.describe("Autobahn's number of the case."),
  title: text.describe('What is sent.'),
  spec: text.describe('Where the rule stands.'),
  behavior,
  behaviorClose: closeBehavior,
  remoteCloseCode: figure.describe("Code of the target's close frame; null: none came, or it had none."),
  durationMs: z.number().min(0).describe('From the open connection to its end, in ms.'),
  repeated: z
    .boolean()
    .exactOptional()
    .describe('True: it failed beside others and was run again alone; this is the second verdict.'),
  flaky: z
    .array(z.object({ behavior, behaviorClose: closeBehavior, count: amount.describe('How often.') }))
    .exactOptional()
    .describe('With several runs of a case: how often each verdict came, when not always the same.'),
  rule: text.exactOptional().describe('Why it is judged otherwise than Autobahn does.'),
  expected: text.exactOptional().describe('What was expected; where the verdict is not OK.'),
  got: text.exactOptional().describe('What came; where the verdict is not OK.'),
  reproduce: text.exactOptional().describe('The command that runs it alone.'),
  wire: z
    .array(
      z.object({
        atUs: z.number().describe('µs after the connection was opened.'),
        direction: z.enum(['out', 'in', 'none']).describe('Sent, received, or neither.'),
        text: text.describe('In words.'),
        hex: text.exactOptional().describe('Its first bytes, in hex, where there are bytes.'),
      }),
    )
    .exactOptional()
    .describe('What went over the wire.'),
  against: z
    .enum(['as-expected', 'worse', 'better'])
    .exactOptional()
    .describe('Against the verdicts that were expected of this case.'),
});

const conform = z
  .object({
    ...base,
    kind: z.literal('conform').describe('What made the result.'),
    strictness: z
      .enum(['autobahn', 'rfc'])
      .describe("Autobahn's verdicts, or those of today's RFCs and registry."),
    failOn: z.enum(['failed', 'unclean', 'non-strict']).describe('The mildest verdict that fails the run.'),
    messages: amount.describe('Messages in each case of sections 12 and 13.'),
    agents: z
      .array(
        z.object({
          name: text.describe('As reports call it.'),
          url: text.describe('Its address, secrets masked.'),
          verdicts: z.array(verdict).describe('A verdict for each case that ran.'),
          notRun: z
            .object({
              reason: text.describe('Why.'),
              caseIds: z.array(text).describe('Which.'),
            })
            .exactOptional()
            .describe('Cases that were to run and did not.'),
        }),
      )
      .describe('The servers, in the order given.'),
  })
  .meta({
    id: 'conform',
    title: 'Result of wsbench conform',
    description: 'Verdicts on how a server keeps to the protocol.',
  });

/** Schema of a result, version 1. Fields that it does not know are allowed: within a version, fields are only added. */
export const resultSchema = z.discriminatedUnion('kind', [quick, stress, conform]).meta({
  title: 'Result of wsbench, version 1',
  description:
    'The one document that a run of wsbench produces. Names of fields end in their unit; fields that are not listed come from a newer wsbench.',
});
