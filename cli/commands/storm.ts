// wsbench storm: is it safe to deploy at noon? All connections go at once; how do they come back?
import { type Command, Option } from 'commander';
import { parseDurationMs } from '../../lib/duration.ts';
import { WsbenchError } from '../../lib/errors.ts';
import { resolveStress, type StormOptions, storm, stormPlan } from '../../lib/index.ts';
import { type DropKind, dropKinds } from '../../lib/load/reconnect/storm.ts';
import { reconnectPolicies } from '../../lib/scenario/reconnect.ts';
import { baselineFlags } from '../baseline-flags.ts';
import { newCommand } from '../command.ts';
import { outputFlags } from '../finish.ts';
import type { Io } from '../io.ts';
import { nextWays } from '../next-step.ts';
import { reproduceLine, targetArgument } from '../options.ts';
import { runAndFinish } from '../run.ts';
import {
  fleetTokenFlags,
  messageFlags,
  type StressFlags,
  stressOptions,
  thresholdFlags,
  wayFlags,
} from '../stress-flags.ts';

interface StormFlags extends StressFlags {
  drop?: string;
  wait?: string;
  before?: string;
  after?: string;
  deadline?: string;
}

/** The `storm` command. */
export function stormCommand(io: Io): Command {
  const command = newCommand('storm', io)
    .description('a restart: all connections go at once; how do they come back?')
    .argument('[url]', 'target, ws:// or wss://')
    .optionsGroup('Storm:')
    .option('-c, --connections <n>', 'connections to hold (default 100)')
    .option(
      '-r, --rate <n/s>',
      'messages per second over all of them, before, during and after (default 100/s)',
    )
    .addOption(
      new Option('--drop <how>', 'drop them: TCP reset, hang up, or close frame (default rst)').choices(
        dropKinds,
      ),
    )
    .option('--wait <time>', 'wait so long for the server to restart instead')
    .addOption(
      new Option('--reconnect <policy>', 'how clients come back (default jitter)').choices(reconnectPolicies),
    )
    .option('--before <time>', 'load before the drop (default 3s)')
    .option('--after <time>', 'load when all are back (default 3s)')
    .option('--deadline <time>', 'those not back by then are missing (default 60s)')
    .option('--warmup <time>', 'load that counts nowhere, before all that (default 1s)')
    .option('--ramp-up <time>', 'spread the first connects over this time');
  thresholdFlags(fleetTokenFlags(wayFlags(messageFlags(command))), 'recovery.p95<5s')
    .optionsGroup('Run:')
    .option('-w, --workers <n>', 'threads that share the connections, or auto (default 1)')
    .option('--seed <n>', 'seed of everything random');
  outputFlags(baselineFlags(command), 'the parts of connecting, phases, workers, and each second');
  return command.action((url: string | undefined, flags: StormFlags) => run(url, flags, command, io));
}

async function run(argument: string | undefined, flags: StormFlags, command: Command, io: Io): Promise<void> {
  const url = targetArgument(argument, io);
  if (url === undefined) {
    throw new WsbenchError(
      'USAGE',
      'storm: which server? Give its URL; wsbench serve starts one to try it on',
    );
  }
  const options = stormOptions(flags, io);
  resolveStress(stormPlan(options));
  const reproduce = reproduceLine('storm', url, command, { leaveOut: ['failOn'] });
  await runAndFinish('stress', flags, io, nextWays(url, command), (control) =>
    storm(url, { ...options, reproduce }, control),
  );
}

function stormOptions(flags: StormFlags, io: Io): StormOptions {
  const { drop, wait, before, after, deadline } = flags;
  if (wait !== undefined && drop !== undefined) {
    throw new WsbenchError('USAGE', '--drop and --wait exclude each other: who lets the connections go?');
  }
  if (wait !== undefined && before !== undefined) {
    throw new WsbenchError('USAGE', '--before is the time until --drop: leave it out with --wait');
  }
  const time = (text: string | undefined, name: string, key: keyof StormOptions): StormOptions =>
    text === undefined ? {} : { [key]: parseDurationMs(text, name) };
  return {
    ...stressOptions(flags, io),
    ...(drop === undefined ? {} : { drop: drop as DropKind }),
    ...time(wait, '--wait', 'waitMs'),
    ...time(before, '--before', 'beforeMs'),
    ...time(after, '--after', 'afterMs'),
    ...time(deadline, '--deadline', 'deadlineMs'),
  };
}
