// wsbench stress: how much can it carry, and at what latency?
import { type Command, Option } from 'commander';
import { parseCount, parseDurationMs, parseSizeBytes } from '../../lib/duration.ts';
import { WsbenchError } from '../../lib/errors.ts';
import { type EmbeddedLimits, resolveStress, type StressOptions, stress } from '../../lib/index.ts';
import { type DriverName, driverNames } from '../../lib/load/plan.ts';
import { keepUrlSecrets } from '../../lib/result/redact.ts';
import { scenarioText } from '../../lib/scenario/print.ts';
import { type BaselineFlags, baselineFlags } from '../baseline-flags.ts';
import { newCommand } from '../command.ts';
import { type OutputFlags, outputFlags } from '../finish.ts';
import type { Io } from '../io.ts';
import { type LoadFlags, loadFlags, loadOptions } from '../load-flags.ts';
import { nextWays } from '../next-step.ts';
import {
  addressList,
  type ConnectFlags,
  clientCertificate,
  collect,
  connectFlags,
  connectOptions,
  readBytes,
  readText,
  reproduceLine,
  targetArgument,
} from '../options.ts';
import { runAndFinish } from '../run.ts';
import { type TokenFlags, tokenFlags, tokenValues } from '../token-flags.ts';

interface StressFlags extends LoadFlags, ConnectFlags, TokenFlags, BaselineFlags, OutputFlags {
  scenario?: string;
  message?: string;
  size?: string;
  binary?: boolean;
  warmup?: string;
  timeout?: string;
  connectTimeout?: string;
  match?: string;
  reply?: boolean;
  threshold?: string[];
  defaultThresholds?: boolean;
  limits?: string;
  seed?: string;
  print?: boolean;
  driver?: string;
  workers?: string;
  spin?: boolean;
  compress?: boolean;
  fragment?: string;
  localAddress?: string;
  proxy?: string;
  cert?: string;
  certKey?: string;
  servername?: string;
  abortOnFail?: boolean;
  delayAbort?: string;
}

/** The `stress` command. */
export function stressCommand(io: Io): Command {
  const command = newCommand('stress', io)
    .description('load: connections, messages per second, latency percentiles')
    .argument('[url]', 'target, ws:// or wss://; without one the reference server is started');
  loadFlags(command)
    .optionsGroup('Messages:')
    .option('-m, --message <text>', 'message, @file; may hold {{id}}, {{seq}}, {{token}}')
    .option('--match <how>', 'how a reply finds its message: marker, order, id:/pointer or regex:PATTERN')
    .option('--no-reply', 'the target does not reply: measure by a ping behind each message')
    .option('-s, --size <bytes>', "message size (default 32, or what the target's request needs)")
    .option('-b, --binary', 'send binary messages')
    .option('-t, --timeout <time>', 'a reply that takes longer is lost (default 5s)')
    .option('--fragment <bytes>', 'send messages in fragments of this size')
    .option('--compress', 'offer permessage-deflate, and compress messages');
  connectFlags(command)
    .option('--cert <file>', 'certificate to show to the target, PEM')
    .option('--cert-key <file>', 'its private key, PEM')
    .option('--servername <name>', 'name to ask for and to expect in the certificate')
    .option('-x, --proxy <url>', 'proxy to go through, http:// or socks5://')
    .option('--local-address <addresses>', 'addresses to connect from, a,b,c')
    .option('--connect-timeout <time>', 'limit for one connect (default 10s)')
    .addOption(
      new Option('--limits <name>', 'limits of the embedded server').choices([
        'development',
        'production',
        'test',
        'off',
      ]),
    );
  tokenFlags(command, 'each connection gets its own')
    .option('--tokens-file <file>', 'one token a line, for the connections in turn')
    .option('--token-expires <time>', 'lifetime of minted tokens (default 1h, or longer than the run)')
    .optionsGroup('Thresholds:')
    .option('--threshold <expr>', "what must hold, such as 'rtt.p99<20ms' (repeatable)", collect)
    .option('--no-default-thresholds', 'judge only the given thresholds')
    .option('--abort-on-fail', 'end the run once a threshold is crossed for good')
    .option('--delay-abort <time>', 'not before this much of the measure phase')
    .optionsGroup('Run:')
    .option('--scenario <file>', 'scenario to run instead of the shipped one')
    .option('-w, --workers <n>', 'threads that share the load, or auto (default 1)')
    .option('--spin', 'wait for due times in a busy loop: a whole core, microseconds of lag')
    .addOption(
      new Option('--driver <name>', 'what carries the messages (default native)').choices(driverNames),
    )
    .option('--seed <n>', 'seed of everything random')
    .option('--print', 'print the scenario that would run, and stop');
  outputFlags(baselineFlags(command), 'the parts of connecting, phases, workers, and each second');
  return command.action((url: string | undefined, flags: StressFlags) => run(url, flags, command, io));
}

