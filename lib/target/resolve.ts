// From a target file to the target of one run: variables filled in, the connection's address completed.
import { WsbenchError } from '../errors.ts';
import { meant } from '../nearest.ts';
import { keepSecret } from '../result/redact.ts';
import { headerTrouble, subprotocolTrouble } from './headers.ts';
import { parseJson } from './matcher.ts';
import { misplacedIn } from './placeholders.ts';
import { hasParameter, withParameter } from './query.ts';
import { keepSecretsOf } from './secrets.ts';
import type { Target } from './target.ts';
import { placeholdersIn, substitute } from './template.ts';

/** What a target file's placeholders may stand for. */
export interface Variables {
  /** Values for the file's `vars`, as given with `-e`: JSON, or else text. */
  given: Readonly<Record<string, string>>;
  /** For `{{ env.NAME }}`. */
  env: Readonly<Record<string, string | undefined>>;
}

/** Characters that variables may put into a target in all. */
const mostFilled = 16 * 1024 * 1024;

/**
 * A target whose variables are filled in. What stands for something of a connection or a message (`{{ token }}`,
 * `{{ id }}`, …) is left. Values of the environment, and those whose name says that they are secret, are remembered to be
 * masked.
 *
 * @throws WsbenchError `USAGE` for a variable that the target does not have, `CONFIG` for one of the environment that is not
 *   set, and for values that cannot stand where they would
 */
export function resolveTarget(target: Target, { given, env }: Variables): Target {
  const fail = (message: string): never => {
    throw new WsbenchError('CONFIG', `target "${target.name}": ${message}`);
  };
  const declared = Object.keys(target.vars);
  for (const name of Object.keys(given)) {
    if (declared.includes(name)) continue;
    const there = declared.length === 0 ? '; it has none' : meant(name, declared);
    throw new WsbenchError('USAGE', `-e ${name}: the target "${target.name}" has no such variable${there}`);
  }
  let filled = 0;
  const counted = (value: unknown): unknown => {
    filled += typeof value === 'string' ? value.length : 0;
    if (filled > mostFilled) fail('its variables make it larger than 16 MiB');
    return value;
  };
  const fromEnvironment = (name: string): unknown => {
    if (!name.startsWith('env.')) return undefined;
    const value = env[name.slice(4)];
    if (!value) return fail(`the environment has no ${name.slice(4)}, which {{ ${name} }} stands for`);
    keepSecret(value);
    return counted(value);
  };
  const plain = new Map(
    declared.map((name) => {
      const text = Object.hasOwn(given, name) ? given[name] : undefined;
      const standard = target.vars[name];
      return [name, text === undefined ? standard : typed(text, standard)] as const;
    }),
  );
  const fill = (value: unknown, variables: ReadonlyMap<string, unknown>): unknown =>
    substitute(value, (name) => counted(variables.has(name) ? variables.get(name) : fromEnvironment(name)));
  const vars = new Map(
    [...plain].map(([name, value]) => {
      for (const inner of placeholdersIn(value)) {
        const deeper = placeholdersIn(plain.get(inner.name)).find((found) => plain.has(found.name));
        if (deeper)
          fail(
            `-e ${name}: {{ ${inner.name} }} is made of {{ ${deeper.name} }}, which is one level too many`,
          );
      }
      // What stands for the environment in a variable is filled in with the variable that holds it.
      const once = fill(value, plain);
      return [name, substitute(once, fromEnvironment)] as const;
    }),
  );
  const { vars: _, ...parts } = target;
  const full = { ...(fill(parts, vars) as Omit<Target, 'vars'>), vars: Object.fromEntries(vars) };
  const resolved: Target = { ...full, connect: connectOf(target, full, fail), ...textsOf(full) };
  const [misplaced] = misplacedIn(resolved, () => false);
  if (misplaced) fail(`${misplaced.path.join('.')}: ${misplaced.message}`);
  keepSecretsOf(resolved);
  return resolved;
}

/** Text where the default is a text; else JSON if it is some, so that `-e params='[1,2]'` is a list. */
function typed(text: string, standard: unknown): unknown {
  const value = typeof standard === 'string' ? undefined : parseJson(text);
  return value === undefined ? text : value;
}

/** Values that a variable without text makes empty are left out: `apikey: "{{ apikey }}"` sends none without one. */
function connectOf(before: Target, { connect }: Target, fail: (message: string) => never): Target['connect'] {
  const given = (values: Record<string, unknown>, written: Record<string, string>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(values)
        .map(([name, value]) => [name, textOf(value)] as const)
        .filter(([name, value]) => value !== '' || written[name] === ''),
    );
  const headers = given(connect.headers, before.connect.headers);
  for (const [name, value] of Object.entries(headers)) {
    const trouble = headerTrouble(name, value);
    if (trouble) fail(`connect.headers.${name}: ${trouble}`);
  }
  const subprotocols = connect.subprotocols.map(textOf).filter((name) => name !== '');
  for (const name of subprotocols) {
    const trouble = subprotocolTrouble(name);
    if (trouble) fail(`connect.subprotocols: "${name}" ${trouble}`);
  }
  if (connect.path !== undefined && !textOf(connect.path).startsWith('/'))
    fail('connect.path must start with /');
  return {
    ...connect,
    ...(connect.path === undefined ? {} : { path: textOf(connect.path) }),
    query: given(connect.query, before.connect.query),
    headers,
    subprotocols,
  };
}

/** What is text in any case, although the variable that stands there may be a number. */
function textsOf({ auth }: Target): Partial<Target> {
  if (!auth) return {};
  const name = auth.name === undefined ? {} : { name: textOf(auth.name) };
  return { auth: { ...auth, ...name } };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The address that a target's description makes of a URL: its path when there is none, its query beside what is there. */
export function targetAddress(url: string, target: Target | null): string {
  const { path, query = {} } = target?.connect ?? {};
  const completed = new URL(url);
  if (path !== undefined && completed.pathname === '/') completed.pathname = path;
  return Object.entries(query)
    .filter(([name]) => !hasParameter(url, name))
    .reduce((address, [name, value]) => withParameter(address, name, value), completed.href);
}
