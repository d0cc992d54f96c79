// wsbench conform: does a server keep to the protocol?
import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { specOf } from '../../lib/conform-options.ts';
import { parseCount } from '../../lib/duration.ts';
import { WsbenchError } from '../../lib/errors.ts';
import {
  type ConformAgent,
  type ConformOptions,
  conform,
  listCases,
  updatedExpectations,
} from '../../lib/index.ts';
import { keepUrlSecrets, redactUrl } from '../../lib/result/redact.ts';
import type { ConformResult, Result } from '../../lib/result/result.ts';
import { autobahnIndex, caseList } from '../../reports/index.ts';
import { openAutobahnFolder } from '../autobahn-folder.ts';
import { type BaselineFlags, baselineFlags, openBaseline } from '../baseline-flags.ts';
import { newCommand } from '../command.ts';
import { finish, type OutputFlags, outputFlags, terminalStyle } from '../finish.ts';
import { type Io, note } from '../io.ts';
import { liveView } from '../live.ts';
import { nextWays } from '../next-step.ts';
import {
  addressList,
  type ConnectFlags,
  clientCertificate,
  collect,
  connectFlags,
  connectOptions,
  reproduceLine,
} from '../options.ts';
import { openReports, openText, type ReportFile } from '../report-files.ts';
import { type TokenFlags, tokenFlags, tokenValues } from '../token-flags.ts';

interface ConformFlags extends ConnectFlags, TokenFlags, Omit<BaselineFlags, 'failOn'>, OutputFlags {
  exclude?: string[];
  quick?: boolean;
  list?: boolean;
  dryRun?: boolean;
  spec?: string;
  agent?: string[];
  strictness?: 'autobahn' | 'rfc';
  failOn?: 'failed' | 'unclean' | 'non-strict';
  expect?: string;
  update?: boolean;
  messages?: string;
  full?: boolean;
  jobs?: string;
  repeat?: string;
  index?: string;
  verbose?: boolean;
  proxy?: string;
  localAddress?: string;
  cert?: string;
  certKey?: string;
  servername?: string;
}

/** The `conform` command. */
export function conformCommand(io: Io): Command {
  const command = newCommand('conform', io)
    .description("RFC 6455 and compression: Autobahn's 517 cases and verdicts")
    .argument('[url]', 'target that echoes messages, ws:// or wss://')
    .argument('[cases...]', 'cases: an id, the beginning of ids, or a glob, such as 6 7.7.* 12.1')
    .optionsGroup('Cases:')
    .option('--exclude <cases>', 'leave these out (repeatable)', collect)
    .option('--quick', 'a part that takes seconds (docs/conformance.md)')
    .option('--list', 'list the cases, and stop')
    .option('--dry-run', 'say what would be tested, and stop')
    .option('--spec <file>', "Autobahn's fuzzingclient.json: servers, cases, exclusions, outdir")
    .option(
      '--agent <name=url>',
      'a server under this name; several stand side by side (repeatable)',
      collect,
    )
    .option('--messages <n>', 'messages a case in sections 12 and 13 (default 100)')
    .option('--full', 'as many as Autobahn sends: 1000')
    .option('-j, --jobs <n>', 'cases at once, or auto (default auto)')
    .option('--repeat <n>', 'run each case this often, and tell which flicker')
    .optionsGroup('Verdicts:')
    .addOption(
      new Option(
        '--strictness <name>',
        "Autobahn's verdicts, or today's RFCs and registry (default autobahn)",
      ).choices(['autobahn', 'rfc']),
    )
    .addOption(
      new Option('--fail-on <what>', 'verdicts that fail the run (default failed)').choices([
        'failed',
        'unclean',
        'non-strict',
      ]),
    )
    .option('--expect <file>', 'verdicts that are known: only worse ones fail, YAML or JSON')
    .option('--update', 'write the verdicts of this run into that file');
  connectFlags(command)
    .option('--cert <file>', 'certificate to show to the target, PEM')
    .option('--cert-key <file>', 'its private key, PEM')
    .option('--servername <name>', 'name to ask for and to expect in the certificate')
    .option('-x, --proxy <url>', 'proxy to go through, http:// or socks5://')
    .option('--local-address <addresses>', 'addresses to connect from, a,b,c');
  outputFlags(
    baselineFlags(tokenFlags(command, 'one is minted for the run'), false),
    'every failure, with the whole log of the wire',
  ).option('--index <file>', "write Autobahn's index.json");
  return command.action((url: string | undefined, cases: string[], flags: ConformFlags) =>
    run(url, cases, flags, command, io),
  );
}

