// How a target talks: the description that the load engine and the checks go by.
import { z } from 'zod';

const pointer = z.string().regex(/^(\/[^/]*)+$/, 'a JSON pointer starts with /, like /id');

/** Schema of a target file (`*.target.yml`). */
export const targetSchema = z.strictObject({
  /** Name that options and reports use. */
  name: z.string().regex(/^[a-z][a-z\d-]*$/),
  /** One line for people. */
  title: z.string(),
  /** What the checks may take for granted: raw echo, or the whole reference protocol. */
  speaks: z.enum(['echo', 'wsbench']),
  /**
   * The message that is sent, as a template. `{{ id }}` is a string unique to the run and the message, `{{ seq }}` the
   * message's number in 12 digits, `{{ pad }}` filler up to the asked size. All have a fixed width within a run.
   */
  request: z.string().min(1),
  /** Message size in bytes when none is asked for; what the request needs is the least. */
  size: z.int().min(0).optional(),
  /** How a reply finds its request. */
  match: z.discriminatedUnion('by', [
    /** The reply carries the request's `{{ id }}` or `{{ seq }}` among its bytes. */
    z.strictObject({ by: z.literal('marker') }),
    /** Replies come in the order of the requests. */
    z.strictObject({ by: z.literal('order') }),
    /** The reply is JSON and has the request's `{{ id }}` at this pointer. */
    z.strictObject({ by: z.literal('id'), pointer }),
  ]),
  /** True: the reply must equal the request byte by byte; anything else is corrupt. */
  echoes: z.boolean().default(false),
  /** A JSON reply with this value at this pointer is a typed refusal; `code` points at what kind. */
  error: z.strictObject({ pointer, equals: z.string(), code: pointer.optional() }).optional(),
  /** JSON messages with one of these values at this pointer are pushed by the server and answer nothing. */
  push: z.strictObject({ pointer, in: z.array(z.string()).min(1) }).optional(),
});

/** How a target talks. */
export type Target = z.output<typeof targetSchema>;
