// wsbench stress: how much can it carry, and at what latency?
import { type Command, Option } from 'commander';
import { WsbenchError } from '../../lib/errors.ts';
import { resolveStress, stress } from '../../lib/index.ts';
import { driverNames } from '../../lib/load/plan.ts';
import { scenarioText } from '../../lib/scenario/print.ts';
import { baselineFlags } from '../baseline-flags.ts';
import { newCommand } from '../command.ts';
import { outputFlags } from '../finish.ts';
import type { Io } from '../io.ts';
import { loadFlags } from '../load-flags.ts';
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

/** The `stress` command. */
export function stressCommand(io: Io): Command {
  const command = newCommand('stress', io)
    .description('load: connections, messages per second, latency percentiles')
    .argument('[url]', 'target, ws:// or wss://; without one the reference server is started');
  wayFlags(messageFlags(loadFlags(command))).addOption(
    new Option('--limits <name>', 'limits of the embedded server').choices([
      'development',
      'production',
      'test',
      'off',
    ]),
  );
  thresholdFlags(fleetTokenFlags(command), 'rtt.p99<20ms')
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
