// wsbench quick: does it behave?
import type { Command } from 'commander';
import { parseCount, parseDurationMs } from '../../lib/duration.ts';
import { listChecks, type QuickOptions, quick } from '../../lib/index.ts';
import { checkList } from '../../reports/index.ts';
import { type BaselineFlags, baselineFlags } from '../baseline-flags.ts';
import { newCommand } from '../command.ts';
import { type OutputFlags, outputFlags, terminalStyle } from '../finish.ts';
import type { Io } from '../io.ts';
import { nextWays } from '../next-step.ts';
import {
  type ConnectFlags,
  collect,
  connectFlags,
  connectOptions,
  reproduceLine,
  targetArgument,
} from '../options.ts';
import { runAndFinish } from '../run.ts';
import { type TokenFlags, tokenFlags, tokenValues } from '../token-flags.ts';

interface QuickFlags extends ConnectFlags, TokenFlags, BaselineFlags, OutputFlags {
  scenario?: string;
  only?: string[];
  list?: boolean;
  timeout?: string;
  connections?: string;
  intrusive?: boolean;
  seed?: string;
}

/** The `quick` command. */
export function quickCommand(io: Io): Command {
  const command = newCommand('quick', io)
    .description('checks: connection, heartbeat, auth, bad input, rate limits')
    .argument('[url]', 'target, ws:// or wss://; without one the reference server is started')
    .optionsGroup('Checks:')
    .option('--only <id>', 'run only this check; * stands for anything (repeatable)', collect)
    .option('--list', 'list the checks, and stop')
    .option('--intrusive', 'allow bursts against a target that is not on this machine')
    .option('-c, --connections <n>', 'connections that are opened at once (default 10)')
    .option('-t, --timeout <time>', 'time that one reply may take (default 5s)')
    .option('--scenario <file>', 'scenario to run instead of the shipped one')
    .option('--seed <n>', 'seed of everything random');
  outputFlags(
    baselineFlags(tokenFlags(connectFlags(command), 'each check mints its own')),
    'what each check is about and how long it took',
  );
  return command.action((url: string | undefined, flags: QuickFlags) => run(url, flags, command, io));
}

async function run(argument: string | undefined, flags: QuickFlags, command: Command, io: Io): Promise<void> {
  if (flags.list) {
    io.stdout.write(
      flags.json
        ? `${JSON.stringify(listChecks(), null, 2)}\n`
        : checkList(listChecks(), terminalStyle(io, flags.color)),
    );
    return;
  }
  const url = targetArgument(argument, io);
  const options = quickOptions(flags, io);
  const reproduce = reproduceLine('quick', url, command, { leaveOut: ['failOn'] });
  await runAndFinish('quick', flags, io, nextWays(url, command), (control) =>
    quick(url, { ...options, reproduce }, control),
  );
}

function quickOptions(flags: QuickFlags, io: Io): QuickOptions {
  const options: QuickOptions = connectOptions(flags, io);
  const { tokens: [token] = [], signingKey, tokenOptions } = tokenValues(flags, io);
  if (flags.scenario !== undefined) options.scenario = flags.scenario;
  if (flags.only !== undefined) options.only = flags.only.flatMap((ids) => ids.split(','));
  if (flags.timeout !== undefined) options.timeoutMs = parseDurationMs(flags.timeout, '--timeout');
  if (flags.connections !== undefined) options.connections = parseCount(flags.connections, '--connections');
  if (token !== undefined) options.token = token;
  if (signingKey) options.signingKey = signingKey;
  if (tokenOptions?.claims) options.claims = tokenOptions.claims;
  if (flags.intrusive) options.intrusive = true;
  if (flags.seed !== undefined) options.seed = parseCount(flags.seed, '--seed', 0);
  return options;
}
