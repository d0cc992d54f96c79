// The parts of a target file, each by itself.
import { z } from 'zod';
import { count, duration, ratePerSecond, sizeBytes } from '../quantities.ts';
import {
  checkMatcher,
  matcherRules,
  matcherSchema,
  matcherShape,
  pointerSchema,
  regexSchema,
} from './matcher.ts';
import { messageSchema } from './template.ts';

/** Where a credential travels. `message`: in a message after the connection opened. */
export const credentialPlaces = ['header', 'query', 'subprotocol', 'cookie', 'message'] as const;
export type CredentialPlace = (typeof credentialPlaces)[number];

/** Names that stand for something of a connection or a message, and so cannot be variables. */
const taken = ['id', 'seq', 'pad', 'token', 'connection', 'env'];

/** Without an answer to wait for, nobody looks whether one says no. */
function checkRefuse(
  { expect, refuse }: { expect?: unknown; refuse?: unknown },
  context: z.RefinementCtx,
): void {
  if (refuse === undefined || expect !== undefined) return;
  context.addIssue({ code: 'custom', path: ['refuse'], message: 'refuse needs an expect beside it' });
}
const refuseRules = { dependentRequired: { refuse: ['expect'] } };

/** One exchange after the connection opened: what is sent, if anything, and what must come, if anything. */
const stepSchema = z
  .strictObject({
    if: z
      .string()
      .describe('Do it only when this is given: `token`, or the name of a variable that is not empty.')
      .optional(),
    unless: z
      .string()
      .describe('Do it only when this is not given: `token`, or the name of a variable.')
      .optional(),
    send: messageSchema.optional(),
    expect: matcherSchema
      .describe('What must come before the next step. Other messages are passed over.')
      .optional(),
    refuse: matcherSchema
      .describe('A message like this says no: the connection counts as failed.')
      .optional(),
  })
  .superRefine((step, context) => {
    if (step.send === undefined && step.expect === undefined) {
      context.addIssue({ code: 'custom', message: 'a step sends or expects something' });
    }
    checkRefuse(step, context);
  })
  .meta({
    id: 'step',
    description: 'One exchange after the connection opened.',
    anyOf: [{ required: ['send'] }, { required: ['expect'] }],
    ...refuseRules,
  });

const authSchema = z.strictObject({
  in: z.enum(credentialPlaces).describe('Where the token travels.'),
  name: z
    .string()
    .min(1)
    .describe('Name of the header (Authorization), query parameter (token) or cookie (token).')
    .optional(),
  value: z
    .string()
    .min(1)
    .describe(
      'What is put there: `Bearer {{ token }}` in the header Authorization, `bearer.{{ token }}` as subprotocol, else `{{ token }}`.',
    )
    .optional(),
  subprotocol: z
    .string()
    .min(1)
    .describe(
      'Subprotocol to offer beside a token that travels as one, unless others are: clients give up when none of those that they offer is chosen, and the token must not be.',
    )
    .optional(),
  required: z
    .boolean()
    .describe('true: without a valid token nobody gets in. The checks then try.')
    .default(false),
  message: stepSchema
    .describe(
      'How to authenticate by message; needed with `in: message` unless a step of join holds {{ token }}.',
    )
    .optional(),
  refresh: z
    .strictObject({
      when: matcherSchema
        .describe(
          'The target asks for a fresh token by a message like this. A token that says when it expires is renewed before, too.',
        )
        .optional(),
      send: messageSchema,
      expect: matcherSchema.describe('The answer, which is not traffic.').optional(),
      refuse: matcherSchema.describe('A message like this says no.').optional(),
    })
    .superRefine(checkRefuse)
    .meta(refuseRules)
    .describe('How a connection that is open gets a fresh token.')
    .optional(),
});

const texts = z.record(z.string(), z.string());

const connectSchema = z.strictObject({
  path: z.string().startsWith('/').describe('Path to use when the URL has none.').optional(),
  query: texts.describe('Query parameters that are added unless the URL has them.').default({}),
  headers: texts.describe('Request headers of the upgrade, unless others are given with -H.').default({}),
  subprotocols: z
    .array(z.string().min(1))
    .describe('Subprotocols to offer unless others are asked for.')
    .default([]),
});

// Timers hold little more, and then fire at once.
const mostBeatMs = 86_400_000;

const heartbeatSchema = z
  .strictObject({
    every: duration.describe('Send the heartbeat this often on each connection.').optional(),
    send: messageSchema.optional(),
    reply: z
      .array(z.strictObject({ when: matcherSchema, send: messageSchema }))
      .describe(
        "What to answer the target's own heartbeats with. {{ /pointer }} stands for a value of the heartbeat.",
      )
      .default([]),
  })
  .superRefine(({ every, send }, context) => {
    if ((every === undefined) !== (send === undefined)) {
      context.addIssue({ code: 'custom', message: 'every and send go together' });
    }
    if (every !== undefined && (every < 1 || every > mostBeatMs)) {
      context.addIssue({ code: 'custom', path: ['every'], message: 'must be between 1ms and 24h' });
    }
  })
  .meta({ dependentRequired: { every: ['send'], send: ['every'] } });

