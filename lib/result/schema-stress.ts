// The shape of a stress result as a schema, with what each figure means and its unit.
import { z } from 'zod';
import {
  type CounterMetric,
  counterMetrics,
  type DerivedMetric,
  derivedMetrics,
  type TimeMetric,
  timeMetrics,
} from '../metrics/names.ts';
import { amount, base, closeCounts, figure, text, timeStats } from './schema-base.ts';
import { recovery } from './schema-recovery.ts';

/** An object with exactly these names, all of one shape, each described. Names that a later version adds are not looked at. */
function record<Name extends string, Shape extends z.ZodType>(
  names: readonly Name[],
  shape: Shape,
  words: Record<Name, string>,
) {
  const fields = names.map((name) => [name, shape.describe(words[name])]);
  return z.object(Object.fromEntries(fields) as Record<Name, Shape>);
}

const times: Record<TimeMetric, string> = {
  connect: 'From the start of a connect to the open WebSocket.',
  'connect.dns': 'Its part that looked the name up.',
  'connect.tcp': 'Its part until TCP stood.',
  'connect.tls': 'Its part until TLS stood.',
  'connect.upgrade': 'Its part from the HTTP request to the 101.',
  rtt: 'Round trip: from when a message was due to its reply.',
  service: 'Service time: from when a message was sent to its reply.',
  ping: 'From a ping frame to its pong.',
  send_lag: "The generator's own delay: from when a message was due to the call that wrote it.",
};

const counted: Record<CounterMetric, string> = {
  'connections.attempted': 'Connects begun, in the whole run.',
  'connections.opened': 'Those that became open WebSockets.',
  'connections.failed': 'Those that did not.',
  'connections.closed': 'Open connections that ended.',
  'connections.abnormal': 'Those that the target ended, or that did not end with close code 1000.',
  'messages.scheduled': 'Messages due in the measure phase: sent + unsent.',
  'messages.sent': 'Those sent: matched + rejected + lost + interrupted.',
  'messages.unsent': 'Those never sent: their connection was not open, or did not take them.',
  'messages.matched': 'Those that were answered in time.',
  'messages.rejected': 'Those that were refused by a typed answer.',
  'messages.lost': 'Those without an answer within the time-out.',
  'messages.interrupted': 'Those without an answer when the run was stopped.',
  'messages.received': 'Messages that came: matched + rejected + late + duplicate + push + unexpected.',
  'messages.late': 'Answers to messages that were lost by then.',
  'messages.duplicate': 'Second answers to a message.',
  'messages.push': 'Messages that the server sends unasked.',
  'messages.unexpected': 'Messages that answer nothing and are not known as push.',
  'messages.reordered': 'Matched ones that came out of order.',
  'messages.corrupt': 'Matched ones whose content was not what was sent.',
  'bytes.sent': 'Bytes of the payloads sent.',
  'bytes.received': 'Bytes of the payloads received.',
  protocol_errors: 'What the target did against RFC 6455 on open connections.',
};

const computed: Record<DerivedMetric, string> = {
  errors:
    'Failed and abnormal connections, messages unsent, rejected, lost and corrupt, and protocol errors, together.',
  error_rate: '(Unsent + rejected + lost + corrupt) ÷ scheduled, 0 to 1; null: nothing was scheduled.',
  throughput: 'Replies that arrived within the measure phase, per second; null: nothing was measured.',
  uptime:
    'Part of the measure phase that the asked connections were open, 0 to 1; null: nothing was measured.',
  'backlog.end': 'Messages without an answer at the end of the measure phase; null: nothing was measured.',
};

const threshold = z.object({
  expression: text.describe('As it was written, such as rtt.p99<20ms.'),
  metric: text.describe('The metric that it judges.'),
  stat: text.nullable().describe('Which of its statistics, such as p99; null: the metric is one number.'),
  op: z.enum(['<', '<=', '>', '>=', '==', '!=']).describe('How the figure has to compare with the limit.'),
  limit: z.number().describe('The limit, in unit.'),
  unit: z.enum(['ms', '/s', '%', '']).describe('Unit of limit and actual.'),
  actual: figure.describe('What was measured, in unit; null: see reason.'),
  ok: z.boolean().describe('Whether it was met; one without a figure never is.'),
  source: z.enum(['default', 'scenario', 'option']).describe('Where it came from.'),
  reason: z.enum(['lost', 'no samples']).exactOptional().describe('Why actual is null.'),
});

const delay = z
  .object({
    mean: z.number().describe('Mean, in ms.'),
    p50: z.number().describe('Median, in ms.'),
    p99: z.number().describe('99th percentile, in ms.'),
    max: z.number().describe('The longest, in ms.'),
  })
  .meta({ id: 'delay', description: "Distribution of one of the generator's own delays." });

const gc = z
  .object({
    count: amount.describe('Collections.'),
    totalMs: z.number().describe('Time in all of them, in ms.'),
    maxMs: z.number().describe('The longest, in ms.'),
  })
  .meta({ id: 'gc', description: 'Garbage collections in the measure phase.' });

const workerHealth = z.object({
  worker: amount.describe('1, 2, …'),
  loopDelay: delay.describe('Delay of its event loop.'),
  cpu: z.number().describe('CPU of its thread, 1 = one core; with one worker that of the process.'),
  gc,
  sendLagP99: figure.describe('99th percentile of its send lag, in ms; null: it sent nothing by schedule.'),
  heapBytes: z.number().describe('The most of its heap that was seen in use, in bytes.'),
});

