// wsbench doctor: what can this machine drive, and can it be trusted to measure?
import type { Command } from 'commander';
import { type DoctorReport, doctor } from '../../lib/index.ts';
import { doctorText } from '../../reports/index.ts';
import { newCommand } from '../command.ts';
import { terminalStyle } from '../finish.ts';
import { type Io, note } from '../io.ts';

interface DoctorFlags {
  measure?: boolean;
  json?: boolean;
  color?: boolean;
  quiet?: boolean;
}

const words = {
  limits: 'limits and settings',
  quiet: 'timers, clock and other work, 1 s',
  connections: 'self-test: connections',
  'round trip': 'self-test: round trip, 1 s',
  rate: 'self-test: message rate, up to 7 s',
} as const;

/** The `doctor` command. */
export function doctorCommand(io: Io): Command {
  const command = newCommand('doctor', io)
    .description('what this machine can drive: files, ports, timers, own floor')
    .option('--no-measure', 'only limits and settings: no timers, no self-test')
    .option('--json', 'print what was found as JSON')
    .option('--no-color', 'no colours')
    .option('-q, --quiet', 'no progress')
    .addHelpText(
      'after',
      `
It talks to nobody but a server of its own on this machine, for about ten seconds.

Exit codes: 0 fit to measure, warnings or not · 2 usage · 4 not fit to measure · 130/143 interrupted`,
    );
  return command.action((flags: DoctorFlags) => run(flags, io));
}

async function run(flags: DoctorFlags, io: Io): Promise<void> {
  const redraws = io.stderr.isTTY === true && !io.env.CI && io.env.TERM !== 'dumb';
  const clear = (): boolean => !redraws || flags.quiet === true || io.stderr.write('\r\x1b[2K');
  const report = await doctor(
    { measure: flags.measure !== false, env: io.env },
    {
      signal: io.signal,
      onStep: (step) => {
        if (flags.quiet || flags.measure === false) return;
        clear();
        if (redraws) io.stderr.write(`  ${words[step]}`);
        else note(io, words[step]);
      },
    },
  ).finally(clear);
  io.stdout.write(
    flags.json ? `${JSON.stringify(report, null, 2)}\n` : doctorText(report, terminalStyle(io, flags.color)),
  );
  const code = exitCodeOf(report, io.signal);
  if (code !== 0) note(io, `exit ${code}: ${reasonOf(report, code)}`);
  io.exit(code);
}

function exitCodeOf({ outcome }: DoctorReport, { reason }: AbortSignal): number {
  if (outcome === 'inconclusive') return 4;
  if (outcome === 'interrupted') return reason === 'SIGTERM' ? 143 : 130;
  return 0;
}

function reasonOf({ findings }: DoctorReport, code: number): string {
  if (code !== 4) return 'interrupted, not all was measured';
  const failed = findings.filter(({ status }) => status === 'fail');
  const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : '';
  return `${failed[0]?.title}: ${failed[0]?.detail}${more}`;
}
