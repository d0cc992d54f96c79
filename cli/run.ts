// A run as the command line makes it: reports tried first, a live view meanwhile, the result put out at the end.
import type { RunControl } from '../lib/result/events.ts';
import type { Result } from '../lib/result/result.ts';
import { type BaselineFlags, openBaseline } from './baseline-flags.ts';
import { finish, type OutputFlags } from './finish.ts';
import type { Io } from './io.ts';
import { JournalFile } from './journals.ts';
import { liveView } from './live.ts';
import type { NextWays } from './next-step.ts';
import { openReports } from './report-files.ts';

/**
 * Runs `start` and ends the command with the exit code of its result.
 *
 * @param ways commands about the same target, of which one may be worth a try next
 * @throws whatever `start` throws, and WsbenchError when a report cannot be written to where it should go, or there is no
 *   such baseline
 */
export async function runAndFinish(
  kind: Result['kind'],
  flags: OutputFlags & BaselineFlags,
  io: Io,
  ways: NextWays,
  start: (control: RunControl) => Promise<Result>,
): Promise<void> {
  const reports = openReports(flags.output ?? [], io.cwd);
  const baseline = openBaseline(flags, kind, io);
  const live = liveView(io, flags.quiet ?? false, flags.color);
  const journal = new JournalFile(io);
  const control = { signal: io.signal, onEvent: live.show };
  const journaled = flags.save === false ? control : { ...control, openJournal: journal.open };
  const result = await start(journaled).finally(live.end);
  const code = finish(result, reports, flags, io, { ways, baseline });
  journal.remove();
  io.exit(code);
}
