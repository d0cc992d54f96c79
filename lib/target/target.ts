// How a target talks: the description that the load engine, the checks and the interactive client go by.
import { z } from 'zod';
import { count, duration, ratePerSecond, sizeBytes } from '../quantities.ts';
import { checkMatcher, matcherSchema, matcherShape, pointerSchema, regexSchema } from './matcher.ts';
import { messageSchema, placeholdersIn } from './template.ts';

/** Where a credential travels. `message`: in a message after the connection opened. */
export const credentialPlaces = ['header', 'query', 'subprotocol', 'cookie', 'message'] as const;
export type CredentialPlace = (typeof credentialPlaces)[number];

/** One exchange after the connection opened: what is sent, if anything, and what must come, if anything. */
const stepSchema = z
  .strictObject({
    /** Do it only when this is given: `token`, or the name of a variable that is not empty. */
    if: z.string().optional(),
    /** Do it only when this is not given. */
    unless: z.string().optional(),
    send: messageSchema.optional(),
    /** What must come before the next step. Other messages are passed over. */
    expect: matcherSchema.optional(),
    /** A message like this says no: the connection counts as failed. */
    refuse: matcherSchema.optional(),
  })
  .superRefine((step, context) => {
    if (step.send === undefined && step.expect === undefined) {
      context.addIssue({ code: 'custom', message: 'a step sends or expects something' });
    }
    if (step.refuse !== undefined && step.expect === undefined) {
      context.addIssue({ code: 'custom', path: ['refuse'], message: 'refuse needs an expect beside it' });
    }
  });

const authSchema = z.strictObject({
  /** Where the token travels. */
  in: z.enum(credentialPlaces),
  /** Name of the header (Authorization), query parameter (token) or cookie (token). */
  name: z.string().min(1).optional(),
  /** What is put there: `Bearer {{ token }}` in a header, `bearer.{{ token }}` as subprotocol, else `{{ token }}`. */
  value: z.string().min(1).optional(),
  /** True: without a valid token nobody gets in. The checks then try. */
  required: z.boolean().default(false),
  /** How to authenticate by message; needed with `in: message` unless a step of `join` holds `{{ token }}`. */
  message: stepSchema.optional(),
  /** How a connection that is open gets a fresh token. */
  refresh: z
    .strictObject({
      /** The target asks for one by a message like this. A token that says when it expires is renewed before, too. */
      when: matcherSchema.optional(),
      send: messageSchema,
      /** The answer, which is not traffic. */
      expect: matcherSchema.optional(),
      refuse: matcherSchema.optional(),
    })
    .optional(),
});

const fileSchema = z.strictObject({
  /** Name that reports use. */
  name: z.string().regex(/^[a-z][a-z\d.-]*$/, 'small letters, digits, dots and hyphens, a letter first'),
  /** One line for people. */
  title: z.string().optional(),
  /** What the checks may take for granted: raw echo, the whole reference protocol, or only what stands here. */
  speaks: z.enum(['echo', 'wsbench', 'other']).default('other'),
  /** Variables for `{{ name }}`, with their defaults; `-e name=value` overrides one. */
  vars: z.record(z.string().regex(/^[a-zA-Z_][\w-]*$/, 'letters, digits, _ and -'), z.unknown()).default({}),
  connect: z
    .strictObject({
      /** Path to use when the URL has none. */
      path: z.string().startsWith('/').optional(),
      /** Query parameters that are added unless the URL has them. */
      query: z.record(z.string(), z.string()).default({}),
      headers: z.record(z.string(), z.string()).default({}),
      /** Subprotocols to offer unless others are asked for. */
      subprotocols: z.array(z.string().min(1)).default([]),
    })
    .prefault({}),
  auth: authSchema.optional(),
  /** What makes a new connection ready, in order. It counts as opened when the last step is done. */
  join: z.array(stepSchema).default([]),
  heartbeat: z
    .strictObject({
      /** Send this every so often on each connection. */
      every: duration.optional(),
      send: messageSchema.optional(),
      /** What to answer the target's own heartbeats with. `{{ /pointer }}` stands for a value of the heartbeat. */
      reply: z.array(z.strictObject({ when: matcherSchema, send: messageSchema })).default([]),
    })
    .superRefine(({ every, send }, context) => {
      if ((every === undefined) !== (send === undefined)) {
        context.addIssue({ code: 'custom', message: 'every and send go together' });
      }
    })
    .prefault({}),
  /**
   * The message that is measured. `{{ id }}` is a text unique to the run and the message, `{{ seq }}` a whole number
   * of 13 digits that counts up, `{{ pad }}` filler up to the asked size, `{{ connection }}` the number of the connection,
   * from 0. All have a fixed width on a connection.
   */
  request: messageSchema,
  /** Message size in bytes when none is asked for; what the request needs is the least. */
  size: sizeBytes.optional(),
  /** How a reply finds its request. */
  match: z.discriminatedUnion('by', [
    /** The reply carries the request's `{{ id }}` or `{{ seq }}` among its bytes. */
    z.strictObject({ by: z.literal('marker') }),
    /** Replies come in the order of the requests. */
    z.strictObject({ by: z.literal('order') }),
    /** The reply is JSON and has the request's `{{ id }}` or `{{ seq }}` at this pointer. */
    z.strictObject({
      by: z.literal('id'),
      pointer: pointerSchema,
      /** More messages may follow with the same id (a subscription): they are pushes, not duplicates. */
      repeats: z.boolean().default(false),
    }),
    /** The first group of this regular expression finds the request's `{{ id }}` or `{{ seq }}` in the reply. */
    z.strictObject({ by: z.literal('regex'), pattern: regexSchema, repeats: z.boolean().default(false) }),
    /** The target does not reply: a ping frame follows each message, and its pong is the reply. */
    z.strictObject({ by: z.literal('pong') }),
  ]),
  /** True: the reply must equal the request byte by byte; anything else is corrupt. */
  echoes: z.boolean().default(false),
  /** A reply like this is a typed refusal; `code` points at what kind: the first of several places where something is. */
  error: z
    .strictObject({
      ...matcherShape,
      code: z.union([pointerSchema, z.array(pointerSchema).min(1)]).optional(),
    })
    .superRefine(checkMatcher)
    .optional(),
  /** Messages like one of these are pushed by the server and answer nothing. */
  push: z.array(matcherSchema).default([]),
  /** What the target allows, if it says. */
  limits: z
    .strictObject({
      /** Messages a second on one connection. */
      messages: ratePerSecond.optional(),
      connections: count.optional(),
      /** Largest message. */
      size: sizeBytes.optional(),
    })
    .prefault({}),
});

