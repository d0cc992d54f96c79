// The options that `stress` and `storm` share: messages, the way to the target, tokens for a fleet, thresholds.
import type { Command } from 'commander';
import { parseCount, parseDurationMs, parseSizeBytes } from '../lib/duration.ts';
import type { EmbeddedLimits, StressOptions } from '../lib/index.ts';
import type { DriverName } from '../lib/load/plan.ts';
import { keepUrlSecrets } from '../lib/result/redact.ts';
import type { BaselineFlags } from './baseline-flags.ts';
import type { OutputFlags } from './finish.ts';
import type { Io } from './io.ts';
import { type LoadFlags, loadOptions } from './load-flags.ts';
import {
  addressList,
  type ConnectFlags,
  clientCertificate,
  collect,
  connectFlags,
  connectOptions,
  readBytes,
  readText,
} from './options.ts';
import { type TokenFlags, tokenFlags, tokenValues } from './token-flags.ts';

/** Raw values of the options of a load. */
export interface StressFlags extends LoadFlags, ConnectFlags, TokenFlags, BaselineFlags, OutputFlags {
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

/** Adds the options that say what is sent and how it is answered. */
export function messageFlags(command: Command): Command {
  return command
    .optionsGroup('Messages:')
    .option('-m, --message <text>', 'message, @file; may hold {{id}}, {{seq}}, {{token}}')
    .option('--match <how>', 'how a reply finds its message: marker, order, id:/pointer or regex:PATTERN')
    .option('--no-reply', 'the target does not reply: measure by a ping behind each message')
    .option('-s, --size <bytes>', "message size (default 32, or what the target's request needs)")
    .option('-b, --binary', 'send binary messages')
    .option('-t, --timeout <time>', 'a reply that takes longer is lost (default 5s)')
    .option('--fragment <bytes>', 'send messages in fragments of this size')
    .option('--compress', 'offer permessage-deflate, and compress messages');
}

/** Adds the options that say where the target is and how to get there. */
export function wayFlags(command: Command): Command {
  return connectFlags(command)
    .option('--cert <file>', 'certificate to show to the target, PEM')
    .option('--cert-key <file>', 'its private key, PEM')
    .option('--servername <name>', 'name to ask for and to expect in the certificate')
    .option('-x, --proxy <url>', 'proxy to go through, http:// or socks5://')
    .option('--local-address <addresses>', 'addresses to connect from, a,b,c')
    .option('--connect-timeout <time>', 'limit for one connect (default 10s)');
}

/** Adds the options for the tokens of many connections. */
export function fleetTokenFlags(command: Command): Command {
  return tokenFlags(command, 'each connection gets its own')
    .option('--tokens-file <file>', 'one token a line, for the connections in turn')
    .option('--token-expires <time>', 'lifetime of minted tokens (default 1h, or longer than the run)');
}

/** Adds the options that say what a run is judged by. */
export function thresholdFlags(command: Command, example: string): Command {
  return command
    .optionsGroup('Thresholds:')
    .option('--threshold <expr>', `what must hold, such as '${example}' (repeatable)`, collect)
    .option('--no-default-thresholds', 'judge only the given thresholds');
}

/**
 * Reads the options of a load.
 *
 * @throws WsbenchError `USAGE` for values that are none, `CONFIG` for files that cannot be read
 */
export function stressOptions(flags: StressFlags, io: Io): StressOptions {
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
