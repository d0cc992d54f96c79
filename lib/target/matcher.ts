// Conditions on a message that was received: how a target file says "one like this". Pure.
import { z } from 'zod';

/** Schema of a JSON pointer. RFC 6901 §3 */
export const pointerSchema = z
  .string()
  .regex(/^(\/([^/~]|~[01])*)+$/, 'a JSON pointer starts with /, like /id; ~ and / in a name are ~0 and ~1');

/** Schema of a regular expression in JavaScript's syntax, without slashes around it. */
export const regexSchema = z.string().superRefine((text, context) => {
  if (/\{\{\s*[^{}\s]+\s*\}\}/.test(text)) {
    context.addIssue({ code: 'custom', message: 'placeholders are not filled in in regular expressions' });
    return;
  }
  try {
    new RegExp(text, 'u');
  } catch (error) {
    // `Invalid regular expression: /(/u: Unterminated group`
    const why = (error as Error).message.split(': ').at(-1);
    context.addIssue({ code: 'custom', message: `not a regular expression: ${why}` });
  }
});

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: 'a text, a number, true, false or null',
});
const conditions = ['equals', 'in', 'starts', 'matches', 'exists', 'all', 'any'] as const;

const simpleShape = {
  pointer: pointerSchema
    .describe(
      'JSON pointer (RFC 6901): where in the JSON message to look. Without it the condition is on the whole text.',
    )
    .optional(),
  equals: scalar.describe('It is exactly this.').optional(),
  in: z.array(scalar).min(1).describe('It is one of these.').optional(),
  starts: z.string().min(1).describe('It is a text that starts with this.').optional(),
  matches: regexSchema
    .describe("It is a text that this regular expression (JavaScript's, without slashes) finds something in.")
    .optional(),
  exists: z
    .boolean()
    .describe('true: there is something at the pointer, be it null. false: nothing is.')
    .optional(),
};

/** Issues of a matcher that its shape alone does not tell. */
export function checkMatcher(
  matcher: { [K in (typeof conditions)[number] | 'pointer']?: unknown },
  context: z.RefinementCtx,
): void {
  const given = conditions.filter((name) => matcher[name] !== undefined);
  if (given.length !== 1) {
    const message = `one condition is needed (${conditions.join(', ')}), not ${given.length === 0 ? 'none' : given.join(' and ')}`;
    context.addIssue({ code: 'custom', message });
  }
  if (matcher.exists !== undefined && matcher.pointer === undefined) {
    context.addIssue({ code: 'custom', path: ['exists'], message: 'exists needs a pointer' });
  }
  for (const several of ['all', 'any'] as const) {
    if (matcher[several] === undefined || matcher.pointer === undefined) continue;
    const message = `with ${several}, each condition has its own pointer`;
    context.addIssue({ code: 'custom', path: ['pointer'], message });
  }
}

/** What {@link checkMatcher} checks, for editors. */
export const matcherRules = {
  oneOf: conditions.map((name) => ({ required: [name] })),
  dependentRequired: { exists: ['pointer'] },
  dependentSchemas: {
    all: { not: { required: ['pointer'] } },
    any: { not: { required: ['pointer'] } },
  },
};

const simpleConditions = z
  .array(
    z
      .strictObject(simpleShape)
      .superRefine(checkMatcher)
      .meta({ oneOf: matcherRules.oneOf.slice(0, -2) }),
  )
  .min(1);

/** The shape of {@link matcherSchema}, to build on. */
export const matcherShape = {
  ...simpleShape,
  all: simpleConditions.describe('Each of these conditions holds.').optional(),
  any: simpleConditions.describe('One of these conditions holds.').optional(),
};

/** Schema of a condition: at most a pointer, and exactly one of equals, in, starts, matches, exists, all, any. */
export const matcherSchema = z
  .strictObject(matcherShape)
  .superRefine(checkMatcher)
  .meta({ id: 'condition', description: 'A condition on a message.', ...matcherRules });

/** A condition on a message. */
export type Matcher = z.output<typeof matcherSchema>;

/** A message as conditions look at it; both forms may be made only when they are asked for. */
export interface Received {
  readonly text: string;
  /** The message as JSON; undefined when it is none. */
  readonly body: unknown;
}

/** Makes a function that says whether a message fulfils a condition. */
export function compileMatcher(matcher: Matcher): (message: Received) => boolean {
  const { pointer, equals, starts, matches, exists, all, any } = matcher;
  if (any !== undefined) return compileAny(any);
  if (all !== undefined) {
    const each = all.map(compileMatcher);
    return (message) => {
      for (const holds of each) if (!holds(message)) return false;
      return true;
    };
  }
  const path = pointer === undefined ? undefined : pathOf(pointer);
  const look = (message: Received): unknown => (path ? valueAt(message.body, path) : message.text);
  if (exists !== undefined) return (message) => (look(message) !== undefined) === exists;
  if (matcher.in !== undefined) {
    const values: ReadonlySet<unknown> = new Set(matcher.in);
    return (message) => values.has(look(message));
  }
  if (starts !== undefined) {
    return (message) => {
      const value = look(message);
      return typeof value === 'string' && value.startsWith(starts);
    };
  }
  if (matches !== undefined) {
    const pattern = new RegExp(matches, 'u');
    return (message) => {
      const value = look(message);
      return typeof value === 'string' && pattern.test(value);
    };
  }
  return (message) => look(message) === equals;
}

/** The condition that any of these fulfils. */
export function compileAny(matchers: readonly Matcher[]): (message: Received) => boolean {
  const each = matchers.map(compileMatcher);
  const [only] = each;
  if (only && each.length === 1) return only;
  // Every message of a load comes by here: no function is made for each.
  return (message) => {
    for (const matches of each) if (matches(message)) return true;
    return false;
  };
}

/** A message in both forms, from its text. */
export function receivedText(text: string): Received {
  return { text, body: parseJson(text) };
}

/** The value of JSON text; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The steps of a JSON pointer. RFC 6901 §4 */
export function pathOf(pointer: string): string[] {
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What stands at the end of a path; undefined when nothing does. Only own members count. */
export function valueAt(body: unknown, path: readonly string[]): unknown {
  let value = body;
  for (const step of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, step)) return undefined;
    // A list has no other members than its items.
    if (step === 'length' && Array.isArray(value)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

/** A condition in words, for people who wait for it: `/type = "ACK"`. */
export function describeMatcher(matcher: Matcher): string {
  if (matcher.all !== undefined) return matcher.all.map(describeMatcher).join(' and ');
  if (matcher.any !== undefined) return matcher.any.map(describeMatcher).join(' or ');
  const where = matcher.pointer === undefined ? 'a message' : matcher.pointer;
  if (matcher.exists !== undefined) return `${matcher.exists ? 'something' : 'nothing'} at ${where}`;
  if (matcher.in !== undefined)
    return `${where} one of ${matcher.in.map((v) => JSON.stringify(v)).join(', ')}`;
  if (matcher.starts !== undefined) return `${where} that starts with ${JSON.stringify(matcher.starts)}`;
  if (matcher.matches !== undefined) return `${where} that matches ${matcher.matches}`;
  return `${where} = ${JSON.stringify(matcher.equals)}`;
}
