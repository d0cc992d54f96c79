// From a target file to the target of one run: variables filled in, the connection's address completed. Pure.
import { WsbenchError } from '../errors.ts';
import { keepSecret } from '../result/redact.ts';
import { parseJson } from './matcher.ts';
import type { Target } from './target.ts';
import { placeholdersIn, substitute } from './template.ts';

/** What a target file's placeholders may stand for. */
export interface Variables {
  /** Values for the file's `vars`, as given with `-e`: JSON, or else text. */
  given: Readonly<Record<string, string>>;
  /** For `{{ env.NAME }}`. */
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * A target whose variables are filled in. What stands for something of a connection or a message (`{{ token }}`,
 * `{{ id }}`, …) is left.
 *
 * @throws WsbenchError `USAGE` for a variable that the target does not have, `CONFIG` for one of the environment that is not set
 */
export function resolveTarget(target: Target, { given, env }: Variables): Target {
  const declared = Object.keys(target.vars);
  for (const name of Object.keys(given)) {
    if (declared.includes(name)) continue;
    const there = declared.length === 0 ? 'it has none' : `it has ${declared.join(', ')}`;
    throw new WsbenchError('USAGE', `-e ${name}: the target "${target.name}" has no such variable; ${there}`);
  }
  for (const { name } of placeholdersIn(target)) {
    if (name.startsWith('env.') && !env[name.slice(4)]) {
      throw new WsbenchError(
        'CONFIG',
        `target "${target.name}": the environment has no ${name.slice(4)}, which {{ ${name} }} stands for`,
      );
    }
  }
  for (const { name } of placeholdersIn(target)) {
    // The environment is where people keep secrets from files.
    if (name.startsWith('env.')) keepSecret(env[name.slice(4)] ?? '');
  }
  const vars = Object.fromEntries(
    Object.entries(target.vars).map(([name, value]) => {
      const text = Object.hasOwn(given, name) ? given[name] : undefined;
      return [name, text === undefined ? value : typed(text, value)];
    }),
  );
  const lookup = (name: string): unknown =>
    name.startsWith('env.') ? env[name.slice(4)] : Object.hasOwn(vars, name) ? vars[name] : undefined;
  const filled = { ...substitute(target, lookup), vars };
  const { connect } = filled;
  const texts = (values: Record<string, unknown>): Record<string, string> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
  return { ...filled, connect: { ...connect, query: texts(connect.query), headers: texts(connect.headers) } };
}

/** Text where the default is a text; else JSON if it is some, so that `-e params='[1,2]'` is a list. */
function typed(text: string, standard: unknown): unknown {
  const value = typeof standard === 'string' ? undefined : parseJson(text);
  return value === undefined ? text : value;
}

/** The address that a target's description makes of a URL: its path when there is none, its query beside what is there. */
export function targetAddress(url: string, target: Target | null): string {
  const completed = new URL(url);
  const { path, query = {} } = target?.connect ?? {};
  if (path !== undefined && completed.pathname === '/') completed.pathname = path;
  for (const [name, value] of Object.entries(query)) {
    if (!completed.searchParams.has(name)) completed.searchParams.append(name, value);
  }
  return completed.href;
}
