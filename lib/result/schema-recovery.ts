// How connections came back, as a schema: of storms, and of loads whose lost connections return.
import { z } from 'zod';
import { amount, closeCounts, figure, timeStats } from './schema-base.ts';

/** Schema of the recovery in a stress result. */
export const recovery = z.object({
  policy: z
    .enum(['jitter', 'immediate'])
    .describe(
      'jitter: backoff with full jitter, or the window of the server. immediate: at once, and again.',
    ),
  storm: z
    .object({
      by: z.enum(['client', 'server']).describe('Who let the connections go.'),
      drop: z
        .enum(['rst', 'fin', 'close'])
        .nullable()
        .describe(
          'How the client did: TCP reset, hanging up, or a close frame with 1001; null: the server did.',
        ),
      atMs: figure.describe('When the first was gone, in ms of the measure phase; null: none was.'),
    })
    .exactOptional()
    .describe('Only of a storm: all connections went at once.'),
  connections: amount.describe('Connections that were asked for.'),
  lost: amount.describe('Losses: a connection may be lost more than once.'),
  returned: amount.describe('Losses after which the connection came back.'),
  missing: amount.describe('Connections that were not back at the end.'),
  attempts: z
    .object({
      total: amount.describe('Attempts to come back.'),
      mean: figure.describe('By loss; null: nothing was lost.'),
      max: amount.describe('The most that one loss took.'),
    })
    .describe('Attempts to come back.'),
  connects: z
    .object({
      peakPerSecond: z.number().describe('The most in any 100 ms, as a rate.'),
      meanPerSecond: figure.describe('From the first attempt to the last; null: there was none.'),
    })
    .describe('Attempts a second.'),
  time: timeStats.describe(
    "Until connections were back: in a storm from the first loss of all, otherwise from each connection's own.",
  ),
  gap: timeStats.describe("From each connection's own loss until it was open and joined again."),
  windows: z
    .object({
      given: amount.describe('Losses and refusals for which the server said when to come back.'),
      early: amount.describe('Attempts before that.'),
      late: amount.describe('Attempts after it.'),
      minMs: figure.describe(
        'The earliest that it asked for, in ms from when it said so; null: it never did.',
      ),
      maxMs: figure.describe('The latest; null as above.'),
    })
    .describe('Windows that the server gave with DRAIN or Retry-After, and whether they were kept.'),
  messages: z
    .object({
      inFlight: amount.describe('Under way on a connection when it was lost.'),
      unsent: amount.describe('Due while their connection was away.'),
    })
    .describe('Messages that fell into the gap.'),
  closes: closeCounts('were lost', 'How many connections were lost like this.'),
  series: z
    .array(
      z.object({
        atMs: z
          .number()
          .describe('Begin of the 100 ms, in ms of the measure phase; below 0: in the warm-up.'),
        lost: amount.describe('Connections lost in it.'),
        attempts: amount.describe('Attempts begun in it.'),
        back: amount.describe('Connections that came back in it.'),
      }),
    )
    .describe('Each 100 ms in which something happened.'),
});