async function run(
  first: string | undefined,
  rest: readonly string[],
  flags: ConformFlags,
  command: Command,
  io: Io,
): Promise<void> {
  const { url, cases } = positional(first, rest, io);
  const options = await conformOptions(flags, cases, io);
  if (flags.list) {
    const listed = listCases(options);
    const style = terminalStyle(io, flags.color);
    io.stdout.write(flags.json ? `${JSON.stringify(listed, null, 2)}\n` : caseList(listed, style));
    return;
  }
  if (flags.update && flags.expect === undefined)
    throw new WsbenchError('USAGE', '--update needs --expect FILE');
  const targets = targetsOf(url, flags);
  const spec = specOf(options);
  if (flags.dryRun) {
    dryRun(
      targets.length > 0
        ? targets
        : (spec?.servers ?? []).map(({ url: target, ...one }) => ({ ...one, target })),
      options,
      io,
    );
    return;
  }
  // Each is tried before the run, so that a wrong path costs none.
  const reports = openReports(flags.output ?? [], io.cwd);
  const { baseline: named, saveBaseline } = flags;
  const baseline = openBaseline(
    {
      ...(named === undefined ? {} : { baseline: named }),
      ...(saveBaseline === undefined ? {} : { saveBaseline }),
    },
    'conform',
    io,
  );
  const index = flags.index === undefined ? undefined : openText(flags.index, io.cwd);
  const folder = spec?.outdir === undefined ? undefined : openAutobahnFolder(spec.outdir, io.cwd);
  const expectation = flags.update && flags.expect !== undefined ? openText(flags.expect, io.cwd) : undefined;
  const live = liveView(io, flags.quiet ?? false, flags.color);
  const found = await conform(
    targets,
    {
      ...options,
      reproduce: reproduceLine('conform', url, command, { leaveOut: notForTheRun, words: cases }),
      reproduceCase: (address) => reproduceLine('conform', address, command, { leaveOut: notForOneCase }),
    },
    { signal: io.signal, onEvent: live.show },
  ).finally(live.end);
  const { result, write } = expectation
    ? updated(found, flags.expect ?? '', io)
    : { result: found, write: undefined };
  const outputs: ReportFile[] = [
    ...reports,
    ...(index ? [{ ...index, reporter: ([one]: readonly Result[]) => indexOf(one) }] : []),
    ...(folder ? [{ path: folder.path, reporter: () => '', write: () => folder.write(result) }] : []),
    ...(expectation && write !== undefined ? [{ ...expectation, reporter: () => write }] : []),
  ];
  io.exit(finish(result, outputs, flags, io, { ways: nextWays(url, command), baseline }));
}

const indexOf = (result: Result | undefined): string =>
  result?.kind === 'conform' ? autobahnIndex(result) : '';

/** Where a run's words go, and what it writes down. */
const notForTheRun = ['update', 'index'];

/** What repeats a run and is not needed to repeat one case of one server. */
const notForOneCase = [...notForTheRun, 'exclude', 'quick', 'spec', 'agent', 'jobs', 'repeat', 'expect'];

/** The words of the command line: the URL stands first, unless all of them are patterns for cases. */
function positional(
  first: string | undefined,
  rest: readonly string[],
  io: Io,
): { url: string | undefined; cases: string[] } {
  const words = [...(first === undefined ? [] : [first]), ...rest];
  const isUrl = (word: string, index: number): boolean =>
    word.includes('://') || (index === 0 && !/^[\d*][\d.*,]*$/.test(word));
  const at = words.findIndex(isUrl);
  const url = words[at] ?? (io.env.WSBENCH_URL || undefined);
  if (url !== undefined) keepUrlSecrets(url);
  return { url, cases: words.filter((_, index) => index !== at) };
}

