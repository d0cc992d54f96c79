// The result of a run that was killed, from its journal.
import { formatDuration } from '../../duration.ts';
import { WsbenchError } from '../../errors.ts';
import type { Reason, StressResult } from '../../result/result.ts';
import { lastShare } from '../last-share.ts';
import { mergeShares } from '../merge.ts';
import { SeriesBook } from '../series-book.ts';
import type { Share } from '../share.ts';
import { stressResult } from '../stress-result.ts';
import { readFrames } from './frames.ts';

const noPhases = { connectMs: 0, settleMs: 0, warmupMs: 0, measureMs: 0, drainMs: 0 };

/**
 * Makes the result of a run that ended without a word (SIGKILL, out of memory, a machine that went down) from the journal that it
 * kept: what it had counted until a second before, or until the last fiftieth of a long run. It is no complete run, and its
 * outcome is `interrupted`, with the reason `killed`.
 *
 * @param bytes a whole journal, or as much as there is of it
 * @param file the name that errors use
 * @throws WsbenchError `USAGE`: not a journal, or one of another version
 */
export function recoverRun(bytes: Uint8Array, file: string): StressResult {
  const text = readFrames(bytes);
  if (!text) throw new WsbenchError('USAGE', `${file}: not a journal of this version of wsbench`);
  const { head, pages } = text;
  const last = pages.at(-1);
  const shares = (last?.shares ?? []).map(untilThen);
  const share = mergeShares(shares);
  const book = new SeriesBook(head.plan.durationMs * 1000, shares.length);
  for (const { series } of pages) book.restore(series);
  const { elapsedMs = 0, phases = noPhases, reasons = [], warnings = [] } = last ?? {};
  return stressResult({
    ...{ plan: head.plan, host: head.host, startedAt: head.startedAt, means: head.means },
    ...{ durationMs: elapsedMs, phases, warnings, share, shares },
    stopped: true,
    stoppedBy: undefined,
    reasons: [...reasons, killed(elapsedMs)],
    series: share.measured ? book.finish(share.endUs - share.startUs) : { due: [], wall: [] },
  });
}

function killed(elapsedMs: number): Reason {
  const when = elapsedMs === 0 ? 'in its first second' : `some time after ${formatDuration(elapsedMs)}`;
  return {
    code: 'killed',
    message: `the run was cut off ${when} and could say nothing; this is what it had counted by then`,
  };
}

/** The measure phase ended there, whatever its schedule was. */
function untilThen(share: Share): Share {
  return { ...lastShare(share), endUs: Math.min(share.endUs, Math.max(share.atUs, share.startUs)) };
}
