// Autobahn's own file for testing servers, `fuzzingclient.json`: which servers, which cases. Pure.
import { z } from 'zod';
import { WsbenchError } from '../errors.ts';
import type { Warning } from '../result/result.ts';
import { parseYaml } from '../yaml.ts';
import { matchesAny } from './select.ts';

/** A server that the file names. */
export interface SpecServer {
  name?: string;
  url: string;
  subprotocols: string[];
  headers: [string, string][];
}

/** What the file asks for. */
export interface AutobahnSpec {
  servers: SpecServer[];
  /** Patterns that match something; all cases when empty. */
  cases: string[];
  exclude: string[];
  /** Ids of cases that a server is not tested with. */
  excludedOf: (agent: string) => string[];
  /** Where reports go, relative to the working directory. */
  outdir?: string;
  warnings: Warning[];
}

const patterns = z.array(z.string());

// With true, Autobahn would drop TCP where a server breaks the protocol, and call the same deeds otherwise in the column of
// closes. Its own default for the suite is false, and so are all verdicts that one could compare with.
const failByDrop = z.boolean().refine((asked) => !asked, {
  error:
    'cannot be true: connections are failed with a close frame, as Autobahn does by default; leave it out',
});

/** Options that ask for what is done anyway. */
const sameAsOurs: ReadonlySet<string> = new Set(['failByDrop', 'version']);

// What else there is in such files is for other modes of the suite.
const schema = z.looseObject({
  options: z.looseObject({ failByDrop: failByDrop.exactOptional() }).exactOptional(),
  outdir: z.string().min(1).exactOptional(),
  servers: z
    .array(
      z.looseObject({
        agent: z.string().min(1).exactOptional(),
        url: z.string(),
        origin: z.string().exactOptional(),
        protocols: z.array(z.string()).exactOptional(),
      }),
    )
    .exactOptional(),
  cases: patterns.exactOptional(),
  'exclude-cases': patterns.exactOptional(),
  'exclude-agent-cases': z.record(z.string(), patterns).exactOptional(),
});

/**
 * Reads such a file. As Autobahn does, it passes over patterns that match nothing, and says so.
 *
 * @param file the name that errors use
 * @param ids of all cases that there are
 * @throws WsbenchError `CONFIG` with `file:line:col` for a file that is wrong; `USAGE` when no case is left of those it asks for
 */
export function parseAutobahnSpec(text: string, file: string, ids: readonly string[]): AutobahnSpec {
  const spec = parseYaml(withoutComments(text), schema, file);
  const warnings: Warning[] = [];
  const matching = (given: readonly string[], key: string): string[] =>
    given.filter((pattern) => {
      const found = ids.some((id) => matchesAny([pattern], id));
      if (!found) warnings.push({ code: 'spec', message: `${file}: ${key}: "${pattern}" matches no case` });
      return found;
    });
  const passedOver = Object.keys(spec.options ?? {}).filter((name) => !sameAsOurs.has(name));
  if (passedOver.length > 0) {
    warnings.push({
      code: 'spec',
      message: `${file}: passed over: options.${passedOver.join(', options.')}`,
    });
  }
  const cases = matching(spec.cases ?? [], 'cases');
  if (spec.cases !== undefined && cases.length === 0) {
    throw new WsbenchError('USAGE', `${file}: cases: none of the patterns matches a case`);
  }
  const perAgent = Object.entries(spec['exclude-agent-cases'] ?? {}).map(
    ([agent, given]) => [agent, matching(given, 'exclude-agent-cases')] as const,
  );
  return {
    servers: (spec.servers ?? []).map(({ agent, url, origin, protocols = [] }) => ({
      ...(agent === undefined ? {} : { name: agent }),
      url,
      subprotocols: protocols,
      headers: origin === undefined ? [] : [['Origin', origin]],
    })),
    cases,
    exclude: matching(spec['exclude-cases'] ?? [], 'exclude-cases'),
    excludedOf: (agent) => {
      const own = perAgent.filter(([pattern]) => globOf(pattern).test(agent)).flatMap(([, given]) => given);
      return own.length === 0 ? [] : ids.filter((id) => matchesAny(own, id));
    },
    ...(spec.outdir === undefined ? {} : { outdir: spec.outdir }),
    warnings,
  };
}

const globOf = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replace(/[\\^$+?.()|[\]{}]/g, '\\$&').replaceAll('*', '.*')}$`);

/** Comments become blanks, so that mistakes keep their places. JSON has none, but people write them. */
function withoutComments(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (found) =>
    found.startsWith('"') ? found : found.replace(/[^\n]/g, ' '),
  );
}