async function conformOptions(flags: ConformFlags, cases: string[], io: Io): Promise<ConformOptions> {
  const { tokens: [token] = [], signingKey, tokenOptions } = tokenValues(flags, io);
  if (flags.proxy !== undefined) keepUrlSecrets(flags.proxy);
  const expects = flags.expect !== undefined && !flags.update;
  const options: ConformOptions = {
    ...connectOptions(flags, io),
    cases,
    ...(flags.exclude === undefined ? {} : { exclude: flags.exclude }),
    ...(flags.quick ? { quick: true } : {}),
    ...(flags.spec === undefined ? {} : { spec: flags.spec }),
    ...(flags.strictness === undefined ? {} : { strictness: flags.strictness }),
    ...(flags.failOn === undefined ? {} : { failOn: flags.failOn }),
    ...(flags.messages === undefined ? {} : { messages: parseCount(flags.messages, '--messages') }),
    ...(flags.full ? { full: true } : {}),
    ...(flags.repeat === undefined ? {} : { repeat: parseCount(flags.repeat, '--repeat') }),
    ...(expects ? { expect: flags.expect ?? '' } : {}),
    ...(token === undefined ? {} : { token }),
    ...(signingKey ? { signingKey } : {}),
    ...(tokenOptions ? { tokenOptions } : {}),
    ...(flags.proxy === undefined ? {} : { proxy: flags.proxy }),
    ...(flags.localAddress === undefined ? {} : { localAddresses: addressList(flags.localAddress) }),
    ...clientCertificate(flags.cert, flags.certKey, io),
    ...(flags.servername === undefined ? {} : { servername: flags.servername }),
  };
  if (flags.jobs !== undefined)
    options.jobs = flags.jobs === 'auto' ? 'auto' : parseCount(flags.jobs, '--jobs');
  return options;
}

function targetsOf(url: string | undefined, { agent = [] }: ConformFlags): ConformAgent[] {
  return [...(url === undefined ? [] : [{ target: url }]), ...agent.map(parseAgent)];
}

function parseAgent(text: string): ConformAgent {
  const sign = text.indexOf('=');
  const [name, target] = [text.slice(0, sign).trim(), text.slice(sign + 1).trim()];
  keepUrlSecrets(target);
  if (sign < 1 || name.includes('://')) {
    throw new WsbenchError(
      'USAGE',
      '--agent: there is no name before a =; write it like name=ws://host:port/',
    );
  }
  return { name, target };
}

function dryRun(targets: readonly ConformAgent[], options: ConformOptions, io: Io): void {
  const listed = listCases(options);
  const count = listed.length === 1 ? '1 case' : `${listed.length} cases`;
  const repeat = options.repeat === undefined || options.repeat === 1 ? '' : `, ${options.repeat} times each`;
  const where = targets.map(({ name, target }) => {
    const url = redactUrl(typeof target === 'string' ? target : target.url);
    return name === undefined ? url : `${name} (${url})`;
  });
  io.stdout.write(
    `Would run ${count}${repeat} against ${where.join(', ') || 'no target yet'}; nothing was sent.\n`,
  );
  io.stdout.write(`${listed.map(({ id }) => id).join(' ')}\n`);
}

/** The result as the new file judges it, and the file; a run that is not whole changes none. */
function updated(found: ConformResult, file: string, io: Io): { result: ConformResult; write?: string } {
  const isWhole = found.run.complete && found.agents.every(({ notRun }) => notRun === undefined);
  if (!isWhole) {
    note(io, `warning: ${file} was not updated, as not every case ran`);
    return { result: found };
  }
  const { text, result } = updatedExpectations(found, file, existsSync(file));
  return { result, write: text };
}