async function run(
  argument: string | undefined,
  flags: StressFlags,
  command: Command,
  io: Io,
): Promise<void> {
  const options = stressOptions(flags, io);
  if (command.getOptionValueSource('duration') === 'env') {
    // Meant for runs in general; one with stages says itself how long it is.
    const { durationMs: _duration, ...others } = options;
    if (resolveStress(others).stages) delete options.durationMs;
  }
  if (flags.print) {
    io.stdout.write(scenarioText(resolveStress(options)));
    return;
  }
  const url = targetArgument(argument, io);
  if (url !== undefined && flags.limits !== undefined) {
    throw new WsbenchError('USAGE', '--limits is for the embedded server; the target has its own');
  }
  resolveStress(options);
  const reproduce = reproduceLine('stress', url, command, { leaveOut: ['failOn'] });
  await runAndFinish('stress', flags, io, nextWays(url, command), (control) =>
    stress(url, { ...options, reproduce }, control),
  );
}

function stressOptions(flags: StressFlags, io: Io): StressOptions {
  const options: StressOptions = connectOptions(flags, io);
  const { size, warmup, timeout, connectTimeout } = flags;
  if (flags.scenario !== undefined) options.scenario = flags.scenario;
  if (size !== undefined) options.sizeBytes = parseSizeBytes(size, '--size');
  if (warmup !== undefined) options.warmupMs = parseDurationMs(warmup, '--warmup');
  if (timeout !== undefined) options.timeoutMs = parseDurationMs(timeout, '--timeout');
  if (connectTimeout !== undefined) {
    options.connectTimeoutMs = parseDurationMs(connectTimeout, '--connect-timeout');
  }
  if (flags.message !== undefined) options.message = message(flags.message, flags.binary ?? false, io);
  if (flags.binary) options.binary = true;
  if (flags.seed !== undefined) options.seed = parseCount(flags.seed, '--seed', 0);
  if (flags.threshold !== undefined) options.thresholds = flags.threshold;
  if (flags.defaultThresholds === false) options.defaultThresholds = false;
  if (flags.limits !== undefined) options.limits = flags.limits as EmbeddedLimits;
  if (flags.match !== undefined) options.match = flags.match;
  if (flags.reply === false) options.noReply = true;
  return Object.assign(options, loadOptions(flags), carriage(flags, io), tokenValues(flags, io));
}

/** How the load is carried. */
function carriage(flags: StressFlags, io: Io): StressOptions {
  const { driver, workers, fragment, localAddress, proxy, cert, certKey, servername } = flags;
  if (proxy !== undefined) keepUrlSecrets(proxy);
  return {
    ...(driver === undefined ? {} : { driver: driver as DriverName }),
    ...(workers === undefined
      ? {}
      : { workers: workers === 'auto' ? workers : parseCount(workers, '--workers') }),
    ...(flags.spin ? { spin: true } : {}),
    ...(flags.compress ? { compress: true } : {}),
    ...(fragment === undefined ? {} : { fragmentBytes: parseSizeBytes(fragment, '--fragment') }),
    ...(localAddress === undefined ? {} : { localAddresses: addressList(localAddress) }),
    ...(proxy === undefined ? {} : { proxy }),
    ...clientCertificate(cert, certKey, io),
    ...(servername === undefined ? {} : { servername }),
    ...(flags.abortOnFail ? { abortOnFail: true } : {}),
    ...(flags.delayAbort === undefined
      ? {}
      : { delayAbortMs: parseDurationMs(flags.delayAbort, '--delay-abort') }),
  };
}

function message(text: string, binary: boolean, io: Io): string | Uint8Array {
  if (!text.startsWith('@')) return text;
  return binary ? readBytes(text.slice(1), '--message', io) : readText(text.slice(1), '--message', io);
}
