// Conditions on a message that was received: how a target file says "one like this". Pure.
import { z } from 'zod';

/** Schema of a JSON pointer. RFC 6901 §3 */
export const pointerSchema = z.string().regex(/^(\/[^/]*)+$/, 'a JSON pointer starts with /, like /id');

/** Schema of a regular expression in JavaScript's syntax, without slashes around it. */
export const regexSchema = z.string().superRefine((text, context) => {
  try {
    new RegExp(text, 'u');
  } catch (error) {
    context.addIssue({ code: 'custom', message: `not a regular expression: ${(error as Error).message}` });
  }
});

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: 'a text, a number, true, false or null',
});
const conditions = ['equals', 'in', 'starts', 'matches', 'exists', 'any'] as const;

const oneShape = {
  /** Where in the JSON message to look; without it the condition is on the whole message as text. */
  pointer: pointerSchema.optional(),
  /** It is exactly this. */
  equals: scalar.optional(),
  /** It is one of these. */
  in: z.array(scalar).min(1).optional(),
  /** It is a text that starts with this. */
  starts: z.string().min(1).optional(),
  /** It is a text that this regular expression finds something in. */
  matches: regexSchema.optional(),
  /** There is something at the pointer. */
  exists: z.literal(true).optional(),
};

/** The shape of {@link matcherSchema}, to build on. */
export const matcherShape = {
  ...oneShape,
  /** One of these holds. */
  any: z
    .array(z.strictObject(oneShape).superRefine((matcher, context) => checkMatcher(matcher, context)))
    .min(1)
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
  if (matcher.any !== undefined && matcher.pointer !== undefined) {
    context.addIssue({ code: 'custom', path: ['pointer'], message: 'the conditions of any have their own' });
  }
}

/** Schema of a condition: at most a pointer, and exactly one of equals, in, starts, matches, exists; or any of several. */
export const matcherSchema = z.strictObject(matcherShape).superRefine(checkMatcher);

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
  const { pointer, equals, starts, matches } = matcher;
  if (matcher.any !== undefined) return compileAny(matcher.any);
  const path = pointer === undefined ? undefined : pathOf(pointer);
  const look = (message: Received): unknown => (path ? valueAt(message.body, path) : message.text);
  if (matcher.exists) return (message) => look(message) !== undefined;
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
  return (message) => each.some((matches) => matches(message));
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
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

/** A condition in words, for people who wait for it: `/type = "ACK"`. */
export function describeMatcher(matcher: Matcher): string {
  if (matcher.any !== undefined) return matcher.any.map(describeMatcher).join(' or ');
  const where = matcher.pointer === undefined ? 'a message' : matcher.pointer;
  if (matcher.exists) return `something at ${where}`;
  if (matcher.in !== undefined)
    return `${where} one of ${matcher.in.map((v) => JSON.stringify(v)).join(', ')}`;
  if (matcher.starts !== undefined) return `${where} that starts with ${JSON.stringify(matcher.starts)}`;
  if (matcher.matches !== undefined) return `${where} that matches ${matcher.matches}`;
  return `${where} = ${JSON.stringify(matcher.equals)}`;
}