/** Schema of a target file (`*.target.yml`). */
export const targetSchema = fileSchema.superRefine((target, context) => {
  const issue = (path: (string | number)[], message: string): void =>
    context.addIssue({ code: 'custom', path, message });
  for (const [part, allowed] of allowedPlaceholders) {
    for (const { name, path } of placeholdersIn(target[part], [part])) {
      const known = name.startsWith('env.') || Object.hasOwn(target.vars, name) || allowed(name);
      if (!known) issue(path, `{{ ${name} }} means nothing here; variables are declared in vars`);
    }
  }
  target.join.forEach((step, index) => {
    for (const key of ['if', 'unless'] as const) {
      const name = step[key];
      if (name === undefined || name === 'token' || Object.hasOwn(target.vars, name)) continue;
      issue(['join', index, key], `${name} is neither token nor a variable of vars`);
    }
  });
  const inRequest = placeholdersIn(target.request).map(({ name }) => name);
  const numbered = inRequest.includes('id') || inRequest.includes('seq');
  const { by } = target.match;
  if (!numbered && by !== 'order' && by !== 'pong') {
    issue(['match', 'by'], `${by} needs {{ id }} or {{ seq }} in the request`);
  }
  if (by === 'regex' && !hasGroup(target.match.pattern)) {
    issue(['match', 'pattern'], 'the pattern needs a group (…) around the id');
  }
  // A variable may hold it, too.
  const inJoin = placeholdersIn([target.join, target.vars]).some(({ name }) => name === 'token');
  if (target.auth?.in === 'message' && target.auth.message === undefined && !inJoin) {
    issue(['auth', 'in'], 'needs auth.message, or a step of join with {{ token }}');
  }
});

const inSteps = (name: string): boolean => /^(token|token\.base64url|connection|\/.*)$/.test(name);
const allowedPlaceholders: readonly [keyof z.output<typeof fileSchema>, (name: string) => boolean][] = [
  ['connect', () => false],
  ['auth', inSteps],
  ['join', inSteps],
  ['heartbeat', inSteps],
  ['request', (name) => ['id', 'seq', 'pad', 'token', 'connection'].includes(name)],
];

/** Whether a regular expression has a capturing group: with an empty alternative it matches anything. */
function hasGroup(pattern: string): boolean {
  // What is no regular expression at all has an issue of its own already.
  if (!regexSchema.safeParse(pattern).success) return true;
  return (new RegExp(`${pattern}|`, 'u').exec('')?.length ?? 1) > 1;
}

/** How a target talks. */
export type Target = z.output<typeof targetSchema>;
/** One exchange after a connection opened. */
export type Step = z.output<typeof stepSchema>;
