// What `conform` can be told, and what it comes to: servers, cases, expectations.
import { readFileSync } from 'node:fs';
import { type AutobahnSpec, parseAutobahnSpec } from './conform/autobahn-spec.ts';
import { type ExpectationFile, parseExpectations } from './conform/expectation-file.ts';
import { type AgentPlan, allCases, type Case, type Strictness } from './conform/index.ts';
import { quickCases, selectCases } from './conform/select.ts';
import { WsbenchError } from './errors.ts';
import { fileTrouble } from './file-words.ts';
import type { ClientCertificate } from './load/plan.ts';
import { keepUrlSecrets, redactUrl } from './result/redact.ts';
import type { FailOn } from './result/result.ts';
import { runTokens } from './run-tokens.ts';
import { placeToken } from './target/credential.ts';
import { parseTargetUrl } from './target/url.ts';
import { type ConnectOptions, connectPlan, describedTarget, type TargetServer } from './target-options.ts';
import type { SigningKey, TokenOptions } from './token.ts';
import { LocalPorts } from './transport/local-ports.ts';
import { proxyOf } from './transport/proxy.ts';
import { tlsSettings } from './transport/tls-settings.ts';
import { readYamlText } from './yaml.ts';

/** Minted tokens live longer than any run. */
const longestRunMs = 6 * 3600 * 1000;

/** A server under test, by name. */
export interface ConformAgent {
  /** As reports call it; host and path of its URL by default. */
  name?: string;
  target: string | TargetServer;
}

/** Which cases to run, and how they are judged. */
export interface ConformOptions extends ConnectOptions {
  /** Ids, beginnings of ids or globs: `6`, `12.1`, `7.7.*`; all cases by default. */
  cases?: readonly string[];
  /** Likewise, taken away. */
  exclude?: readonly string[];
  /** Only a part that shows in seconds whether a server is broken; `cases` narrows it down. */
  quick?: boolean;
  /** Path of a file of Autobahn's, `fuzzingclient.json`: its servers where no target is given, its cases where none are. */
  spec?: string;
  /** `autobahn`: its verdicts exactly, the default. `rfc`: today's RFCs and registry. */
  strictness?: Strictness;
  failOn?: FailOn;
  /** Messages in each case of sections 12 and 13; 100 by default. */
  messages?: number;
  /** As many messages as Autobahn sends: 1,000. */
  full?: boolean;
  /** Cases at once. */
  jobs?: number | 'auto';
  /** How often each case is run; 1 by default. */
  repeat?: number;
  /** Path of a file of expected verdicts. */
  expect?: string;
  /** A token that the target accepts. */
  token?: string;
  /** Key that the target's tokens are signed with: one is minted for the run. */
  signingKey?: SigningKey;
  /** What the minted token says. */
  tokenOptions?: TokenOptions;
  /** URL of a proxy to go through, `http://` or `socks5://`. */
  proxy?: string;
  /** Addresses of this machine to connect from, in turn. */
  localAddresses?: readonly string[];
  /** Certificate and private key to show to the target, PEM. */
  clientCertificate?: ClientCertificate;
  /** The name to ask for (SNI) and to look for in the certificate, where it is not that of the URL. */
  servername?: string;
  /** The command that repeats cases of the server at a URL, for the result; the id is added. */
  reproduceCase?: (url: string) => string;
}

/** A case as `conform --list` shows it. */
export interface CaseInfo {
  id: string;
  title: string;
  section: string;
  sectionTitle: string;
  group: string;
  spec: string;
  requirement: string;
}

const caseIds = (): string[] => allCases.map(({ id }) => id);

/**
 * The cases that options choose, in the order of their ids.
 *
 * @throws WsbenchError `USAGE` for a pattern that matches nothing, or when nothing is left
 */
export function listCases(
  options: Pick<ConformOptions, 'cases' | 'exclude' | 'quick' | 'spec'> = {},
): CaseInfo[] {
  return chosenCases(options, specOf(options)).map((one) => ({
    id: one.id,
    title: one.title,
    section: one.section,
    sectionTitle: one.sectionTitle,
    group: one.groupTitle,
    spec: one.spec,
    requirement: one.requirement,
  }));
}

/** The cases that options choose. */
export function chosenCases(
  { cases = [], exclude = [], quick }: Pick<ConformOptions, 'cases' | 'exclude' | 'quick'>,
  spec: AutobahnSpec | undefined,
): Case[] {
  const asked = cases.length > 0 ? cases : (spec?.cases ?? []);
  const all = selectCases(allCases, asked, [...exclude, ...(spec?.exclude ?? [])]);
  if (!quick) return all;
  const part = new Set(selectCases(allCases, quickCases).map(({ id }) => id));
  const both = all.filter(({ id }) => part.has(id));
  if (both.length === 0) throw new WsbenchError('USAGE', 'no case is left: --quick has none of those');
  return both;
}