const repeats = z
  .boolean()
  .describe(
    'true: more messages may follow with the same id (a subscription): they are pushes, not duplicates.',
  )
  .default(false);

const matchSchema = z.discriminatedUnion('by', [
  z
    .strictObject({ by: z.literal('marker') })
    .describe("The reply carries the request's {{ id }} or {{ seq }} among its bytes."),
  z.strictObject({ by: z.literal('order') }).describe('Replies come in the order of the requests.'),
  z
    .strictObject({
      by: z.literal('id'),
      pointer: pointerSchema.describe('Where the id is in the reply.'),
      repeats,
    })
    .describe("The reply is JSON and has the request's {{ id }} or {{ seq }} at this pointer."),
  z
    .strictObject({
      by: z.literal('regex'),
      pattern: regexSchema.describe('With a group (…) around the id.'),
      repeats,
    })
    .describe(
      "The first group of this regular expression finds the request's {{ id }} or {{ seq }} in the reply.",
    ),
  z
    .strictObject({ by: z.literal('pong') })
    .describe('The target does not reply: a ping frame follows each message, and its pong is the reply.'),
]);

const errorSchema = z
  .strictObject({
    ...matcherShape,
    code: z
      .union([pointerSchema, z.array(pointerSchema).min(1)], { error: 'a JSON pointer, or a list of them' })
      .describe('JSON pointer to what kind of refusal it is; of several, the first where something is.')
      .optional(),
    id: pointerSchema
      .describe('With match by id: where a refusal has the id, when that is elsewhere than in a reply.')
      .optional(),
  })
  .superRefine(checkMatcher)
  .meta(matcherRules);

const drainSchema = z.strictObject({
  when: matcherSchema.describe('The message that says so.'),
  minMs: pointerSchema.describe('JSON pointer to the ms, from now, before which nobody should come back.'),
  maxMs: pointerSchema.describe('JSON pointer to the ms after which nobody need wait.'),
});

const limitsSchema = z.strictObject({
  messages: ratePerSecond.describe('Messages a second on one connection.').optional(),
  connections: count.describe('Connections at the same time.').optional(),
  size: sizeBytes.describe('Largest message.').optional(),
});

const variableName = z
  .string()
  .regex(/^[a-zA-Z_][\w-]*$/, 'letters, digits, _ and -, a letter first')
  .refine((name) => !taken.includes(name), { error: `${taken.join(', ')} stand for something already` })
  .meta({ not: { enum: taken } });

/** Shape of a target file. */
export const targetShape = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z\d.-]*$/, 'small letters, digits, dots and hyphens, a letter first')
    .describe('Name that reports use.'),
  title: z.string().describe('One line for people.').optional(),
  speaks: z
    .enum(['echo', 'wsbench', 'other'])
    .describe(
      'What the checks may take for granted: raw echo, the whole reference protocol, or only what stands here.',
    )
    .default('other'),
  vars: z
    .record(variableName, z.unknown())
    .describe('Variables for {{ name }}, with their defaults; -e name=value overrides one.')
    .default({}),
  connect: connectSchema.describe('What the upgrade request looks like.').prefault({}),
  auth: authSchema.describe('Where tokens go.').optional(),
  join: z
    .array(stepSchema)
    .describe('What makes a new connection ready, in order. It counts as opened when the last step is done.')
    .default([]),
  heartbeat: heartbeatSchema.describe('What keeps a connection alive.').prefault({}),
  request: messageSchema.describe(
    'The message that is measured. {{ id }} is a text unique to the run and the message, {{ seq }} a whole number of ' +
      '13 digits that counts up, {{ pad }} filler up to the asked size. All have a fixed width within a run.',
  ),
  size: sizeBytes
    .describe('Message size in bytes when none is asked for; what the request needs is the least.')
    .optional(),
  match: matchSchema.describe('How a reply finds its request.'),
  echoes: z
    .boolean()
    .describe('true: the reply must equal the request byte by byte; anything else is corrupt.')
    .default(false),
  error: errorSchema
    .describe('A reply like this is a typed refusal: counted as rejected, with its code.')
    .optional(),
  push: z
    .array(matcherSchema)
    .describe('Messages like one of these are pushed by the server and answer nothing.')
    .default([]),
  drain: drainSchema.describe('How it says that it goes, and when its clients should come back.').optional(),
  limits: limitsSchema.describe('What the target allows, if it says.').prefault({}),
});

/** How a target talks. */
export type Target = z.output<typeof targetShape>;
/** One exchange after a connection opened. */
export type Step = z.output<typeof stepSchema>;