const generator = z.object({
  limited: z
    .boolean()
    .describe("True: its own delay, not the target's, dominates; latencies are not to be trusted."),
  reasons: z.array(text).describe('By what it was limited.'),
  advice: z.array(text).describe('What would help.'),
  throughputIsLowerBound: z
    .boolean()
    .describe('True: closed model and a full CPU; the target can do at least what was measured.'),
  workers: amount.describe('Threads that made the load.'),
  perWorker: z.array(workerHealth).exactOptional().describe('How each of several workers fared.'),
  loopDelay: delay.describe('Delay of its event loops.'),
  cpu: z.number().describe('CPU used in the measure phase by all workers, 1 = one core.'),
  gc,
  waitedLong: z.number().describe('Share of messages that waited more than 50 ms for the generator, 0 to 1.'),
  throttled: z
    .object({
      ms: z.number().describe('Time that the quota took, in ms.'),
      periods: amount.describe('In how many of its periods.'),
    })
    .exactOptional()
    .describe('What the CPU quota of a control group took in the measure phase; only where there is one.'),
});

const series = z.object({
  due: z
    .array(
      z.object({
        second: amount.describe('Seconds since the measure phase began.'),
        matched: amount.describe('Messages due in this second that were answered in time.'),
        rejected: amount.describe('Those refused by a typed answer.'),
        lost: amount.describe('Those without an answer within the time-out.'),
        unsent: amount.describe('Those never sent.'),
        p50: figure.describe('Median round trip, in ms; null: no samples, or the rank is a lost message.'),
        p99: figure.describe('99th percentile of the round trip, in ms; null as above.'),
        max: figure.describe('Longest round trip, in ms; null as above.'),
        hdr: text
          .exactOptional()
          .describe('Round trips of this second in µs: an HdrHistogram V2 payload, deflated, in base64.'),
      }),
    )
    .describe('A row a second by when messages were due: what became of them.'),
  wall: z
    .array(
      z.object({
        second: amount.describe('Seconds since the measure phase began.'),
        sent: amount.describe('Messages sent in this second.'),
        received: amount.describe('Messages that came in it.'),
        open: amount.describe('Connections open at its end.'),
      }),
    )
    .describe('A row a second by the clock: what happened in it. It goes on into the drain.'),
  secondsPerRow: amount
    .exactOptional()
    .describe('How many seconds a row stands for, where it is more than one: runs of more than 12 hours.'),
});

const messagesApart = {
  sent: z.number().describe('Messages sent.'),
  unsent: z.number().describe('Messages never sent.'),
  matched: z.number().describe('Messages answered in time.'),
  rejected: z.number().describe('Messages refused by a typed answer.'),
  lost: z.number().describe('Messages without an answer within the time-out.'),
};

/** Schema of a stress result. */
export const stress = z
  .object({
    ...base,
    kind: z.literal('stress').describe('What made the result.'),
    model: z
      .enum(['open', 'closed'])
      .describe('Open: messages by schedule, whatever the replies do. Closed: the next when the reply came.'),
    metrics: record(timeMetrics, timeStats, times).describe('Distributions of times, by name.'),
    counters: record(counterMetrics, amount, counted).describe(
      'Events of the measure phase; connections: of the whole run.',
    ),
    derived: record(derivedMetrics, figure, computed).describe(
      'Figures that follow from counters and clock.',
    ),
    openAtEnd: amount.describe('Connections still open after measure phase and drain.'),
    phases: z
      .object({
        connectMs: z.number().describe('Opening the connections, in ms.'),
        settleMs: z.number().describe('Waiting for quiet, with one probe message, in ms.'),
        warmupMs: z.number().describe('Load that counts nowhere, in ms.'),
        measureMs: z.number().describe('Load that counts, in ms.'),
        drainMs: z.number().describe('Waiting for the last replies, in ms.'),
      })
      .describe('Lengths of the phases as they happened, in their order.'),
    closes: closeCounts('closed', 'How many connections closed like this.'),
    failures: z
      .array(
        z.object({
          kind: text.describe('Such as refused, dns, tls, http, timeout, reset.'),
          detail: text.describe('What happened, in one line.'),
          count: amount.describe('How many connections failed like this.'),
          hint: text.exactOptional().describe('What may be the cause, or help.'),
        }),
      )
      .describe('Connections that never opened, by cause.'),
    violations: z
      .array(
        z.object({
          detail: text.describe('What the target did, and how it was answered.'),
          count: amount.describe('How often.'),
        }),
      )
      .exactOptional()
      .describe('What the target did against RFC 6455 on open connections; their sum is protocol_errors.'),
    unsent: z
      .array(z.object({ reason: text.describe('Why.'), count: amount.describe('How many messages.') }))
      .describe('Unsent messages by reason.'),
    rejections: z
      .array(
        z.object({
          code: text.describe('Code of the refusal.'),
          count: amount.describe('How many messages.'),
        }),
      )
      .describe('Typed refusals by code.'),
    series: series.describe('The measure phase by seconds.'),
    thresholds: z.array(threshold).describe('What was demanded of the run, judged.'),
    generator: generator.describe('How the generator itself fared.'),
    warmup: z
      .object(messagesApart)
      .exactOptional()
      .describe('Messages of the warm-up, which count nowhere else.'),
    slowConsumers: z
      .object({ connections: z.number().describe('How many.'), ...messagesApart })
      .exactOptional()
      .describe(
        'Connections that read slowly, and their messages in the measure phase, which count nowhere else.',
      ),
    recovery: recovery
      .exactOptional()
      .describe('How lost connections came back; only where they were asked to.'),
  })
  .meta({ id: 'stress', title: 'Result of wsbench stress', description: 'Load, and what became of it.' });