/** The file of Autobahn's that options name. */
export function specOf({ spec }: Pick<ConformOptions, 'spec'>): AutobahnSpec | undefined {
  return spec === undefined
    ? undefined
    : parseAutobahnSpec(readYamlText(spec, spec, 'spec'), spec, caseIds());
}

/** The expectations that options name. */
export function expectationsOf(
  { expect }: Pick<ConformOptions, 'expect'>,
  agents: readonly { name: string }[],
): ExpectationFile | undefined {
  if (expect === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(expect, 'utf8');
  } catch (cause) {
    throw new WsbenchError('USAGE', `--expect: cannot read ${expect}: ${fileTrouble(cause)}`, { cause });
  }
  return parseExpectations(
    text,
    expect,
    caseIds(),
    agents.map(({ name }) => name),
  );
}

/**
 * The servers to test, each with all that its connections need.
 *
 * @throws WsbenchError `USAGE` for none at all, a bad URL, or two of one name
 */
export async function conformAgents(
  targets: readonly ConformAgent[],
  options: ConformOptions,
  spec: AutobahnSpec | undefined,
): Promise<AgentPlan[]> {
  const servers =
    targets.length > 0 ? targets.map((agent) => ({ ...agent, headers: [], subprotocols: [] })) : ofSpec(spec);
  if (servers.length === 0) {
    const why = spec ? 'the file names no servers; ' : '';
    throw new WsbenchError('USAGE', `${why}no target: write wsbench conform ws://host:port/path`);
  }
  const token = await tokenOf(options);
  const agents = servers.map(({ name, target, headers, subprotocols }): AgentPlan => {
    const url = urlOf(target);
    const connect = connectOf(url, options, token);
    return {
      name: name ?? addressOf(connect.url),
      connect: {
        ...connect,
        headers: [...headers, ...connect.headers],
        subprotocols: [...connect.subprotocols, ...subprotocols],
      },
    };
  });
  const twice = agents.find(({ name }, index) => agents.findIndex((one) => one.name === name) < index);
  if (twice)
    throw new WsbenchError('USAGE', `two servers are called "${twice.name}": give each its own name`);
  return agents;
}

type Server = ConformAgent & { headers: [string, string][]; subprotocols: string[] };

function ofSpec(spec: AutobahnSpec | undefined): Server[] {
  return (spec?.servers ?? []).map(({ name, url, headers, subprotocols }) => ({
    ...(name === undefined ? {} : { name }),
    target: url,
    headers,
    subprotocols,
  }));
}

/** A server object without a path stands for its echo. */
function urlOf(target: string | TargetServer): string {
  if (typeof target === 'string') return parseTargetUrl(target);
  const url = new URL(parseTargetUrl(target.url));
  if (url.pathname === '/') url.pathname = '/ws/echo';
  return url.href;
}

/** What a server is called that was given no name. */
function addressOf(url: string): string {
  const { host, pathname } = new URL(url);
  return redactUrl(pathname === '/' ? host : `${host}${pathname}`);
}

function connectOf(url: string, options: ConformOptions, token: string | undefined): AgentPlan['connect'] {
  const plan = connectPlan(url, describedTarget(options, url) ?? null, options);
  if (token !== undefined && plan.tokenPlace.in === 'message') {
    throw new WsbenchError(
      'USAGE',
      'cases begin with the handshake: a token in a message would be one of theirs; choose another --token-in',
    );
  }
  const { url: address, headers, subprotocols } = placeToken(plan, plan.tokenPlace, token);
  const { proxy, clientCertificate, servername, localAddresses = [] } = options;
  if (proxy !== undefined) keepUrlSecrets(proxy);
  const tls = {
    ...(plan.caCertificates === undefined ? {} : { ca: plan.caCertificates }),
    ...clientCertificate,
    ...(servername === undefined ? {} : { servername }),
    insecure: plan.insecure,
  };
  // A certificate that cannot be read is told before anything is sent, and so is an address of another machine.
  tlsSettings(tls);
  if (localAddresses.length > 0) new LocalPorts(localAddresses);
  return {
    url: address,
    headers,
    subprotocols,
    tls,
    ...(proxy === undefined ? {} : { proxy: proxyOf(proxy) }),
    ...(localAddresses.length === 0 ? {} : { localAddresses }),
  };
}

/** The token that all connections bring: given, or minted for the run. It is masked in every output from then on. */
async function tokenOf({ token, signingKey, tokenOptions }: ConformOptions): Promise<string | undefined> {
  const choice = {
    ...(token === undefined ? {} : { tokens: [token] }),
    ...(signingKey === undefined ? {} : { signingKey }),
    ...(tokenOptions || signingKey ? { tokenOptions: { sub: 'conform', ...tokenOptions } } : {}),
  };
  const { tokens } = await runTokens('', choice, { connections: 1, runMs: longestRunMs, signal: undefined });
  return tokens[0];
}
